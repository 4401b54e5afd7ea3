"""Who hears of what: their own mass mails and by mail, too, until an administrator chooses otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapp.core.rules.notices import Scope
from webapp.core.tables.notices import NoticeChoice
from webapp.core.tables.users import User


@dataclass(frozen=True, slots=True)
class NoticePreference:
    by_mail: bool = True
    scope: Scope = Scope.OWN


def listing(session: Session) -> Sequence[tuple[User, NoticePreference]]:
    """Everybody who may sign in, by e-mail, with what they hear of."""
    query = select(User, NoticeChoice).outerjoin(NoticeChoice, NoticeChoice.user_id == User.id).where(User.is_active)
    rows = session.execute(query.order_by(User.email))
    return [(user, NoticePreference(row.by_mail, row.scope) if row else NoticePreference()) for user, row in rows]


def save(session: Session, choices: Mapping[int, NoticePreference]) -> None:
    """Set what these users hear of, by their ids; others keep theirs."""
    for user, before in listing(session):
        chosen = choices.get(user.id, before)
        if chosen != before:
            session.merge(NoticeChoice(user_id=user.id, by_mail=chosen.by_mail, scope=chosen.scope))
    session.flush()
