"""A list or a table of which there would be one for each service: it becomes one with an item, or a row, for each.

In the design view a loop begins and ends in lines of its own, before and behind a list or a table, since nothing can stand between items or
rows there. What is meant is one list with an item for each service, and one table whose heads stand once.
"""

import re
from collections.abc import Sequence

from webapp.core.rules.tags.nodes import Block, Slot
from webapp.core.rules.tags.placeholders import Placeholders

_NO_OTHER = r"(?:(?!</?(?:ul|ol|table)[ >]).)*?"
_ITEM = r"\s*<li(?: [^<>]*)?>(?:(?!</?li[ >]).)*</li>\s*"
_LIST = rf"(?P<list><(?P<kind>ul|ol)(?: [^<>]*)?>)(?P<item>{_ITEM})(?P<list_end></(?P=kind)>)"
_HEAD_ROW = r"\s*<tr(?: [^<>]*)?>(?:\s*<th(?: [^<>]*)?>(?:(?!</?(?:td|tr)[ >]).)*</th>)+\s*</tr>\s*"
_HEADS = rf"(?:\s*<thead>{_NO_OTHER}</thead>\s*<tbody>|\s*<tbody>{_HEAD_ROW})"
_WIDTHS = rf"(?:\s*<colgroup>{_NO_OTHER}</colgroup>)?"
_TABLE = rf"(?P<table><table(?: [^<>]*)?>{_WIDTHS}{_HEADS})(?P<rows>{_NO_OTHER})(?P<table_end></tbody>\s*</table>)"


def one_around(body: str, words: Placeholders, tags: Sequence[Slot | Block]) -> str:
    """The body with each loop moved into the list or table that is all it holds: a list of one item, a table with rows of heads. `words`
    stand, in comments, for the blocks among `tags`."""
    if not any(isinstance(tag, Block) and tag.keyword == "for" for tag in tags):
        return body
    stem = words.uncaptured()
    whole = re.compile(rf"<!--(?P<start>{stem})-->\s*(?:{_LIST}|{_TABLE})\s*<!--(?P<end>{stem})-->", re.DOTALL)

    def moved(match: re.Match[str]) -> str:
        if (_keyword(match["start"], words, tags), _keyword(match["end"], words, tags)) != ("for", "endfor"):
            return match[0]
        around = (match["list"], match["item"], match["list_end"])
        before, inside, behind = around if match["list"] else (match["table"], match["rows"], match["table_end"])
        return f"{before}<!--{match['start']}-->{inside}<!--{match['end']}-->{behind}"

    return whole.sub(moved, body)


def _keyword(word: str, words: Placeholders, tags: Sequence[Slot | Block]) -> str:
    match = words.pattern.fullmatch(word)
    tag = tags[int(match["number"])] if match else None
    return tag.keyword if isinstance(tag, Block) else ""
