"""Mails bear the headers by which the relays that report name them."""

from sqlalchemy.orm import Session

from tests import factories
from webapp.core.consent import event_sources
from webapp.core.content import compiling
from webapp.core.rules.relay_events.providers import Provider


def test_a_mail_bears_the_header_of_a_relay_that_is_set_up(sqlite_session: Session):
    broadcast = factories.broadcast(sqlite_session)

    def mail() -> bytes:
        found = compiling.compiled(sqlite_session, broadcast, "https://mail.example.com")
        return found.mail(7, "ada@example.com", factories.NOW, [""] * len(found.tags)).data

    assert b"X-PM-Metadata" not in mail()
    event_sources.add(sqlite_session, Provider.POSTMARK, "", factories.NOW)
    assert b"\r\nX-PM-Metadata-mail-id: 7." in mail()
