"""Parts to fill: what a template leaves open, as `<mark class="fill">what belongs here</mark>`. All else of it is fixed.

A mail shows them marked, as the editor does, until something is written in their place; none leaves with one.
"""

import re
from collections.abc import Mapping
from html import escape, unescape

_FILL = re.compile(r'<mark class="fill">(.*?)</mark>', re.DOTALL)
_TAG = re.compile(r"<[^<>]*>")
_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^()\s]+|mailto:[^()\s]+)\)")
_STRONG = re.compile(r"\*\*([^*\n]+)\*\*")


def prompts(html: str) -> list[str]:
    """What belongs into the parts that are still open, in words, in their order, each once.

    >>> prompts('<p>On <mark class="fill">day</mark>, <mark class="fill">time</mark>; not on <mark class="fill">day</mark></p>')
    ['day', 'time']
    """
    return list(dict.fromkeys(_words(match[1]) for match in _FILL.finditer(html)))


def filled(html: str, values: Mapping[str, str]) -> str:
    """The HTML with what was written for each prompt in its place; parts without a value stay open.

    A value is text, with its tags; its lines stay lines, `**words**` are strong, and `[words](https://…)` is a link.
    """

    def fill(match: re.Match[str]) -> str:
        value = values.get(_words(match[1]), "").strip()
        return _as_html(value) if value else match[0]

    return _FILL.sub(fill, html)


def written(template: str, html: str) -> dict[str, str] | None:
    """What was written into the parts of `template`, as HTML by prompt, those that are still open left out; None where `html` is not
    this template with its parts filled.

    >>> written('<p><mark class="fill">day</mark>!</p>', "<p>Monday!</p>")
    {'day': 'Monday'}
    """
    found: dict[str, str] = {}
    behind, position, name = 0, 0, None
    for match in [*_FILL.finditer(template), None]:
        fixed = template[behind : match.start() if match else len(template)]
        at = html.find(fixed, position) if match else max(position, len(html) - len(fixed))
        if not html.startswith(fixed, at) or (name is None and at):
            return None
        if name is not None and not _FILL.search(html[position:at]):
            found[name] = html[position:at]
        if match:
            behind, position, name = match.end(), at + len(fixed), _words(match[1])
    return found


def carried_over(html: str, values: Mapping[str, str]) -> str:
    """The HTML with values that are HTML already, as `written` finds them."""
    return _FILL.sub(lambda match: values.get(_words(match[1]), match[0]), html)


def _words(inside: str) -> str:
    return " ".join(unescape(_TAG.sub(" ", inside)).split())


def _as_html(value: str) -> str:
    text = escape(value.replace("\r\n", "\n"), quote=False)
    text = _LINK.sub(lambda match: f'<a href="{match[2].replace(chr(34), "&quot;")}">{match[1]}</a>', text)
    return _STRONG.sub(r"<strong>\1</strong>", text).replace("\n", "<br>\n")
