"""Which text of a broadcast a client gets, by the client's language. Tags are those of `rules/normalise/languages.py` (BCP 47, RFC 5646).

A client gets the text in exactly their language; else that of its nearest parent, as CLDR has parents (pt-BR, then pt; es-MX, then es-419,
then es); else, of what is written in the same language and script, the nearest relative, since who reads de-AT reads de-CH. Another script
is another text: a reader of zh-TW has none of zh. What becomes of those who have none, the broadcast says.

The rule is made into a short table for a broadcast, so that memory and database look clients up in the same one.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from babel import localedata
from babel.core import get_global

from webapp.core.rules.normalise.languages import language as normalised

MAIN = ""
"""Stands for the main text of a broadcast, whichever language it is written in."""

_ANY_REGION = "ZZ"
"""A region that no language has rules for."""


class WithoutText(StrEnum):
    """What becomes of clients who have no text in their language: they get the main text, or none; or nobody has decided it, and the
    broadcast cannot be created as long as there are such clients."""

    MAIN = "main"
    SKIP = "skip"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of a broadcast: the language of the main one ("" where nobody has said it), those of the others, and what becomes of who
    has none."""

    main: str
    others: tuple[str, ...]
    without: WithoutText = WithoutText.STOP

    def own_of(self, language: str | None) -> str | None:
        """The text in the language of a client: its tag, MAIN for the main one, None where there is none."""
        return cases_of(self.main, self.others).of(language or "")

    def of(self, language: str | None) -> str | None:
        """The text that a client gets; None for one who gets no mail."""
        own = self.own_of(language)
        return MAIN if own is None and self.without is WithoutText.MAIN else own

    def language_of(self, text: str) -> str:
        """The language in which a text is written."""
        return text or self.main


class Cases(NamedTuple):
    """The rule as a table: `exact` are clients' tags with their text, `families` languages with the text of all other clients of that
    language."""

    exact: dict[str, str | None]
    families: dict[str, str | None]

    def of(self, language: str) -> str | None:
        if language in self.exact:
            return self.exact[language]
        return self.families.get(language.partition("-")[0])


@lru_cache(maxsize=256)
def cases_of(main: str, others: tuple[str, ...]) -> Cases:
    """The table for these texts."""
    texts = {tag: tag for tag in others} | ({main: MAIN} if main else {})
    exact: dict[str, str | None] = {}
    families: dict[str, str | None] = {}
    for code in sorted({tag.partition("-")[0] for tag in texts}):
        families[code] = _text(f"{code}-{_ANY_REGION}", main, texts)
        for tag in sorted(_tags_of(code) | {tag for tag in texts if tag.partition("-")[0] == code}):
            text = _text(tag, main, texts)
            if text != families[code]:
                exact[tag] = text
    return Cases(exact, families)


def _text(language: str, main: str, texts: dict[str, str]) -> str | None:
    best = nearest(language, tuple(texts), main)
    return None if best is None else texts[best]


def nearest(language: str, tags: tuple[str, ...], main: str) -> str | None:
    """Of `tags`, the one in which somebody reads who reads `language`; None where there is none. Where two are as near, that of the
    language's home region is taken, then `main`, then the first.

    >>> nearest("pt-BR", ("pt", "en"), "en"), nearest("de-AT", ("de-CH", "en"), "en"), nearest("zh-TW", ("zh", "en"), "en")
    ('pt', 'de-CH', None)
    """
    family = [tag for tag in tags if _family(tag) == _family(language)]
    line = _line(language)

    def order(tag: str) -> tuple[bool, int, int, bool, bool, str]:
        theirs = _line(tag)
        shared = next((place for place, parent in enumerate(line) if parent in theirs), len(line))
        away = theirs.index(line[shared]) if shared < len(line) else len(theirs)
        return tag not in line, shared, away, not _is_at_home(tag), tag != main, tag

    return min(family, key=order, default=None)


@lru_cache(maxsize=4096)
def _family(tag: str) -> tuple[str, str]:
    """Language and script."""
    code, script, region = _parts(tag)
    return code, script or _likely(f"{code}_{region}")[1] or _likely(code)[1]


@lru_cache(maxsize=4096)
def _line(tag: str) -> tuple[str, ...]:
    """The tag and its parents, the nearest first."""
    code, _, region = _parts(tag)
    script = _family(tag)[1]
    full = "_".join(part for part in (code, script if script != _likely(code)[1] else "", region) if part)
    exceptions, found = get_global("parent_exceptions"), [tag]
    while full := exceptions.get(full, full.rpartition("_")[0]):
        if full == "root":
            break
        found.append(normalised(full).value or full.replace("_", "-"))
    return tuple(dict.fromkeys(found))


def _parts(tag: str) -> tuple[str, str, str]:
    """Language, script and region, "" where it names none."""
    code, *rest = tag.split("-")
    script = next((part for part in rest if len(part) == 4), "")
    return code, script, next((part for part in rest if len(part) in (2, 3)), "")


def _likely(name: str) -> tuple[str, str, str]:
    code, script, region = (*get_global("likely_subtags").get(name, "").split("_"), "", "", "")[:3]
    return code, script, region


def _is_at_home(tag: str) -> bool:
    code, _, region = _parts(tag)
    return region in ("", _likely(code)[2])


@lru_cache(maxsize=256)
def _tags_of(code: str) -> frozenset[str]:
    """Every tag of a language that a client can have: CLDR's locales, and regions in which it is written otherwise."""
    begins = f"{code}_"
    names = [code, *(name for name in localedata.locale_identifiers() if name.startswith(begins))]
    found = {tag for name in names if (tag := normalised(name).value)}
    return frozenset(
        found | {name.replace("_", "-") for name in get_global("likely_subtags") if name.startswith(begins)}
    )
