"""The compose page: saved while typing, never over somebody else's words, and shown from the bytes that would be sent."""

import sqlite3
from email import message_from_bytes, policy

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from tests import factories
from tests.neighbours import MailServer
from tests.pages.page import read
from webapp.core import audience, broadcasts
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.settings import from_addresses
from webapp.core.tables.broadcasts import Broadcast

HTMX = {"HX-Request": "true"}
SENDER = "Example Hosting <support@example.com>"


@pytest.fixture
def draft(sqlite_session: Session) -> Broadcast:
    """A draft to two clients, Ada and one without a first name."""
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    factories.client(sqlite_session, "ada@example.com", first_name="Ada", last_name="Byron")
    factories.client(sqlite_session, "info@example.net", first_name="", last_name="", company="Byron & Co")
    row = factories.broadcast(sqlite_session, subject="News", html="<p>Hello {{ first_name }}</p>")
    sqlite_session.commit()
    return row


class ComposePage:
    """The page as a browser holds it: its fields, and what it knows of the stored message."""

    def __init__(self, client: FlaskClient, broadcast_id: int):
        self.client, self.url = client, f"/mass-mail/{broadcast_id}/content/"
        html = client.get(self.url).text
        self.fields = {"base": value_of(html, "base"), "lost": "", "from_address": SENDER, "reply_to": ""}
        self.fields |= {"subject": "News", "html": "<p>Hello {{ first_name }}</p>"}

    def save(self, headers: dict[str, str] = HTMX, **changes: str):
        """Type and save; the page takes over what the answer says."""
        self.fields |= changes
        answer = self.client.post(self.url, data=self.fields, headers=headers)
        if answer.status_code == 200:
            self.fields["base"] = value_of(answer.text, "base")
        return answer


def value_of(html: str, name: str) -> str:
    return read(html).value(name)


def stored(session: Session, draft: Broadcast) -> Broadcast:
    session.expire_all()
    session.rollback()
    return session.get_one(Broadcast, draft.id)


def test_the_page_works_without_javascript(browser_client, draft):
    html = browser_client.get(f"/mass-mail/{draft.id}/content/").text
    assert "&lt;p&gt;Hello {{ first_name }}&lt;/p&gt;</textarea>" in html
    assert f"<option selected>{SENDER.replace('<', '&lt;').replace('>', '&gt;')}</option>" in html
    assert 'form="compose"' in html and "<noscript><button" in html
    assert "1 of 2" in html and 'src="/mass-mail/' in html


def test_what_is_typed_is_saved_and_all_that_follows_comes_back(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    answer = page.save(subject="Maintenance", html="<p>Dear {{ first_name }},</p>\r\n<p>…</p>")
    assert answer.status_code == 200
    assert "Saved" in answer.text and "Dear {{ first_name }}," in answer.text
    row = stored(sqlite_session, draft)
    assert (row.content.subject, row.content.html) == ("Maintenance", "<p>Dear {{ first_name }},</p>\n<p>…</p>")
    assert row.version == 2


def test_a_page_that_is_behind_takes_nothing_off_the_calendar(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    broadcasts.schedule(sqlite_session, draft.id, None, factories.NOW)
    sqlite_session.commit()
    assert page.save().status_code == 200
    assert stored(sqlite_session, draft).state is BroadcastState.SCHEDULED
    answer = page.save(subject="Changed")
    assert answer.status_code == 409 and "is scheduled" in answer.text and "is not saved" in answer.text
    assert stored(sqlite_session, draft).state is BroadcastState.SCHEDULED


def test_without_htmx_saving_leads_to_the_schedule_or_stays(browser_client, draft):
    page = ComposePage(browser_client, draft.id)
    assert page.save({}, subject="A").location == f"/mass-mail/{draft.id}/schedule/"
    page = ComposePage(browser_client, draft.id)
    assert page.save({}, subject="B", stay="1").location == f"/mass-mail/{draft.id}/content/"


def test_another_tabs_words_are_not_overwritten_until_one_says_so(browser_client, sqlite_session, draft):
    mine, theirs = ComposePage(browser_client, draft.id), ComposePage(browser_client, draft.id)
    assert theirs.save(subject="Theirs").status_code == 200
    answer = mine.save(subject="Mine")
    assert answer.status_code == 409
    assert "You changed this message in another tab" in answer.text
    assert stored(sqlite_session, draft).content.subject == "Theirs"
    asked = read(answer)
    assert ["Subject", "Theirs", "Mine"] in asked.rows("table[.//th[.='In force']]")
    assert mine.save(base=asked.value("keep_mine")).status_code == 200
    assert stored(sqlite_session, draft).content.subject == "Mine"


def test_a_conflict_without_javascript_keeps_what_was_typed_on_the_page(browser_client, sqlite_session, draft):
    mine, theirs = ComposePage(browser_client, draft.id), ComposePage(browser_client, draft.id)
    theirs.save(subject="Theirs")
    answer = mine.save({}, subject="Mine", html="<p>My text</p>")
    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text and "&lt;p&gt;My text&lt;/p&gt;" in answer.text
    assert mine.save({}, base=value_of(answer.text, "base")).status_code == 303
    assert stored(sqlite_session, draft).content.subject == "Mine"


def test_a_change_elsewhere_in_the_draft_is_no_conflict(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    broadcasts.edit(sqlite_session, draft.id, None, {"audience_filter": {"countries": ["DE"]}}, factories.NOW)
    sqlite_session.commit()
    assert page.save(subject="Mine").status_code == 200
    row = stored(sqlite_session, draft)
    assert (row.content.subject, row.audience_filter) == ("Mine", {"countries": ["DE"]})


def test_an_answer_that_got_lost_is_not_taken_for_somebody_elses_change(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    base = page.fields["base"]
    page.save(subject="Sent, but the answer never came")
    body = "from_address=Example+Hosting+%3Csupport%40example.com%3E&reply_to=&html=%3Cp%3EHello+%7B%7B+first_name+%7D%7D%3C%2Fp%3E"
    lost = f"{body}&subject=Sent%2C+but+the+answer+never+came"
    assert page.save(subject="Next", base=base, lost="subject=Something+else").status_code == 409
    assert page.save(subject="Next", base=base, lost=lost).status_code == 200
    assert stored(sqlite_session, draft).content.subject == "Next"


def test_once_sending_has_begun_nothing_is_saved_and_the_page_says_so(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    broadcasts.schedule(sqlite_session, draft.id, None, factories.NOW)
    assert broadcasts.start(sqlite_session, draft.id, factories.NOW)
    sqlite_session.commit()
    answer = page.save(subject="Too late")
    assert answer.status_code == 409 and "sending has begun" in answer.text
    assert stored(sqlite_session, draft).content.subject == "News"


def test_a_reply_to_that_cannot_be_used_is_told_and_the_rest_is_saved(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    answer = page.save(subject="New", reply_to="nobody")
    assert answer.status_code == 200 and "it has no @" in answer.text
    row = stored(sqlite_session, draft)
    assert (row.content.subject, row.reply_to) == ("New", "")
    assert "field-error" not in page.save(reply_to="help@straße.example").text
    assert stored(sqlite_session, draft).reply_to == "help@xn--strae-oqa.example"
    answer = page.save(reply_to="žofie@example.com")
    assert "field-error" in answer.text and "most servers would not take the mail" in answer.text


def test_the_text_part_is_derived_until_it_is_written_by_hand_and_again_afterwards(
    browser_client, sqlite_session, draft
):
    page = ComposePage(browser_client, draft.id)
    assert "Hello {{ first_name }}" in read(page.save()).text("*[contains(@hx-swap-oob, '#derived-text')]")
    page.save(own_text="1", text="By hand")
    assert stored(sqlite_session, draft).content.text == "By hand"
    del page.fields["own_text"]
    page.save()
    assert stored(sqlite_session, draft).content.text is None


def test_an_unknown_tag_is_told_with_its_line_and_mended_with_one_press(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    answer = page.save(html="<p>Hello</p>\n<p>dear {{ frist_name | default: &quot;you&quot; }}</p>")
    assert "Body, line 2:" in answer.text and "Did you mean first_name?" in answer.text
    assert "data-broken" in answer.text and "data-src" not in answer.text, "the last good preview stays"
    assert "things to mend" not in page.save({}, mend=read(answer).value("mend")).text
    assert stored(sqlite_session, draft).content.html.endswith(
        "<p>dear {{ first_name | default: &quot;you&quot; }}</p>"
    )


def test_the_preview_shows_the_mail_of_the_chosen_recipient(browser_client, sqlite_session, draft):
    page = ComposePage(browser_client, draft.id)
    page.save(subject="News for {{ company }}", html="<p>Hello {{ first_name | default: 'you' }}</p>")
    second = (
        audience.select_terms(sqlite_session, audience.audience_of(draft))
        .terms[audience.Term.WILL_RECEIVE]
        .page(1, 1)[0]
    )
    answer = browser_client.get(f"/mass-mail/{draft.id}/content/person?client={second}", headers=HTMX).text
    assert "2 of 2" in answer and "News for Byron &amp; Co" in answer and "Hello you" in answer
    mail = browser_client.get(f"/mass-mail/{draft.id}/content/mail?client={second}")
    assert ">Hello you</p>" in mail.text


def test_a_previewed_mail_can_run_nothing_and_values_cannot_become_markup(browser_client, sqlite_session, draft):
    factories.client(sqlite_session, "eve@example.com", first_name="<script>alert(1)</script>", country="FR")
    broadcasts.edit(sqlite_session, draft.id, None, {"audience_filter": {"countries": ["FR"]}}, factories.NOW)
    sqlite_session.commit()
    ComposePage(browser_client, draft.id).save(html="<p onclick='x()'>Hello {{ first_name }}</p><script>x()</script>")
    mail = browser_client.get(f"/mass-mail/{draft.id}/content/mail")
    policy = mail.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "script-src" not in policy and "allow-scripts" not in policy
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.text
    assert "<script" not in mail.text and "onclick" not in mail.text


def test_the_mail_is_shown_light_or_dark_as_asked(browser_client, draft):
    url = f"/mass-mail/{draft.id}/content/mail"
    schemes = [
        read(browser_client.get(url + q)).all("meta[@name='color-scheme']")[0]["content"] for q in ("", "?dark=1")
    ]
    assert schemes == ["light", "dark"]


def test_for_nobody_the_preview_takes_example_values(browser_client, sqlite_session, draft):
    broadcasts.edit(sqlite_session, draft.id, None, {"audience_filter": {"countries": ["JP"]}}, factories.NOW)
    sqlite_session.commit()
    html = browser_client.get(f"/mass-mail/{draft.id}/content/").text
    assert "made-up values stand in the tags" in html and "Hello Zoë" in html


def test_a_new_draft_is_empty_and_not_scolded(browser_client, sqlite_session, draft):
    row = broadcasts.create(sqlite_session, MessageType.GENERAL, None, factories.NOW)
    sqlite_session.commit()
    html = browser_client.get(f"/mass-mail/{row.id}/content/").text
    assert "to mend" not in html and "Write a subject and a text" in html


def test_the_preview_says_whose_service_the_tags_take(browser_client, sqlite_session, draft):
    holder = factories.client(sqlite_session, "zoe@example.com", first_name="Zoë")
    product = factories.product(sqlite_session, "VPS-2")
    for domain in ("oster.example.net", "other.example.net"):
        factories.service(sqlite_session, holder, product, domain=domain)
    row = factories.broadcast(sqlite_session, message_type=MessageType.SERVICES, html="<p>{{ service_domain }}</p>")
    sqlite_session.commit()
    html = browser_client.get(f"/mass-mail/{row.id}/content/").text
    assert "VPS-2 · oster.example.net, due next of 2" in html


def test_each_tag_tells_for_how_many_recipients_it_is_empty(browser_client, draft):
    page = ComposePage(browser_client, draft.id)
    page.save(html="<p>{{ first_name | default: 'friend' }} {{ company }} {{ email }}</p>")
    words = read(browser_client.get(f"/mass-mail/{draft.id}/content/tag-gaps")).words
    assert "1 uses “friend”" in browser_client.get(f"/mass-mail/{draft.id}/content/?count=1").text, "without JavaScript"
    assert "first_name 1 uses “friend”" in words
    assert "company 1 empty" in words
    assert "email all filled" in words


def test_a_condition_tells_how_many_recipients_each_side_reaches(browser_client, draft):
    asked = f"/mass-mail/{draft.id}/content/tag-sides?tag="
    assert "1 recipient has a value for company, 1 has none." in read(browser_client.get(f"{asked}company")).words
    assert "2 recipients have a value for email, 0 have none." in read(browser_client.get(f"{asked}email")).words
    assert browser_client.get(f"{asked}nothing").status_code == 404


def test_the_count_of_empty_values_is_asked_for_only_when_the_tags_change(browser_client, draft):
    page = ComposePage(browser_client, draft.id)
    assert "HX-Trigger" not in page.save(subject="Other words").headers
    assert page.save(subject="For {{ company }}").headers["HX-Trigger"] == "tags-changed"


def test_recipients_are_found_by_name_and_extremes_are_offered(browser_client, draft):
    found = browser_client.get(f"/mass-mail/{draft.id}/content/people?q=byron+ada").text
    assert "ada@example.com" in found and "info@example.net" not in found
    extremes = browser_client.get(f"/mass-mail/{draft.id}/content/extremes").text
    assert "longest name" in extremes and "empty name" in extremes and "right to left" not in extremes


def test_a_test_mail_goes_out_as_previewed_and_the_relays_words_come_back(
    browser_client, sqlite_app, draft, mail_server
):
    sqlite_app.config["RELAY"] = mail_server.relay
    page = ComposePage(browser_client, draft.id)
    page.save(subject="Hello {{ first_name }}", reply_to="help@example.com")
    to = "me@example.org, you@example.org; me@example.org"
    answer = browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": to}, headers=HTMX)
    assert answer.status_code == 200
    assert answer.text.count("accepted by the relay") == 2 and "250 2.0.0 taken" in answer.text
    mails = mail_server.wait_for(2)
    assert sorted(mail.rcpt_to for mail in mails) == [("me@example.org",), ("you@example.org",)]
    message = mails[0].message
    assert (message["Subject"], message["To"].split("<")[0].strip()) == ("[Test] Hello Ada", "Ada Byron")
    assert (mails[0].mail_from, message["Reply-To"]) == ("support@example.com", "help@example.com")


def test_a_test_goes_out_for_several_who_are_worth_looking_at(browser_client, sqlite_app, draft, mail_server):
    sqlite_app.config["RELAY"] = mail_server.relay
    page = read(browser_client.get(f"/mass-mail/{draft.id}/content/test"))
    by_label = {one.words: one.at("input")["value"] for one in page.all("label[@class='check']")}
    form = {"to": "me@example.org", "variant": ["shown", by_label["empty name"], "999999"]}
    answer = browser_client.post(f"/mass-mail/{draft.id}/content/test", data=form, headers=HTMX)
    assert answer.text.count("accepted by the relay") == 2 and "Made as for empty name." in read(answer)
    subjects = sorted(mail.message["Subject"] for mail in mail_server.wait_for(2))
    assert subjects == ["[Test] News", "[Test] [empty name] News"]
    assert "made for: empty name" in read(browser_client.get(f"/mass-mail/{draft.id}/content/tests"))


def test_a_mail_can_be_kept_as_a_file_just_as_it_leaves(browser_client, draft):
    answer = browser_client.get(f"/mass-mail/{draft.id}/content/test.eml")
    assert answer.mimetype == "message/rfc822" and ".eml" in answer.headers["Content-Disposition"]
    message = message_from_bytes(answer.data, policy=policy.default)
    assert not message["Subject"].startswith("[Test]") and message["To"].startswith("Ada Byron")


def test_a_preview_marks_empty_tags_and_shows_no_pictures_when_asked(browser_client, sqlite_session, draft):
    nobody = factories.client(sqlite_session, first_name="")
    sqlite_session.commit()
    ComposePage(browser_client, draft.id).save(html="<p>Dear {{ first_name }}, {{ company | default: 'you' }}</p>")
    url = f"/mass-mail/{draft.id}/content/mail?client={nobody.id}"
    marked, plain = browser_client.get(f"{url}&marks=1&images=off"), browser_client.get(url)
    assert "first_name is empty</mark>" in marked.text and "company is empty" not in marked.text
    assert "<mark" not in plain.text and "img-src https:" in plain.headers["Content-Security-Policy"]
    assert "img-src 'none'" in marked.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("", "at least one address"),
        ("nobody", "it has no @"),
        (", ".join(f"a{n}@example.com" for n in range(6)), "at most 5 addresses; these are 6"),
    ],
)
def test_a_test_to_addresses_that_cannot_be_used_is_refused_with_a_reason(browser_client, draft, to, words):
    answer = browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": to}, headers=HTMX)
    assert answer.status_code == 422 and words in answer.text


def test_a_broken_draft_cannot_be_tested(browser_client, draft):
    ComposePage(browser_client, draft.id).save(subject="{{ nonsense }}")
    answer = browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": "me@example.org"})
    assert answer.status_code == 422 and "There is no tag nonsense" in answer.text


def test_the_database_is_not_held_while_the_relay_takes_its_time(browser_client, sqlite_app, sqlite_url, draft):
    written: list[str] = []

    class Relay(MailServer):
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            with sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), timeout=0) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("INSERT INTO failed_sign_in (key, failed_at) VALUES ('x', '2026-01-01 00:00:00')")
            written.append("meanwhile")
            return await super().handle_DATA(server, session, envelope)

    with Relay() as relay:
        sqlite_app.config["RELAY"] = relay.relay
        answer = browser_client.post(f"/mass-mail/{draft.id}/content/test", data={"to": "me@example.org"}, headers=HTMX)
    assert "accepted by the relay" in answer.text and written == ["meanwhile"]
