"""Where a sign-in leads: back to the page that asked for it, with what was typed there, and never to another site."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import factories
from tests.databases import make_app
from tests.factories import NOW
from tests.pages.page import read
from webapp.core import users
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.users import SignIn
from webapp.pages.coming_back import places

PASSWORD = "correct horse battery"
HOME = "http://localhost"
OURS = {"Origin": HOME}


@pytest.fixture
def ada(sqlite_app, sqlite_session):
    """A browser of somebody who is signed in with a password."""
    users.create(sqlite_session, "ada@example.org", PASSWORD, NOW)
    sqlite_session.commit()
    client = sqlite_app.test_client()
    enter(client)
    return client


@pytest.fixture
def draft(sqlite_session):
    row = factories.broadcast(sqlite_session, subject="Before")
    sqlite_session.commit()
    return row


def enter(client, url="/sign-in", **more):
    return client.post(url, data={"email": "ada@example.org", "password": PASSWORD, **more})


def end_sign_ins(session):
    session.query(SignIn).delete()
    session.commit()


@pytest.mark.parametrize(
    "page", ["/mass-mail/7/content/?client=3&count=1", "/clients/?q=m%C3%BCller+%26+s%C3%B6hne", "/mass-mail/?tab=sent"]
)
def test_a_deep_link_is_shown_after_the_sign_in_as_it_was_asked_for(ada, sqlite_session, page):
    end_sign_ins(sqlite_session)
    asked = ada.get(page)
    form = ada.get(asked.headers["Location"])
    assert f'action="{asked.headers["Location"]}"'.replace("&", "&amp;") in form.text
    assert enter(ada, asked.headers["Location"]).headers["Location"] == page


TRICKS = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "///evil.example",
    "javascript:alert(1)",
    "mass-mail",
    " /mass-mail/",
    "/sign-in?next=/sign-in",
    "/" + "a" * 3000,
    "",
]


@pytest.mark.parametrize("target", TRICKS)
def test_no_other_site_and_no_circle_is_a_place_to_come_back_to(target):
    assert places.safe(target) is None


@given(st.text(alphabet="/\\:@.?#\t\r\n ax%-", max_size=12))
def test_what_is_safe_stays_on_this_host_in_the_way_browsers_read_addresses(rest):
    target = places.safe(f"/{rest}")
    if target is not None:
        stripped = target.strip(" \t\r\n").replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")
        assert stripped.startswith("/") and not stripped.startswith("//")


def test_an_htmx_request_is_told_so_that_the_page_can_ask_in_a_window(ada, sqlite_session, draft):
    end_sign_ins(sqlite_session)
    for answer in (
        ada.get("/settings/users", headers={"HX-Request": "true"}),
        ada.post(f"/mass-mail/{draft.id}/content/", data={"subject": "x"}, headers={"HX-Request": "true"}),
    ):
        assert (answer.status_code, answer.data) == (401, b"")


def test_the_window_shows_the_sign_in_and_afterwards_the_new_token(ada, sqlite_session, sqlite_app):
    end_sign_ins(sqlite_session)
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    window = ada.get("/coming-back/sign-in-window").text
    assert "<html" not in window
    token = read(window).at("#sign-in-fields").value("csrf_token")
    answer = enter(ada, "/sign-in?next=/coming-back/sign-in-window", csrf_token=token)
    assert answer.headers["Location"] == "/coming-back/sign-in-window"
    renewed = read(ada.get("/coming-back/sign-in-window")).at("*[@data-token]")["data-token"]
    answer = ada.post("/account/sign-out-elsewhere", headers={"X-CSRFToken": renewed})
    assert answer.status_code == 302
    assert ada.post("/account/sign-out-elsewhere", headers={"X-CSRFToken": token}).status_code == 400


def kept_fields(page):
    """What the page of the sign-in keeps, as a browser would send it along."""
    return {name: read(page).value(name) for name in ("kept", "kept_to")}


@pytest.mark.parametrize("ended_by", ["the server", "another tab"])
def test_what_a_form_sent_is_kept_beside_the_sign_in_and_sent_with_one_press(ada, sqlite_session, draft, ended_by):
    if ended_by == "the server":
        end_sign_ins(sqlite_session)
    else:
        ada.post("/sign-out")
    url = f"/mass-mail/{draft.id}/content/"
    text = 'Zoë said "<p>&amp;</p>"\r\nand more'
    answer = ada.post(url, data={"html": text, "own_text": "1", "text": ""}, headers={**OURS, "Referer": HOME + url})
    assert answer.status_code == 401
    kept = kept_fields(answer.text)
    assert kept["kept_to"] == url
    assert ["html", text] in json.loads(kept["kept"])

    wrong = ada.post("/sign-in", data={"email": "ada@example.org", "password": "wrong", **kept})
    assert kept_fields(wrong.text) == kept
    right = enter(ada, f"/sign-in?next={url}", **kept)
    assert "What you sent before is kept" in right.text
    assert f'action="{url}"' in right.text
    assert "Zoë said &#34;&lt;p&gt;&amp;amp;&lt;/p&gt;&#34;" in right.text
    sqlite_session.rollback()
    assert sqlite_session.get_one(Broadcast, draft.id).content.subject == "Before", "nothing is sent by itself"


def test_of_another_site_nothing_is_kept(ada, sqlite_session, draft):
    end_sign_ins(sqlite_session)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        answer = ada.post(f"/mass-mail/{draft.id}/content/", data={"subject": "theirs"}, headers=headers)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_a_password_is_never_kept_in_a_page(ada, sqlite_session):
    end_sign_ins(sqlite_session)
    typed = {"current": PASSWORD, "password": "another good one", "again": "another good one"}
    answer = ada.post("/account/password", data=typed, headers={**OURS, "Referer": f"{HOME}/account/"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/account/")


def test_kept_words_lead_to_no_other_site(ada):
    ada.post("/sign-out")
    answer = enter(ada, kept='[["subject", "x"]]', kept_to="//evil.example/take")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_of_somebody_who_was_never_signed_in_little_is_read(sqlite_app, sqlite_session, draft):
    stranger = sqlite_app.test_client()
    long = {"html": "x" * (places.FROM_STRANGERS + 1)}
    assert stranger.post(f"/mass-mail/{draft.id}/content/", data=long, headers=OURS).status_code == 302


def test_a_long_message_is_kept_whole(ada, sqlite_session, draft):
    end_sign_ins(sqlite_session)
    url, long = f"/mass-mail/{draft.id}/content/", "Grüße " * 50_000
    kept = kept_fields(ada.post(url, data={"html": long}, headers=OURS).text)
    assert long in enter(ada, **kept).text


@pytest.fixture
def other_tab(ada, sqlite_app):
    """Somebody who signed in anew in another tab, so that the pages opened before hold an old token."""
    sqlite_app.config["WTF_CSRF_ENABLED"] = False
    ada.post("/sign-out")
    enter(ada)
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    return ada


def test_a_page_of_an_earlier_sign_in_goes_on_with_what_was_typed(other_tab, draft):
    url = f"/mass-mail/{draft.id}/name"
    typed, came = {"name": "Typed", "version": str(draft.version)}, {**OURS, "Referer": f"{HOME}/mass-mail/"}
    answer = other_tab.post(url, data={"csrf_token": "old", **typed}, headers=came)
    assert answer.status_code == 400
    again = read(answer).form("form[.//input[@value='Typed']]").fields
    assert again["name"] == "Typed"
    fresh = again["csrf_token"]
    assert other_tab.post(url, data={"csrf_token": fresh, **typed}).status_code == 303
    htmx = {"HX-Request": "true", **OURS}
    assert other_tab.post(url, data={"csrf_token": "old", **typed}, headers=htmx).status_code == 401


def test_a_form_from_elsewhere_with_a_false_token_is_refused_and_not_kept(other_tab, draft):
    answer = other_tab.post(f"/mass-mail/{draft.id}/content/", data={"csrf_token": "false", "subject": "theirs"})
    assert answer.status_code == 400
    assert "theirs" not in answer.text


def test_a_sign_in_page_that_is_too_old_is_shown_anew(sqlite_app):
    sqlite_app.config["WTF_CSRF_ENABLED"] = True
    answer = enter(sqlite_app.test_client(), "/sign-in?next=/clients/", csrf_token="old")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?next=/clients/")


class TestCookies:
    @pytest.mark.parametrize(
        ("url", "name"),
        [
            ("http://127.0.0.1:8000", "massmail-8000-session"),
            ("http://mail.example.com", "massmail-session"),
            ("https://mail.example.com", "__Host-massmail-session"),
            ("https://mail.example.com:8443", "__Host-massmail-8443-session"),
        ],
    )
    def test_it_has_a_name_of_its_own_and_is_kept_from_others(self, sqlite_url, ada, tmp_path, url, name):
        app = make_app(sqlite_url, tmp_path, PUBLIC_URL=url)
        cookies = enter(app.test_client()).headers.getlist("Set-Cookie")
        [cookie] = [one for one in cookies if one.startswith(f"{name}=")]
        rules = {part.strip() for part in cookie.split(";")[1:]}
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= rules
        assert ("Secure" in rules) == url.startswith("https")
        assert not any(rule.startswith("Domain") for rule in rules)

    def test_the_cookie_of_another_program_signs_nobody_out(self, ada):
        ada.set_cookie("session", "of-another-program")
        assert ada.get("/account/").status_code == 200


class TestTls:
    def test_behind_a_trusted_proxy_browsers_are_told_to_stay_with_tls(self, sqlite_url, ada, tmp_path):
        client = make_app(sqlite_url, tmp_path, PUBLIC_URL="https://mail.example.com", TRUSTED_PROXIES=1).test_client()
        by_tls = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
        assert by_tls.headers["Strict-Transport-Security"] == "max-age=31536000"
        plain = client.get("/sign-in", headers={"X-Forwarded-Proto": "http"})
        assert "Strict-Transport-Security" not in plain.headers

    def test_a_console_without_tls_says_nothing_of_it(self, ada):
        headers = ada.get("/account/", headers={"X-Forwarded-Proto": "https"}).headers
        assert "Strict-Transport-Security" not in headers
