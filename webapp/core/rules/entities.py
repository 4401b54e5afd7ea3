"""Character references of HTML in plain text ("O&#039;Neil", "Smith &amp; Sons"), as panels export them that store what they show."""

import re
from html import unescape

_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_DEEPEST = 3
"""A text that went through a panel twice is escaped twice ("&amp;#039;")."""


def decoded(text: str) -> str:
    """The text with its references as the characters they stand for, also where they were escaped again.

    Only references that end with a semicolon are taken for some: "fish&copy" and "a=1&region=2" stay (unlike HTML 5.1, section 8.1.4,
    which knows some without it), and so does a name that HTML does not have.
    """
    for _ in range(_DEEPEST):
        if "&" not in text:
            break
        plain = _REFERENCE.sub(lambda found: unescape(found[0]), text)
        if plain == text:
            break
        text = plain
    return text
