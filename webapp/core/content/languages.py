"""The texts of a broadcast in several languages: the main one, "", and the others by their BCP 47 tags."""

from collections.abc import Sequence

from webapp.core.content.fields import sources
from webapp.core.errors import NotFound
from webapp.core.rules.languages import translations
from webapp.core.rules.languages.translations import FieldSince
from webapp.core.tables.broadcasts import Broadcast, Content


def languages_of(broadcast: Broadcast) -> tuple[str, ...]:
    """All texts, the main one first."""
    return ("", *broadcast.other_languages.split())


def content_of(broadcast: Broadcast, language: str) -> Content:
    """The text in a language, "" for the main one. Raises NotFound."""
    if not language:
        return broadcast.content
    found = next((one for one in broadcast.contents if one.language == language), None)
    if found is None:
        raise NotFound("This mass mail has no text in this language (any more).")
    return found


def seen_now(broadcast: Broadcast) -> dict[str, list[str]]:
    """What a translation keeps that is made from the main text as it is now."""
    return translations.seen(sources(broadcast.content))


def unmarked(content: Content) -> Sequence[FieldSince]:
    """A text field by field, with nothing marked."""
    return translations.since(sources(content), None)


def since_translated(broadcast: Broadcast, language: str) -> Sequence[FieldSince]:
    """The main text field by field, with what is new in it since the text in this language was made from it."""
    return translations.since(sources(broadcast.content), content_of(broadcast, language).translated_from)
