"""The texts of a message in several languages: their tabs with live numbers, what becomes of clients who have none in theirs, and the
original beside a translation."""

from dataclasses import dataclass
from typing import Any

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.audience import TextCount
from webapp.core.broadcasts import languages
from webapp.core.content import problems
from webapp.core.content.completeness import missing
from webapp.core.content.fields import LABELS
from webapp.core.content.languages import content_of, languages_of, since_translated, unmarked
from webapp.core.errors import Invalid, NotFound
from webapp.core.rules.languages import MAIN, Texts, WithoutText, direction
from webapp.core.rules.languages.translations import FieldSince
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.broadcasts import draft
from webapp.pages.content.blueprint import bp, language
from webapp.pages.fragments import fragment

MOST_OFFERED = 12
"""Languages of the audience that are offered by name; any other can be written."""


@dataclass(frozen=True, slots=True)
class TextTab:
    """One text: the language as its address and in words, how many recipients get it, how much of the main text has changed since it was
    translated, and whether something keeps it from being sent."""

    language: str
    name: str
    count: int
    url: str
    current: bool
    changed: int = 0
    is_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """A language that recipients speak who have no text in it yet."""

    tag: str
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What `content/_languages.html` shows. `gap` says how many have no text in their language, "" where everybody has one; `decided` is
    what becomes of them."""

    tabs: tuple[TextTab, ...]
    offers: tuple[Offer, ...]
    main: str
    main_name: str
    gap: str
    decided: WithoutText

    @property
    def current(self) -> TextTab:
        return next(tab for tab in self.tabs if tab.current)

    @property
    def others(self) -> tuple[TextTab, ...]:
        return tuple(tab for tab in self.tabs if not tab.current)


@dataclass(frozen=True, slots=True)
class OriginalField:
    """A field of the text beside the one that is written."""

    label: str
    since: FieldSince


@dataclass(frozen=True, slots=True)
class Original:
    """What `content/_original.html` shows: another text beside the one that is written. `changed` counts what has changed in it since the
    translation was made, where it is the main one."""

    tab: TextTab
    fields: tuple[OriginalField, ...]
    direction: str
    changed: int


@bp.get("/languages")
def languages_(broadcast_id: int) -> str:
    """The tabs with their numbers."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    return fragment("content/_languages.html", broadcast=broadcast, shown=shown(broadcast))


@bp.get("/original")
def original(broadcast_id: int) -> str:
    """Another text, beside the one that is written."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    found = shown(broadcast)
    return fragment("content/_original.html", broadcast=broadcast, shown=found, original=_original(broadcast, found))


@bp.post("/languages/add")
def add_language(broadcast_id: int) -> ResponseReturnValue:
    """A text in one more language: a copy of another, or empty."""
    typed = request.form.get("other", "").strip() or request.form.get("tag", "")
    source = request.form.get("source", MAIN)
    tag = languages.add(db.session, broadcast_id, typed, now(), source=None if source == "empty" else source)
    db.session.commit()
    return _to(broadcast_id, tag)


@bp.post("/languages/remove")
def remove_language(broadcast_id: int) -> ResponseReturnValue:
    languages.remove(db.session, broadcast_id, language(), now())
    db.session.commit()
    flash(f"The text in {audience.language_name(language())} is removed.", "ok")
    return _to(broadcast_id, MAIN)


@bp.post("/languages/copy")
def copy_language(broadcast_id: int) -> ResponseReturnValue:
    """This text begins anew, as a copy of another."""
    languages.copy(db.session, broadcast_id, language(), request.form.get("source", MAIN), now())
    db.session.commit()
    return _to(broadcast_id, language())


@bp.post("/languages/decide")
def decide_languages(broadcast_id: int) -> ResponseReturnValue:
    """What becomes of clients without a text in their language, or in which one the main text is."""
    decided, main = request.form.get("without"), request.form.get("main_language")
    if decided is not None and decided not in set(WithoutText):
        raise Invalid("Say what becomes of those who have no text in their language.", "without")
    without = None if decided is None else WithoutText(decided)
    languages.decide(db.session, broadcast_id, now(), without=without, main=main)
    db.session.commit()
    return _to(broadcast_id, language())


@bp.post("/languages/translated")
def translated(broadcast_id: int) -> ResponseReturnValue:
    """This text says what the main one says now."""
    languages.is_up_to_date(db.session, broadcast_id, language(), now())
    db.session.commit()
    return _to(broadcast_id, language())


def tabs(broadcast: Broadcast) -> dict[str, Any]:
    """What the page shows of languages: of each text, and of the one that is written."""
    found = shown(broadcast)
    written_in = language() or broadcast.main_language
    return {
        "shown": found,
        "original": _original(broadcast, found) if found.others and (language() or "beside" in request.args) else None,
        "written_in": written_in,
        "text_direction": direction(written_in),
    }


def shown(broadcast: Broadcast) -> Shown:
    """The tabs with the numbers as they are now."""
    content_of(broadcast, language())  # it may have been removed meanwhile
    counted = languages.count(db.session, broadcast)
    main = broadcast.main_language
    main_name = audience.language_name(main) if main else "the main text"
    gap = languages.gap_in_words(counted) if counted.without else ""
    found = tuple(_tab(broadcast, one, counted) for one in languages_of(broadcast))
    return Shown(found, _offers(broadcast, counted), main, main_name, gap, broadcast.without_text)


def _tab(broadcast: Broadcast, one: str, counted: TextCount) -> TextTab:
    tag = one or broadcast.main_language
    name = audience.language_name(tag) if tag else "Main text"
    url = url_for("content.index", broadcast_id=broadcast.id, language=one or None)
    changed = sum(map(_changes, since_translated(broadcast, one))) if one else 0
    return TextTab(one, name, counted.numbers[one], url, one == language(), changed, _is_unfinished(broadcast, one))


def _is_unfinished(broadcast: Broadcast, one: str) -> bool:
    """Whether it lacks something beside others that do not; alone, the page says so elsewhere."""
    if not broadcast.other_languages:
        return False
    lacks = any(lacking.language == one and lacking.field != "from_address" for lacking in missing(broadcast))
    return lacks or any(problem.blocking for problem in problems.of_tags(broadcast, one))


def _changes(field: FieldSince) -> int:
    """How many places of a field have changed: a paragraph that was written anew is one, and not one gone and one new."""
    return max(field.gone, sum(one.is_new for one in field.paragraphs))


def _offers(broadcast: Broadcast, counted: TextCount) -> tuple[Offer, ...]:
    main = broadcast.main_language or languages.DEFAULT_MAIN
    texts = Texts(main, tuple(broadcast.other_languages.split()))
    offered = [(tag, number) for tag, number in counted.languages if tag not in (main, *texts.others)]
    # Those without a text come before those who read a near relative's.
    offered.sort(key=lambda one: texts.own_of(one[0]) is not None)
    return tuple(Offer(tag, audience.language_name(tag), number) for tag, number in offered[:MOST_OFFERED])


def _original(broadcast: Broadcast, found: Shown) -> Original:
    """The text beside this one: the one asked for, else the main one; beside that the first other. Raises NotFound where there is none."""
    if not found.others:
        raise NotFound("This mass mail has no text in another language.")
    wanted = request.args.get("beside", MAIN if language() else found.others[0].language)
    tab = next((one for one in found.others if one.language == wanted), found.others[0])
    is_original = bool(language()) and not tab.language
    fields = since_translated(broadcast, language()) if is_original else unmarked(content_of(broadcast, tab.language))
    written = tuple(OriginalField(LABELS[one.name], one) for one in fields if one.paragraphs or one.gone)
    written_in = tab.language or broadcast.main_language
    return Original(tab, written, direction(written_in), found.current.changed if is_original else 0)


def _to(broadcast_id: int, text: str) -> ResponseReturnValue:
    return draft.redirect(url_for("content.index", broadcast_id=broadcast_id, language=text or None))
