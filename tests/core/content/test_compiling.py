"""One way from content and values to a mail: preview, trial send, ledger and sender have the same bytes."""

import json

import pytest

from tests import engine, factories
from tests.core.consent.consent_world import marketing, token_of
from tests.engine import URL
from tests.factories import NOW
from webapp.core.audience import audience_of
from webapp.core.broadcasts import delivered
from webapp.core.consent import tokens
from webapp.core.content import previews, trial_sends
from webapp.core.content.compiling import compiled, text_of_body
from webapp.core.content.tag_catalogue import load_values
from webapp.core.errors import DomainError
from webapp.core.rules.consent import Purpose
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState
from webapp.core.rules.message import Envelope, MailIdentity, MessageParts, compile_message, decoded
from webapp.core.rules.message.parts import NO_TOKEN
from webapp.core.settings import from_addresses

FROM = "Example Hosting <support@example.com>"


def test_the_same_arguments_give_the_same_mail(sqlite_session):
    content = compiled(sqlite_session, factories.broadcast(sqlite_session, reply_to="help@example.com"), URL)
    assert content.tags == ("full_name", "first_name") and content.mail_from == "support@example.com"
    mail = content.mail(17, "ada@example.net", NOW, ["Ada Byron", "Ada"])
    assert mail == content.mail(17, "ada@example.net", NOW, ["Ada Byron", "Ada"])
    assert (mail.delivery_id, mail.mail_from, mail.rcpt_to) == (17, "support@example.com", "ada@example.net")
    shown = decoded(mail.data)
    assert (shown.subject, shown.text.strip()) == ("News", "Hello Ada")
    assert ("Reply-To", "help@example.com") in shown.headers


@pytest.mark.parametrize("columns", [{"from_address": ""}, {"html": "{{ nonsense }}"}])
def test_what_cannot_become_a_mail_is_refused(sqlite_session, columns):
    with pytest.raises(DomainError):
        compiled(sqlite_session, factories.broadcast(sqlite_session, **columns), URL)


def test_preview_trial_and_delivery_show_the_bytes_that_are_sent(sqlite_session):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    ada = factories.client(sqlite_session, "ada@example.com")
    broadcast = factories.broadcast(sqlite_session)
    person = previews.at(sqlite_session, audience_of(broadcast), NOW.date(), ada.id)
    sent = compiled(sqlite_session, broadcast, URL).mail(0, "ada@example.com", NOW, [f"Ada {ada.last_name}", "Ada"])
    assert trial_sends.as_it_leaves(sqlite_session, broadcast, person, NOW, URL) == sent
    made_for = [trial_sends.TrialVariant("", person)]
    [test] = trial_sends.mails(sqlite_session, broadcast, made_for, ["ada@example.com"], NOW, URL)
    assert test.data.replace(b"[Test] ", b"") == sent.data, "but for its mark"
    assert previews.preview(sqlite_session, broadcast, person, NOW, URL).mail == decoded(sent.data)
    values = {"merge_values": json.dumps([f"Ada {ada.last_name}", "Ada"]), "stamped_at": NOW}
    row = factories.delivery(sqlite_session, broadcast, ada, state=DeliveryState.PENDING, **values)
    kept = delivered.mail(sqlite_session, broadcast, row, NOW, URL)
    assert (
        kept
        and kept.data
        == compiled(sqlite_session, broadcast, URL)
        .mail(row.id, "ada@example.com", NOW, [f"Ada {ada.last_name}", "Ada"])
        .data
    )


def test_the_text_of_the_body_is_known_also_beside_one_written_by_hand(sqlite_session):
    for text in (None, "By hand"):
        broadcast = factories.broadcast(sqlite_session, text=text)
        assert text_of_body(broadcast, compiled(sqlite_session, broadcast, URL)).strip() == "Hello {{ first_name }}"
    broadcast = factories.broadcast(sqlite_session, html="", text="By hand")
    assert text_of_body(broadcast, compiled(sqlite_session, broadcast, URL)) == ""


def test_a_mail_with_a_list_repeats_its_bytes_whatever_became_of_the_client_meanwhile(sqlite_session):
    html = (
        "<ul>{% for service in services %}<li>{{ service.domain }}, {{ service.price | money }}</li>{% endfor %}</ul>"
        '<p>{{ client_since | date: "short" }}, {{ service_count | plural: "service", "services" }}</p>'
    )
    ada = factories.client(sqlite_session, "ada@example.com", language="en", country="IE")
    one = factories.service(sqlite_session, ada, factories.product(sqlite_session), domain="a.example")
    broadcast = factories.broadcast(sqlite_session, html=html)
    content = compiled(sqlite_session, broadcast, URL)
    [values] = load_values(sqlite_session, [(ada.id, None, None)], content.tags, broadcast=broadcast, now=NOW)
    kept = {"merge_values": json.dumps(values), "stamped_at": NOW, "state": DeliveryState.PENDING}
    row = factories.delivery(sqlite_session, broadcast, ada, **kept)
    before = delivered.mail(sqlite_session, broadcast, row, NOW, URL)
    one.domain, ada.client_since = "b.example", None
    factories.service(sqlite_session, ada, one.product)
    after = delivered.mail(sqlite_session, broadcast, row, NOW, URL)
    assert before and after and before.data == after.data
    shown = decoded(after.data)
    assert "* a.example, €9.90" in shown.text and "01/03/2024, 1 service" in shown.text
    assert load_values(sqlite_session, [(ada.id, None, None)], content.tags, broadcast=broadcast, now=NOW) != [values]


def test_a_preview_for_nobody_shows_examples(sqlite_session):
    html = '<p>{% for service in services %}{{ service.domain }};{% endfor %} {{ date | date: "%Y" }}</p>'
    broadcast = factories.broadcast(sqlite_session, html=html)
    shown = previews.preview(sqlite_session, broadcast, None, NOW, URL)
    assert shown.mail and shown.mail.text.strip() == "oneill.example.net;" * 3 + " 2027"


def test_a_mail_repeats_its_bytes_whatever_became_of_the_keys_meanwhile(sqlite_session):
    broadcast = marketing(sqlite_session, 1, html="<p>Hello</p>{{ browser_url }}")
    [row] = engine.rows(sqlite_session, broadcast)

    def made() -> bytes:
        content = compiled(sqlite_session, broadcast, URL)
        return content.mail(row.id, "ada@example.com", NOW, ["x"] * len(content.tags)).data

    before = made()
    tokens.change_key(sqlite_session, broadcast.started_at)
    assert made() == before
    assert f"<{URL}/unsubscribe/{token_of(sqlite_session, row.id)}>".encode() in before


def test_a_broadcast_from_before_the_question_keeps_its_bytes(sqlite_session):
    broadcast = factories.broadcast(sqlite_session, state=BroadcastState.SENDING, started_at=NOW, purpose=None)
    parts = MessageParts(broadcast.content.subject, broadcast.content.html, broadcast.content.text)
    plain = compile_message(parts, Envelope.of(broadcast.from_address))
    values = ["Ada"] * len(plain.tags)
    data = plain.render(values, MailIdentity(17, broadcast.secret, "ada@example.com", NOW))
    assert compiled(sqlite_session, broadcast, URL).mail(17, "ada@example.com", NOW, values).data == data


def test_previews_and_trials_show_links_that_open_nothing(sqlite_session):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    broadcast = factories.broadcast(sqlite_session, purpose=Purpose.MARKETING)
    made_for = [trial_sends.TrialVariant("", None)]
    [mail] = trial_sends.mails(sqlite_session, broadcast, made_for, ["ada@example.com"], NOW, URL)
    assert f"List-Unsubscribe: <{URL}/unsubscribe/{NO_TOKEN}>".encode() in mail.data
    shown = previews.preview(sqlite_session, broadcast, None, NOW, URL)
    assert shown.mail and f"Unsubscribe <{URL}/unsubscribe/{NO_TOKEN}>" in shown.mail.text
    assert "unsubscribe" not in shown.derived_text, "what the writer would write by hand has no foot"
