"""The tags of a message over all its recipients, as the page shows them: filled, empty, or something stands in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from webapp.core.content.fields import sources
from webapp.core.content.tag_catalogue.gaps import Gap
from webapp.core.rules.tags.uses import uses
from webapp.core.tables.broadcasts import Content

_STANDS_IN = re.compile(r"\{\{-?\s*(\w+)[^{}]*?\bdefault\s*:\s*(?:\"([^\"{}]*)\"|'([^'{}]*)'|&quot;([^{}]*?)&quot;)")


@dataclass(frozen=True, slots=True)
class TagRow:
    """One tag: of the recipients, `empty` have no value, and `blank` of these find a blank in their mail. `stands_in` is the text that the
    others find, "" where it is not one and the same. Both numbers are estimates where `exact` is false. `beyond` have more services than
    the `limit` of a list."""

    name: str
    empty: int = 0
    blank: int = 0
    stands_in: str = ""
    exact: bool = True
    beyond: int = 0
    limit: int = 0


def rows(content: Content, gaps: Sequence[Gap]) -> list[TagRow]:
    """Every tag that the content uses, in the order of reading."""
    written = sources(content)
    names = dict.fromkeys(use.name for field, source in written.items() for use in uses(source, field=field))
    texts: dict[str, set[str]] = {}
    for source in written.values():
        for name, *variants in _STANDS_IN.findall(source):
            texts.setdefault(name, set()).add("".join(variants))
    by_name = {gap.name: gap for gap in gaps}
    found = []
    for name in names:
        gap, own = by_name.get(name), texts.get(name, set())
        stands_in = next(iter(own)) if len(own) == 1 else ""
        if gap is None:
            found.append(TagRow(name))
        else:
            found.append(TagRow(name, gap.empty, gap.blank, stands_in, gap.exact, gap.beyond, gap.limit))
    return found
