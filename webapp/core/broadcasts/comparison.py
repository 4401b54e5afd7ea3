"""What is different in a draft from the mass mail that it is a copy of."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.consent.topics import topics
from webapp.core.content.fields import LABELS
from webapp.core.content.languages import content_of, languages_of
from webapp.core.media import attachments
from webapp.core.rules import schedule
from webapp.core.rules.consent import Purpose
from webapp.core.rules.languages import WithoutText
from webapp.core.rules.likeness import words
from webapp.core.rules.word_diff import DiffStretch, compare, shortened
from webapp.core.tables.broadcasts import Broadcast

_WITHOUT = {
    WithoutText.STOP: "not decided",
    WithoutText.MAIN: "get the main one",
    WithoutText.SKIP: "get no mail",
}


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
    pairs = {label: (before.get(label, ""), after.get(label, "")) for label in before | after}
    fields = tuple(_field(label, *pair) for label, pair in pairs.items() if any(pair))
    return Comparison(original, fields, _only_looks(original, draft))


def _only_looks(original: Broadcast, draft: Broadcast) -> bool:
    """Whether the body of a text is written otherwise, and of none says something else."""
    both = set(languages_of(original)) & set(languages_of(draft))
    bodies = [(content_of(original, one).html, content_of(draft, one).html) for one in both]
    other = [(words(before), words(after)) for before, after in bodies if before != after]
    return bool(other) and all(before == after for before, after in other)


def _field(label: str, before: str, after: str) -> FieldChange:
    if before.split() == after.split():
        return FieldChange(label, ())
    return FieldChange(label, tuple(shortened(compare(before, after))))


def _in_words(session: Session, broadcast: Broadcast) -> dict[str, str]:
    """What can differ, each thing as a text, in the order in which a person writes it."""
    found: dict[str, str] = {}
    for language in languages_of(broadcast):
        name = audience.language_name(language) if language else ""
        found |= {f"{name}: {label}" if name else label: said for label, said in _of_text(session, broadcast, language)}
    return found | {
        LABELS["from_address"]: broadcast.from_address,
        LABELS["reply_to"]: broadcast.reply_to,
        "Languages": _languages(broadcast),
        "Audience": audience.in_words(session, audience.audience_of(broadcast).filter),
        "Purpose": _purpose(session, broadcast),
        "Pace": schedule.pace_in_words(broadcast.batch_size, broadcast.interval_s),
    }


def _of_text(session: Session, broadcast: Broadcast, language: str) -> Iterator[tuple[str, str]]:
    content = content_of(broadcast, language)
    yield LABELS["subject"], content.subject
    yield LABELS["preheader"], content.preheader
    yield LABELS["html"], words(content.html)
    yield LABELS["text"], "made from the body" if content.text is None else content.text
    yield "Attachments", "\n".join(one.name for one in attachments.listing(session, content.id))


def _languages(broadcast: Broadcast) -> str:
    """The languages of the texts, and what becomes of clients who have none in theirs; "" for a message in one."""
    if not broadcast.other_languages:
        return ""
    names = [audience.language_name(one or broadcast.main_language) for one in languages_of(broadcast)]
    return f"{', '.join(names)}; clients without a text in theirs: {_WITHOUT[broadcast.without_text]}"


def _purpose(session: Session, broadcast: Broadcast) -> str:
    match broadcast.purpose:
        case Purpose.MARKETING:
            known = {topic.id: topic.name for topic in topics(session, but_also=broadcast.topic_id)}
            return f"Marketing: {known.get(broadcast.topic_id or 0, 'no topic')}"
        case Purpose.IMPORTANT:
            return f"Important: {broadcast.important_reason}"
        case _:
            return ""
