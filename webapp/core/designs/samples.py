"""Three mass mails to look at in an empty house: drafts from templates that come along, with their parts filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core import broadcasts
from webapp.core.broadcasts import purposes
from webapp.core.consent.topics import topics
from webapp.core.designs import library, using
from webapp.core.designs.library import DesignText
from webapp.core.rules import fills
from webapp.core.rules.consent import Purpose
from webapp.core.tables.branding import Design, DesignVersion
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class SampleMail:
    """A draft to be made. `comes_as` is its template; `reason` says why it is important, "" makes it marketing of the first topic. `parts`
    are what is filled in, in the order of the template's parts."""

    comes_as: str
    name: str
    reason: str
    parts: tuple[str, ...]


SAMPLES = (
    SampleMail(
        "newsletter",
        "Sample: newsletter",
        "",
        (
            "Back-ups every hour, in every plan",
            "Until now we kept a copy a day. From this week on you can go back to any hour of the last seven days.",
            "Test an update on a copy of your website first: it takes two clicks in the control panel.",
            "Free certificates for every address that points to us.",
            "12 January: the new control panel for everybody",
            "3 February: a talk about spam, and how to send mails that arrive",
        ),
    ),
    SampleMail(
        "price-change",
        "Sample: price change",
        "The price of their contract changes",
        (
            "1 March",
            "9.90 EUR a month without tax, 11.78 EUR with it",
            "Electricity costs us a third more than two years ago, and your server has had twice the memory since.",
        ),
    ),
    SampleMail(
        "maintenance",
        "Sample: planned maintenance",
        "Their service will be away for a short while",
        (
            "replace the disks of your server with faster ones",
            "Thursday, 22:00 to 23:30, Berlin time",
            "Two interruptions of some five minutes each.",
            "Mail is kept and delivered afterwards, and back-ups run as usual.",
        ),
    ),
)


def make(session: Session, by: int, now: datetime, general: Mapping[str, str]) -> Sequence[Broadcast]:
    """Make the samples, where no mass mail is there yet; else nothing. `by` is the user's id, `general` what each gets beside (its time
    zone). A sample whose template is gone is left out."""
    if session.scalar(select(func.count()).select_from(Broadcast)):
        return []
    made = (_make(session, sample, by, now, general) for sample in SAMPLES)
    return [broadcast for broadcast in made if broadcast is not None]


def _make(session: Session, sample: SampleMail, by: int, now: datetime, general: Mapping[str, str]) -> Broadcast | None:
    version = session.scalar(
        select(DesignVersion)
        .join(Design, Design.id == DesignVersion.design_id)
        .where(Design.comes_as == sample.comes_as, Design.archived_at.is_(None))
        .order_by(DesignVersion.number)
        .limit(1)
    )
    if version is None:
        return None
    broadcast = broadcasts.create(session, DesignText.of(version).message_type, by, now)
    topic = None if sample.reason else next(iter(topics(session)), None)
    # Without any topic nothing can be marketing: then nobody has said yet what it is for, and the page asks.
    if sample.reason or topic:
        purpose = Purpose.IMPORTANT if sample.reason else Purpose.MARKETING
        chosen = purposes.checked(session, purpose, topic.id if topic else None, sample.reason)
        broadcast = purposes.choose(session, broadcast, chosen, now)
    broadcast = broadcasts.edit(session, broadcast.id, None, {"name": sample.name, **general}, now)
    broadcast = using.start(session, broadcast.id, library.version(session, version.id).id, now)
    prompts = fills.prompts(broadcast.content.html)
    values = dict(zip(prompts, sample.parts, strict=False))
    return using.fill(session, broadcast.id, values, broadcast.version, now)
