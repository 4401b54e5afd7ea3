"""Sending in several languages: each gets their text, in one claim group and from a real relay, and a repeat has the same bytes."""

import json
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.engine import BEFORE, URL, PlainMailer
from tests.neighbours import MailServer, Received
from webapp.core import broadcasts, ledger
from webapp.core.broadcasts import delivered, languages
from webapp.core.consent import tokens
from webapp.core.consent.tokens import TokenPurpose, Tokens
from webapp.core.ports import Reply, Stage
from webapp.core.rules.consent import Purpose
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.message import Envelope, MailIdentity, MessageParts, compile_message
from webapp.core.tables.broadcasts import Broadcast, UncertainPolicy

TEXTS = {
    "": ("Hello {{ first_name }}", "<p>Since {{ client_since }}</p>"),
    "de": ("Hallo {{ full_name }}", "<p>Seit {{ client_since }} in {{ country }}: {{ first_name }}</p>"),
    "ar": ("مرحبا", "<p>{{ client_since }}</p>"),
}


@pytest.fixture
def where(app: Flask) -> Engine:
    return engine.engine_of(app)


def in_three_languages(session: Session, **columns) -> Broadcast:
    """To six clients; who speaks Dutch gets the main text, in English."""
    for number, language in enumerate(("de", "en", "nl", "ar-EG", "de-AT", None)):
        country = "AT" if language == "de-AT" else "GB"
        factories.client(
            session, f"c{number}@example.com", language=language, country=country, client_since=date(2024, 5, 18)
        )
    subject, html = TEXTS[""]
    broadcast = factories.broadcast(session, subject=subject, html=html, batch_size=0, interval_s=0, **columns)
    for tag in ("de", "ar"):
        languages.add(session, broadcast.id, tag, BEFORE)
        written = dict(zip(("subject", "html"), TEXTS[tag], strict=True))
        broadcasts.edit(session, broadcast.id, None, written, BEFORE, language=tag)
    languages.decide(session, broadcast.id, BEFORE, without=WithoutText.MAIN)
    broadcasts.schedule(session, broadcast.id, None, BEFORE)
    assert broadcasts.start(session, broadcast.id, BEFORE)
    while not ledger.freeze_chunk(session, broadcast.id, BEFORE):
        session.commit()
    session.commit()
    return broadcast


def said(mail: Received) -> tuple[str, str, str]:
    """Language, subject and text of a mail, as another program reads it."""
    message = mail.message
    body = message.get_body(("plain",))
    assert body is not None
    return message["Content-Language"], message["Subject"], body.get_content().strip()


def test_each_gets_their_text_with_dates_in_its_language(
    where: Engine, session: Session, tmp_path: Path, mail_server: MailServer
):
    broadcast = in_three_languages(session)
    assert engine.send(where, broadcast.id, tmp_path, mail_server.relay).state is BroadcastState.FINISHED
    found = {mail.rcpt_to[0]: said(mail) for mail in mail_server.mails}
    rows = engine.rows(session, broadcast)
    assert [row.language for row in rows] == ["de", None, None, "ar", "de", None]
    english = ("en", "Hello Ada", "Since 18 May 2024")
    assert [found[f"c{number}@example.com"] for number in (1, 2, 5)] == [english] * 3
    language, subject, text = found["c0@example.com"]
    assert language == "de" and subject.startswith("Hallo Ada Example")
    assert text == "Seit 18. Mai 2024 in Vereinigtes Königreich: Ada"
    assert found["c4@example.com"][2] == "Seit 18. Mai 2024 in Österreich: Ada"
    assert found["c3@example.com"][:2] == ("ar", "مرحبا")
    html = {mail.rcpt_to[0]: mail.message.get_body(("html",)) for mail in mail_server.mails}
    assert '<html lang="ar" dir="rtl">' in html["c3@example.com"].get_content()
    assert '<html lang="de" dir="ltr">' in html["c0@example.com"].get_content()
    for mail, row in zip(sorted(mail_server.mails, key=lambda one: one.rcpt_to), rows, strict=True):
        shown = delivered.mail(session, broadcast, row, engine.NOW, URL)
        assert shown is not None and shown.final and shown.data == mail.data


def test_a_repeat_of_an_uncertain_mail_is_byte_identical_in_its_language(
    where: Engine, session: Session, tmp_path: Path
):
    broadcast = in_three_languages(session, uncertain_policy=UncertainPolicy.HOLD)
    silent = PlainMailer(answer=lambda mail: Reply(Stage.DOT, None, "", "no answer"))
    engine.send(where, broadcast.id, tmp_path, lambda: silent)
    first = {mail.delivery_id: mail.data for mail in silent.sent}
    assert first and engine.states(session, broadcast).get("uncertain") == len(first)
    for row in engine.rows(session, broadcast):
        shown = delivered.mail(session, broadcast, row, engine.NOW, URL)
        assert shown is not None and (row.id not in first or shown.data == first[row.id])


def test_what_opens_in_the_browser_is_the_text_that_was_sent(where: Engine, session: Session, tmp_path: Path):
    broadcast = in_three_languages(session, purpose=Purpose.IMPORTANT)
    engine.send(where, broadcast.id, tmp_path, PlainMailer)
    key = tokens.key_of(session, broadcast.started_at)
    browser = Tokens(key.id, key.secret, TokenPurpose.BROWSER)
    opened = [
        delivered.by_token(session, browser.of(row.id), engine.NOW, URL) for row in engine.rows(session, broadcast)
    ]
    assert [one.header("Content-Language") for one in opened if one] == ["de", "en", "en", "ar", "de", "en"]


def test_a_mail_in_one_language_has_the_bytes_it_always_had(where: Engine, session: Session, tmp_path: Path):
    for language in ("de", "ar", None):
        factories.client(session, language=language)
    broadcast = engine.sending_broadcast(session, mails=0, html="<p>Since {{ client_since }}</p>")
    broadcast.purpose = None  # nothing stands around its mails then
    session.commit()
    mailer = PlainMailer()
    engine.send(where, broadcast.id, tmp_path, lambda: mailer)
    parts = MessageParts(broadcast.content.subject, broadcast.content.html, broadcast.content.text)
    plain = compile_message(parts, Envelope.of(broadcast.from_address))
    rows = engine.rows(session, broadcast)
    assert len(mailer.sent) == 3
    for mail, row in zip(mailer.sent, rows, strict=True):
        assert row.stamped_at is not None and row.merge_values is not None and row.language is None
        identity = MailIdentity(row.id, broadcast.secret, mail.rcpt_to, row.stamped_at)
        assert mail.data == plain.render(json.loads(row.merge_values), identity)
        assert b"Content-Language" not in mail.data and '<html dir="auto">' in html_of(mail.data)
    assert ["März" in one for one in map(html_of, (mail.data for mail in mailer.sent))] == [True, False, False]


def html_of(data: bytes) -> str:
    body = Received("", (), data).message.get_body(("html",))
    assert body is not None
    return str(body.get_content())
