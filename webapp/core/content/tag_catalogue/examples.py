"""Values for a message that nobody gets yet."""

import json
from datetime import date
from decimal import Decimal

from webapp.core.content.tag_catalogue.formats import FALLBACK, Formats
from webapp.core.content.tag_catalogue.holdings import style_of
from webapp.core.rules.tags.expressions import read_output
from webapp.core.rules.tags.names import BY_NAME, FIELD_BY_NAME, LINK_WORDS
from webapp.core.rules.tags.nodes import ROW, read_rows_key

_FORMATS = Formats(FALLBACK)
_ROWS = 3
"""Services of a client who is made up."""


def example(key: str) -> str:
    """What the value with this key looks like, in English."""
    if key in LINK_WORDS:
        return LINK_WORDS[key]
    if found := read_rows_key(key):
        limit, fields = found
        row = [example(ROW + field) for field in fields]
        return json.dumps([row] * min(limit, _ROWS), ensure_ascii=False)
    output = read_output(key)
    tag = BY_NAME.get(output.name) or FIELD_BY_NAME[output.name]
    if not output.filters:
        return tag.example
    how = output.filters[0]
    match how.name:
        case "date":
            return _FORMATS.styled_date(date(2027, 3, 14), style_of(how))
        case "money":
            return _FORMATS.styled_money(Decimal("265.00"), "EUR", style_of(how, "symbol"))
    return _FORMATS.plural(int(tag.example), tuple(map(str, how.arguments)))
