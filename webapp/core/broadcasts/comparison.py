"""What is different in a draft from the mass mail that it is a copy of."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.consent.topics import topics
from webapp.core.content.fields import LABELS
from webapp.core.rules import schedule
from webapp.core.rules.consent import Purpose
from webapp.core.rules.likeness import words
from webapp.core.rules.word_diff import DiffStretch, compare, shortened
from webapp.core.tables.broadcasts import Broadcast


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One thing that may differ, with its words before and after; `stretches` is empty where it is the same."""

    label: str
    stretches: tuple[DiffStretch, ...]

    @property
    def is_same(self) -> bool:
        return not self.stretches


@dataclass(frozen=True, slots=True)
class Comparison:
    """A draft beside its original. `only_looks`: the body says the same, and is written otherwise."""

    original: Broadcast
    fields: tuple[FieldChange, ...]
    only_looks: bool

    @property
    def changed(self) -> tuple[FieldChange, ...]:
        return tuple(one for one in self.fields if not one.is_same)

    @property
    def same(self) -> tuple[str, ...]:
        return tuple(one.label for one in self.fields if one.is_same)


def original_of(session: Session, draft: Broadcast) -> Broadcast | None:
    """The mass mail that a draft is a copy of; None where it is none, or that is gone."""
    return None if draft.copied_from is None else session.get(Broadcast, draft.copied_from)


def comparison(session: Session, draft: Broadcast) -> Comparison | None:
    """The draft beside its original as that is now; None where it has none."""
    original = original_of(session, draft)
    if original is None:
        return None
    before, after = _in_words(session, original), _in_words(session, draft)
    fields = tuple(_field(label, before[label], after[label]) for label in after)
    body = LABELS["html"]
    only_looks = before[body] == after[body] and original.content.html != draft.content.html
    return Comparison(original, fields, only_looks)


def _field(label: str, before: str, after: str) -> FieldChange:
    if before.split() == after.split():
        return FieldChange(label, ())
    return FieldChange(label, tuple(shortened(compare(before, after))))


def _in_words(session: Session, broadcast: Broadcast) -> dict[str, str]:
    """What can differ, each thing as a text, in the order in which a person writes it."""
    content = broadcast.content
    return {
        LABELS["subject"]: content.subject,
        LABELS["preheader"]: content.preheader,
        LABELS["html"]: words(content.html),
        LABELS["text"]: "made from the body" if content.text is None else content.text,
        LABELS["from_address"]: broadcast.from_address,
        LABELS["reply_to"]: broadcast.reply_to,
        "Audience": audience.in_words(session, audience.audience_of(broadcast).filter),
        "Purpose": _purpose(session, broadcast),
        "Pace": schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
    }


def _purpose(session: Session, broadcast: Broadcast) -> str:
    match broadcast.purpose:
        case Purpose.MARKETING:
            known = {topic.id: topic.name for topic in topics(session, but_also=broadcast.topic_id)}
            return f"Marketing: {known.get(broadcast.topic_id or 0, 'no topic')}"
        case Purpose.IMPORTANT:
            return f"Important: {broadcast.important_reason}"
        case _:
            return ""
