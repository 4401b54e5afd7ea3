"""Where counted links lead: kept when the sending begins, and found again by tokens that nobody can make."""

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests import engine, factories
from tests.core import counted
from tests.core.consent.consent_world import token_of
from webapp.core.broadcasts import delivered
from webapp.core.consent.tokens import TokenPurpose
from webapp.core.content import link_targets
from webapp.core.content.compiling import compiled
from webapp.core.ports import Mail
from webapp.core.rules.mail_uses import COUNTED_FOR
from webapp.core.rules.message import decoded
from webapp.core.tables.broadcasts import Broadcast
from webapp.core.tables.clients import Client
from webapp.core.tables.deliveries import Delivery
from webapp.core.tables.mail_uses import LinkTarget

P = TokenPurpose


@pytest.fixture
def mails(app: Flask, session: Session, tmp_path: Path) -> tuple[Broadcast, list[Mail]]:
    return counted.sent(session, engine.engine_of(app), tmp_path)


def kept(session: Session) -> dict[str, str]:
    rows = session.scalars(select(LinkTarget).order_by(LinkTarget.number))
    return {row.target: row.mark for row in rows}


def test_each_link_that_leaves_leads_each_recipient_to_their_own(session: Session, mails):
    _, sent = mails
    first, own = kept(session)
    assert (first, own) == ("https://example.com/a", "https://example.com/c/{{ client_id }}")
    for mail in sent:
        token = token_of(session, mail.delivery_id, P.CLICK)
        opened = token_of(session, mail.delivery_id, P.OPEN)
        shown = decoded(mail.data)
        bodies = (shown.text, shown.html or "")
        client_id = session.get_one(Delivery, mail.delivery_id).client_id
        for number, mark in enumerate(kept(session).values(), 1):
            assert all(f"{engine.URL}/go/{token}/{mark}" in body for body in bodies)
            found = link_targets.follow(session, token, mark, counted.left_at(session, mail.delivery_id))
            assert found is not None and found[:2] == (mail.delivery_id, number) and found.is_counted
        assert found.address == f"https://example.com/c/{session.get_one(Client, client_id).number}"
        assert [f"/seen/{opened}.gif" in body for body in bodies] == [False, True]
        assert not any("https://example.com/" in body for body in bodies), "neither part leads around the counting"


def test_what_the_console_shows_counts_nothing_and_what_it_keeps_is_what_left(session: Session, mails):
    broadcast, sent = mails
    row = session.get_one(Delivery, sent[0].delivery_id)
    shown = delivered.mail(session, broadcast, row, engine.NOW, engine.URL)
    assert shown is not None and shown.data == sent[0].data
    html = shown.shown.html or ""
    assert "https://example.com/a" in html and "/go/" not in html + shown.shown.text and "/seen/" not in html
    own = delivered.by_token(session, token_of(session, row.id, P.BROWSER), engine.NOW, engine.URL)
    assert own is not None and "/go/" in (own.shown.html or "")


def test_a_draft_counts_nothing(session: Session):
    counted.allow(session)
    draft = factories.broadcast(session, html=counted.HTML, counts_clicks=True, counts_opens=True)
    message = compiled(session, draft, engine.URL).message
    assert not message.tokens and message.targets == {}


def test_forged_and_foreign_tokens_lead_nowhere(session: Session, mails):
    _, sent = mails
    now, mark = engine.NOW, next(iter(kept(session).values()))
    token = token_of(session, sent[0].delivery_id, P.CLICK)
    for place in (0, 3, 19, 20, 43):
        other = "1" if token[place] != "1" else "2"
        assert link_targets.follow(session, token[:place] + other + token[place + 1 :], mark, now) is None
    for purpose in (P.OPEN, P.UNSUBSCRIBE, P.BROWSER, P.BOUNCE):
        assert link_targets.follow(session, token_of(session, sent[0].delivery_id, purpose), mark, now) is None
        assert (
            purpose is P.OPEN
            or link_targets.opened(session, token_of(session, sent[0].delivery_id, purpose), now) is None
        )
    assert link_targets.opened(session, token, now) is None
    with_others_proof = token[:20] + token_of(session, sent[1].delivery_id, P.CLICK)[20:]
    assert link_targets.follow(session, with_others_proof, mark, now) is None


def test_a_mark_of_another_broadcast_leads_nowhere(session: Session, mails, app: Flask, tmp_path: Path):
    _, sent = mails
    other, _ = counted.sent(
        session, engine.engine_of(app), tmp_path, 0, html='<a href="https://example.net/secret">x</a>'
    )
    marks = session.scalars(select(LinkTarget.mark).where(LinkTarget.broadcast_id == other.id)).all()
    token = token_of(session, sent[0].delivery_id, P.CLICK)
    assert len(marks) == 1 and link_targets.follow(session, token, marks[0], engine.NOW) is None


def test_several_senders_keep_the_same_once(session: Session, mails):
    broadcast, _ = mails
    before = kept(session)
    found = compiled(session, broadcast, engine.URL)
    link_targets.keep(session, broadcast.id, found.message.targets, found.tags)
    link_targets.keep(session, broadcast.id, {"0" * 12: "https://example.com/new"}, found.tags)
    assert kept(session) == before | {"https://example.com/new": "0" * 12}
    assert session.scalar(select(func.max(LinkTarget.number))) == 3


def test_it_is_counted_while_the_mail_is_young_and_the_business_allows_it(session: Session, mails):
    _, sent = mails
    at, mark = counted.left_at(session, sent[0].delivery_id), next(iter(kept(session).values()))
    token = token_of(session, sent[0].delivery_id, P.CLICK)

    def is_counted(when) -> bool:
        found = link_targets.follow(session, token, mark, when)
        assert found is not None and found.address == "https://example.com/a", "it leads there all the same"
        return found.is_counted

    assert is_counted(at + COUNTED_FOR - timedelta(seconds=1)) and not is_counted(at + COUNTED_FOR)
    counted.allow(session, False)
    assert not is_counted(at)


def test_a_link_of_ones_own_is_gone_with_the_values_of_the_mail(session: Session, mails):
    _, sent = mails
    row = session.get_one(Delivery, sent[0].delivery_id)
    row.merge_values = None
    session.flush()
    addresses = [
        link_targets.follow(session, token_of(session, row.id, P.CLICK), mark, engine.NOW).address  # type: ignore[union-attr]
        for mark in kept(session).values()
    ]
    assert addresses == ["https://example.com/a", None]
