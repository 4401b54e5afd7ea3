"""Blocks of the design view as mail programs need them: a button as a shape that Outlook draws, too, and a quotation as a panel.

What the editor writes stays as simple as it is; this is done when the mail is compiled.
"""

import re
from html import escape, unescape

from webapp.core.rules import markup
from webapp.core.rules.branding.look import BrandLook
from webapp.core.rules.markup import MarkupTag

_BUTTON = re.compile(r'<p class="button">\s*<a\s+href="([^"<>]*)">([^<>]*)</a>\s*</p>')
_TAG = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")
_HEIGHT = 46
"""Pixels of a button."""
_TAG_LETTERS = 14
"""Letters that the value of a tag is taken to have where a width must be said before it is known."""

_PANEL = '<table class="b-panel" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td class="b-in-panel">'
_PANEL_END = "</td></tr></table>"


def with_blocks(html: str, look: BrandLook) -> str:
    """The HTML with its buttons and quotations as tables."""
    return _BUTTON.sub(lambda match: _button(match[1], match[2], look), _with_panels(html))


def _button(href: str, words: str, look: BrandLook) -> str:
    """Outlook on Windows gets a rounded shape in VML, which is as wide as is said; all others a link with space around its words."""
    accent, on_it = look.light.accent, look.light.on_accent
    width = 56 + 9 * len(_TAG.sub("x" * _TAG_LETTERS, unescape(words)))
    shape = (
        f'<v:roundrect href="{href}" style="height:{_HEIGHT}px;v-text-anchor:middle;width:{width}px" '
        f'arcsize="18%" stroke="f" fillcolor="{accent}"><w:anchorlock></w:anchorlock>'
        f'<center style="color:{on_it};font-family:{escape(look.letters.in_word)};font-size:16px;font-weight:bold">{words}</center>'
        "</v:roundrect>"
    )
    return (
        '<table class="b-button" role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td class="b-press"><!--[if mso]>{shape}<![endif]--><!--[if !mso]><!-->'
        f'<a class="b-word" href="{href}">{words}</a><!--<![endif]--></td></tr></table>'
    )


def _with_panels(html: str) -> str:
    tags = [
        found
        for found in markup.tags_and_texts(html)
        if isinstance(found, MarkupTag) and found.element.removeprefix("/") == "blockquote"
    ]
    if not _in_pairs(tags):
        return html
    out: list[str] = []
    position = 0
    for tag in tags:
        out += (html[position : tag.start], _PANEL_END if tag.element.startswith("/") else _PANEL)
        position = tag.end
    return "".join([*out, html[position:]])


def _in_pairs(tags: list[MarkupTag]) -> bool:
    depth = 0
    for tag in tags:
        depth += -1 if tag.element.startswith("/") else 1
        if depth < 0:
            return False
    return depth == 0
