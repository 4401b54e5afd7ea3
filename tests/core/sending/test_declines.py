"""Whoever declines gets no mail that has not begun: two senders, clicks at any moment. The long form is the fault family of this name."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import engine
from tests.core.consent.consent_world import marketing
from tests.faults import declines
from webapp.core.consent import suppressions
from webapp.core.ports import Mail
from webapp.core.rules.consent import SuppressionKind
from webapp.core.rules.lifecycle import DeliveryState
from webapp.core.sending import SenderSettings
from webapp.pages.unsubscribe import rate


def test_no_content_begins_after_its_recipient_declined_and_was_told_so(app: Flask, tmp_path: Path):
    rate._used.clear()
    found = declines.play(app, tmp_path, 30, seed=7, pause_s=0.06)
    assert list(found.wrongs()) == []
    assert len(found.answered) == 30 and "suppressed" in found.tallied


@pytest.mark.parametrize("when", ["taken", "in the queue"])
def test_a_mail_in_hand_whose_recipient_declines_goes_to_nobody(
    app: Flask, session: Session, tmp_path: Path, when: str
):
    broadcast = marketing(session, 4)
    rows = engine.rows(session, broadcast)
    victim = rows[0] if when == "taken" else rows[3]
    where = engine.engine_of(app)

    def decline(_mail: Mail) -> None:
        mailer.before_body = lambda _other: None
        key = victim.address_key
        engine.elsewhere(where, lambda s: suppressions.suppress(s, key, SuppressionKind.UNSUBSCRIBED, engine.NOW))

    mailer = engine.PlainMailer(before_body=decline)
    engine.send(where, broadcast.id, tmp_path, lambda: mailer, settings=SenderSettings(group=10))
    assert victim.id not in engine.ids(mailer.sent) and len(mailer.sent) == 3
    [gone] = engine.in_state(session, broadcast, DeliveryState.SUPPRESSED)
    assert (gone.id, gone.reason, gone.attempts) == (victim.id, "opted_out", 0)


def test_who_takes_it_back_in_time_gets_the_mail(app: Flask, session: Session, tmp_path: Path):
    broadcast = marketing(session, 3)
    victim = engine.rows(session, broadcast)[2].address_key
    where = engine.engine_of(app)

    def change_ones_mind(_mail: Mail) -> None:
        mailer.before_body = lambda _other: None
        kind = SuppressionKind.UNSUBSCRIBED
        engine.elsewhere(where, lambda s: suppressions.suppress(s, victim, kind, engine.NOW))
        engine.elsewhere(where, lambda s: suppressions.lift(s, victim, kind, engine.NOW, reason="undone"))

    mailer = engine.PlainMailer(before_body=change_ones_mind)
    engine.send(where, broadcast.id, tmp_path, lambda: mailer, settings=SenderSettings(group=10))
    assert len(mailer.sent) == 3


def test_clicks_at_once_are_all_heard_and_each_is_kept_once(app: Flask):
    rate._used.clear()
    assert declines.crowd(app, 20, 10) == []
