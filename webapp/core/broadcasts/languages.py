"""A draft's texts in other languages: added, copied, removed, and what becomes of clients who have none in theirs."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from webapp.core import audience
from webapp.core.audience import Term, TextCount
from webapp.core.broadcasts.drafts import ON_CONTENT, edit, get
from webapp.core.content.completeness import Missing
from webapp.core.content.languages import content_of, seen_now
from webapp.core.errors import Invalid
from webapp.core.rules.languages import MAIN, WithoutText
from webapp.core.rules.normalise.languages import language as normalised
from webapp.core.tables.broadcasts import Broadcast, Content

DEFAULT_MAIN = "en"
"""The language of a main text of which nobody has said it: that of the console."""

MOST = 40
"""Texts in other languages that a broadcast may have."""


def add(session: Session, broadcast_id: int, typed: str, now: datetime, *, source: str | None = MAIN) -> str:
    """Add a text in a language, named by its tag or by its name, and return its tag. It begins as a copy of the text in `source` (None:
    empty). Raises NotFound; Conflict when it is no draft; Invalid for what is no language, or has a text already."""
    tag = _tag(typed)
    broadcast = edit(session, broadcast_id, None, {}, now)
    main, others = broadcast.main_language or DEFAULT_MAIN, broadcast.other_languages.split()
    if tag == main:
        raise Invalid(f"The main text is in {audience.language_name(tag)} already.", "language")
    if tag in others:
        raise Invalid(f"There is a text in {audience.language_name(tag)} already.", "language")
    if len(others) >= MOST:
        raise Invalid(f"A mass mail has at most {MOST} texts in other languages.", "language")
    text = Content(broadcast_id=broadcast_id, language=tag)
    if source is not None:
        _copy(broadcast, content_of(broadcast, source), text)
    session.add(text)
    broadcast.main_language, broadcast.other_languages = main, " ".join(sorted([*others, tag]))
    _settle(session, broadcast)
    return tag


def copy(session: Session, broadcast_id: int, language: str, source: str, now: datetime) -> Broadcast:
    """Replace the text in a language by a copy of the one in `source`. Raises NotFound, Conflict, and Invalid for the same one."""
    if language == source:
        raise Invalid("Choose another text to copy.", "source")
    broadcast = edit(session, broadcast_id, None, {}, now)
    _copy(broadcast, content_of(broadcast, source), content_of(broadcast, language))
    session.flush()
    return broadcast


def remove(session: Session, broadcast_id: int, language: str, now: datetime) -> Broadcast:
    """Remove the text in a language, for good. Raises NotFound, Conflict; Invalid for the main text."""
    if not language:
        raise Invalid("The main text stays: every mass mail has one.", "language")
    broadcast = edit(session, broadcast_id, None, {}, now)
    content_of(broadcast, language)
    session.execute(delete(Content).where(Content.broadcast_id == broadcast_id, Content.language == language))
    broadcast.other_languages = " ".join(one for one in broadcast.other_languages.split() if one != language)
    _settle(session, broadcast)
    return broadcast


def decide(
    session: Session,
    broadcast_id: int,
    now: datetime,
    *,
    without: WithoutText | None = None,
    main: str | None = None,
) -> Broadcast:
    """Say what becomes of clients who have no text in their language, and in which one the main text is ("" for not known). Raises
    NotFound, Conflict; Invalid for what is no language, or has a text of its own."""
    changes: dict[str, object] = {} if without is None else {"without_text": without}
    if main is not None:
        tag = _tag(main) if main.strip() else ""
        others = get(session, broadcast_id).other_languages.split()
        if tag in others:
            raise Invalid(
                f"There is a text in {audience.language_name(tag)} of its own. Remove that first.", "main_language"
            )
        if not tag and others:
            raise Invalid("Say in which language the main text is: there are others beside it.", "main_language")
        changes["main_language"] = tag
    return edit(session, broadcast_id, None, changes, now)


def is_up_to_date(session: Session, broadcast_id: int, language: str, now: datetime) -> Broadcast:
    """Somebody says that the text in a language says what the main one says now. Raises NotFound, Conflict."""
    broadcast = edit(session, broadcast_id, None, {}, now)
    if language:
        content_of(broadcast, language).translated_from = seen_now(broadcast)
        session.flush()
    return broadcast


def count(session: Session, broadcast: Broadcast) -> TextCount:
    """How many recipients get each of the texts."""
    of = audience.audience_of(broadcast)
    terms = audience.select_terms(session, of).terms
    return audience.count_texts(session, of.texts, terms[Term.WILL_RECEIVE] | terms[Term.WITHOUT_TEXT])


def undecided_gap(session: Session, broadcast: Broadcast) -> Missing | None:
    """That there are clients without a text in their language, and nobody has said what becomes of them."""
    if not broadcast.other_languages or broadcast.without_text is not WithoutText.STOP:
        return None
    found = count(session, broadcast)
    if not found.without:
        return None
    main = audience.language_name(broadcast.main_language) if broadcast.main_language else "the main text"
    return Missing("without_text", f"{gap_in_words(found)}: fall back to {main}, or skip them?")


def gap_in_words(found: TextCount) -> str:
    """ "312 clients have no text in their language (of 12 it is not known)"."""
    who = "1 client has" if found.without == 1 else f"{found.without:,} clients have"
    unknown = f" (of {found.unknown:,} it is not known)" if found.unknown else ""
    if found.unknown == found.without:
        unknown = ", which is not known"
    return f"{who} no text in their language{unknown}"


def _tag(typed: str) -> str:
    tag = normalised(typed).value
    if not tag or len(tag) > 20:
        raise Invalid("This is not a language. Write its name or its tag, for example German or pt-BR.", "language")
    return tag


def _copy(broadcast: Broadcast, source: Content, target: Content) -> None:
    for name in ON_CONTENT:
        setattr(target, name, getattr(source, name))
    target.text_for = source.text_for
    if target.language:
        target.translated_from = source.translated_from if source.language else seen_now(broadcast)


def _settle(session: Session, broadcast: Broadcast) -> None:
    session.flush()
    session.expire(broadcast, ["contents"])
