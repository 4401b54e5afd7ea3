"""What the business decided about consent."""

from sqlalchemy.orm import Session

from webapp.core.tables.consent import ConsentSettings

THE_ROW = 1


def read(session: Session) -> ConsentSettings:
    """What is in force. The row is there since its table is."""
    return session.get_one(ConsentSettings, THE_ROW, populate_existing=True)
