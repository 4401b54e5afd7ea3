"""Settings, Brand: chosen, judged in words, shown, and heeded by new mass mails."""

from io import BytesIO

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests.core.branding.test_pictures import file
from tests.pages import page
from webapp.core.branding import brands, pictures
from webapp.core.consent import settings
from webapp.core.rules.branding.look import DARK, LIGHT, FontStack
from webapp.core.settings import from_addresses

URL = "/settings/brand/"
COLOURS = {
    f"{theme}_{name}": getattr(palette, name)
    for theme, palette in (("light", LIGHT), ("dark", DARK))
    for name in ("accent", "text", "background", "link")
}
FORM = COLOURS | {"letters": "georgia", "footer": "[Status](https://status.example.com)\r\nExample Ltd"}


def test_it_is_saved_with_its_logo_and_shown_again(browser_client: FlaskClient, sqlite_session: Session):
    assert "No brand is set" in page.read(browser_client.get(URL)).text("#main")
    data = FORM | {"light_accent": "#aa3300", "logo": (BytesIO(file()), "logo.png")}
    assert browser_client.post(URL, data=data).status_code == 303
    brand = brands.in_force(sqlite_session)
    assert brand.letters is FontStack.GEORGIA and brand.light["accent"] == "#aa3300"
    assert brand.footer == "[Status](https://status.example.com)\nExample Ltd"
    shown = page.read(browser_client.get(URL))
    assert shown.value("light_accent") == "#aa3300" and shown.value("letters") == "georgia"
    logo = browser_client.get(shown.at("div[@class='brand-logo']//img")["src"])
    assert logo.mimetype == "image/png" and logo.data.startswith(b"\x89PNG")


def test_a_logo_is_there_for_everybody_and_for_ever(browser_client: FlaskClient, sqlite_app, sqlite_session: Session):
    browser_client.post(URL, data=FORM | {"logo": (BytesIO(file()), "logo.png")})
    path = brands.logo_of(sqlite_session, brands.in_force(sqlite_session)).path
    stranger = sqlite_app.test_client()
    answer = stranger.get(f"/{path}")
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers and stranger.get("/picture/guessed.png").status_code == 404
    assert stranger.get(URL).status_code == 302


def test_what_cannot_be_used_is_refused_at_its_field(browser_client: FlaskClient, sqlite_session: Session):
    for field, value in (("light_text", "red"), ("footer", "[x](nowhere)"), ("logo", (BytesIO(b"<svg>"), "logo.svg"))):
        answer = browser_client.post(URL, data=FORM | {field: value})
        assert answer.status_code == 422, field
        assert page.read(answer).has("span[@class='field-error']")
    assert brands.in_force(sqlite_session) is None


def test_colours_that_are_hard_to_read_are_said_to_be_and_kept(browser_client: FlaskClient, sqlite_session: Session):
    pale = {"light_link": "#99bbff"}
    told = browser_client.get(f"{URL}legibility", query_string=pale).get_data(as_text=True)
    assert "Links on the background: 1.9 to 1, far too little" in told and "4.5 to 1 is asked for" in told
    browser_client.post(URL, data=FORM | pale)
    assert brands.in_force(sqlite_session).light["link"] == "#99bbff"


def test_the_mail_shows_what_is_being_tried_out(browser_client: FlaskClient, sqlite_session: Session):
    known = settings.read(sqlite_session)
    settings.save(
        sqlite_session,
        type(known)(**vars(known) | {"business_name": "Example Hosting", "postal_address": "1 High Street"}),
    )
    sqlite_session.commit()
    answer = browser_client.get(
        f"{URL}mail", query_string={"light_accent": "#aa3300", "dark": "1", "light_text": "no colour"}
    )
    html = answer.get_data(as_text=True)
    assert "#aa3300" in html and 'content="dark"' in html and "1 High Street" in html and "Unsubscribe" in html
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_sender_gets_a_brand_of_its_own_and_loses_it(browser_client: FlaskClient, sqlite_session: Session):
    from_addresses.add(sqlite_session, "News", "news@example.com")
    sqlite_session.commit()
    browser_client.post(URL, data=FORM)
    browser_client.post(URL, data=FORM | {"sender": "news@example.com", "letters": "verdana"})
    assert brands.in_force(sqlite_session, "news@example.com").letters is FontStack.VERDANA
    assert brands.in_force(sqlite_session).letters is FontStack.GEORGIA
    assert "own" in page.read(browser_client.get(URL)).text("nav[@class='brand-senders']")
    browser_client.post(f"{URL}remove", data={"sender": "news@example.com"})
    sqlite_session.rollback()
    assert brands.in_force(sqlite_session, "news@example.com").letters is FontStack.GEORGIA
    assert browser_client.get(f"{URL}?sender=nobody@example.com").status_code == 404


def test_names_of_pictures_are_no_way_to_others(sqlite_session: Session):
    assert pictures.by_name(sqlite_session, "%") is None
