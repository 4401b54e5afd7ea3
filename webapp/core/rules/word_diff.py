"""Two texts compared word by word."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum


class WordChange(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class DiffStretch:
    """Words in a row of which one thing is true. `text` is "…" in the place of many that are the same."""

    change: WordChange
    text: str


MOST_WORDS = 6_000
"""Of longer texts the words behind are left out: nobody reads so many changes, and comparing them takes long."""
AROUND = 12
"""Words that are shown on each side of a change."""

_WORD = re.compile(r"(?:\w+(?:['’.@-]\w+)*|[^\w\s])\s*")
"""A word or a sign: a comma that came behind a word does not make it another one."""


def compare(before: str, after: str) -> list[DiffStretch]:
    """What became of the words of `before` in `after`, in the order of reading, what was removed before what came in its place.

    >>> [(one.change.value, one.text) for one in compare("on Monday at 9", "on Tuesday at 9")]
    [('same', 'on '), ('removed', 'Monday '), ('added', 'Tuesday '), ('same', 'at 9 ')]
    """
    old, new = _words(before), _words(after)
    matcher = SequenceMatcher(None, [word.strip() for word in old], [word.strip() for word in new])
    found: list[DiffStretch] = []
    for kind, begin, end, new_begin, new_end in matcher.get_opcodes():
        if kind == "equal":
            found.append(DiffStretch(WordChange.SAME, "".join(new[new_begin:new_end])))
            continue
        if end > begin:
            found.append(DiffStretch(WordChange.REMOVED, "".join(old[begin:end])))
        if new_end > new_begin:
            found.append(DiffStretch(WordChange.ADDED, "".join(new[new_begin:new_end])))
    return found


def _words(text: str) -> list[str]:
    """Each word with the white space behind it."""
    return _WORD.findall(f"{text.strip()} ")[:MOST_WORDS]


def shortened(found: Sequence[DiffStretch]) -> list[DiffStretch]:
    """The same with long stretches of equal words cut to what stands beside a change."""
    last = len(found) - 1
    return [
        DiffStretch(WordChange.SAME, _cut(one.text, before=place > 0, behind=place < last))
        if one.change is WordChange.SAME
        else one
        for place, one in enumerate(found)
    ]


def _cut(text: str, *, before: bool, behind: bool) -> str:
    words = _WORD.findall(text)
    first, last = (AROUND if before else 0), (AROUND if behind else 0)
    if len(words) <= first + last + 4:
        return text
    return "".join([*words[:first], "… ", *words[len(words) - last :]])
