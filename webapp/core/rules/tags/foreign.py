"""Tags of other systems, as texts bring them along that were written for these: `*|FNAME|*`, `%%first_name%%`, `((name))`, `[firstname]`.

Here they are no tags and would go out as they are. Where a form is common in ordinary texts, only names that a tag may have count.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from webapp.core.rules.tags.names import BY_NAME, synonym


@dataclass(frozen=True, slots=True)
class Foreign:
    """One of them, from `start` to before `end`. `name` is the name in it, `meant` the tag that has this name here, None if none has."""

    start: int
    end: int
    source: str
    name: str
    meant: str | None


_NAME = r"[^\W\d][\w .:-]{0,40}?"
_ALWAYS = re.compile(
    r"\*\|(?P<star>[\w:. ]{1,40})(?:\|[^|*]{0,60})?\|\*"
    rf"|%%(?P<percents>{_NAME})%%"
    r"|\(\((?P<brackets>[^\W\d]\w{0,40})\)\)"
    r"|(?:<<|&lt;&lt;)\s?(?P<angles>[^\W\d]\w{0,40})\s?(?:>>|&gt;&gt;)"
    r"|(?:<|&lt;)%=?\s?(?P<code>[\w.@:]{1,40})\s?%(?:>|&gt;)"
    r"|\{!(?P<formula>[\w.]{1,60})\}"
    r"|(?P<coded>(?:%7B){2}.{1,80}?(?:%7D){2}|(?:&#0{0,3}123;|&#x0{0,3}7b;|&lcub;|&lbrace;){2}.{1,80}?(?:\}|&#0{0,3}125;|&#x0{0,3}7d;|&rcub;|&rbrace;){2})",
    re.IGNORECASE,
)
_WHERE_KNOWN = re.compile(
    rf"\[\[?(?P<square>{_NAME})(?:[,|][^\]\[]{{0,60}})?\]\]?"
    rf"|%(?P<percent>{_NAME})%"
    rf"|##?(?P<hash>{_NAME})##?"
    rf"|@@(?P<at>{_NAME})@@"
    rf"|\$\((?P<dollar>{_NAME})\)",
    re.IGNORECASE,
)
_WITHOUT_A_TAG = re.compile(
    r"(?:un_?subscribe|unsub|opt_?out|abmelden|web_?version|view_in_browser|browser_link|view_online|preferences|list_address|"
    r"current_year|salutation|anrede)(?:_?(?:link|url))?",
    re.IGNORECASE,
)
"""Names that other systems know, and for which there is no tag here."""


def foreign(source: str, start: int = 0, end: int | None = None) -> Iterator[Foreign]:
    """Every tag of another system in a stretch of a source, in no order."""
    end = len(source) if end is None else end
    taken: set[int] = set()
    for match in _ALWAYS.finditer(source, start, end):
        taken.update(match.span())
        kind = match.lastgroup or ""
        name = _decoded(match[kind]) if kind == "coded" else match[kind].strip()
        yield Foreign(match.start(), match.end(), match[0], name, tag_called(name))
    for match in _WHERE_KNOWN.finditer(source, start, end):
        if {match.start(), match.start() - 1, match.end()} & taken:
            continue
        name = match[match.lastgroup or 0].strip()
        meant = tag_called(name)
        if meant or _WITHOUT_A_TAG.fullmatch(re.sub(r"[\s.:-]+", "_", name)):
            yield Foreign(match.start(), match.end(), match[0], name, meant)


def tag_called(name: str) -> str | None:
    """The tag that another system calls so."""
    plain = name.replace(":", ".").strip(" .").lower()
    return plain if plain in BY_NAME else synonym(plain)


def _decoded(coded: str) -> str:
    """What stands between coded braces."""
    return unescape(unquote(coded)).strip("{} \xa0").partition("|")[0].strip()
