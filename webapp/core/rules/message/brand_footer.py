"""The words below each mail of a brand: lines, with links as `[words](https://…)`. Nothing else means anything in them."""

import re
from collections.abc import Iterator
from html import escape

from webapp.core.errors import Invalid
from webapp.core.rules.message import links

LONGEST = 1_000
"""Characters."""

_LINK = re.compile(r"\[([^\[\]\n]+)\]\(([^()\s]+)\)")


def checked(typed: str) -> str:
    """The footer as it is kept. Raises Invalid for one that is too long, or has a link that leads nowhere."""
    text = "\n".join(" ".join(line.split()) for line in typed.strip().splitlines())
    if len(text) > LONGEST:
        raise Invalid(f"This is longer than {LONGEST:,} characters.", "footer")
    for match in _LINK.finditer(text):
        if (
            not match[2].lower().startswith(("https://", "http://", "mailto:", "tel:"))
            or links.link(match[2]).value is None
        ):
            raise Invalid(
                f"The link “{match[1]}” must lead to an address that begins with https:// or mailto:.", "footer"
            )
    return text


def lines(text: str) -> Iterator[str]:
    """The lines as HTML. A brace in them is no tag's."""
    text = text.replace("{", "(").replace("}", ")")
    for line in text.splitlines():
        out, position = "", 0
        for match in _LINK.finditer(line):
            href = escape(match[2])
            out += f'{escape(line[position : match.start()], quote=False)}<a href="{href}">{escape(match[1], quote=False)}</a>'
            position = match.end()
        yield out + escape(line[position:], quote=False)
