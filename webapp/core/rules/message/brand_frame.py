"""A mail of the design view in its brand: a sheet of tables, 600 pixels wide and narrower on a phone, with the logo above what was
written, and below it who sends, how to decline, and the footer.

Written by hand and not by a renderer of MJML: the bytes of a mail must be the same in each process that makes it, and they are few.
"""

import re
from dataclasses import replace
from html import escape, unescape

from webapp.core.rules import markup
from webapp.core.rules.blocks import laid_out, sheet, uses_blocks
from webapp.core.rules.branding.look import BrandLook
from webapp.core.rules.message import brand_footer, brand_style
from webapp.core.rules.message.brand_blocks import with_blocks
from webapp.core.rules.message.own_links import declines_in_html, sender_lines
from webapp.core.rules.message.parts import Frame, MessageParts

_WHOLE = re.compile(r"<(?:!doctype|html|head|body)[\s>]", re.IGNORECASE)
_OF_FACTS = re.compile(r'<table\sdata-block="')
_STYLE_END = re.compile(r"</style\s*>", re.IGNORECASE)
_TABLE = '<table role="presentation" cellpadding="0" cellspacing="0" border="0"'
_OFFICE = "<noscript><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml></noscript>"

_ANY = BrandLook()


def can_stand(html: str) -> bool:
    """Whether a body can stand in a brand: there is one, and it is no document or table of layout of its own.

    >>> can_stand("<p>Hello</p>"), can_stand("<html><body>Hello"), can_stand("<table><tr><td>Hello</table>")
    (True, False, False)
    """
    return bool(html.strip()) and not _WHOLE.search(html) and not _begins_with_table(html)


def _begins_with_table(html: str) -> bool:
    """Whether a browser sees a table first: style sheets and comments, also those that Outlook reads, are nothing."""
    rest = html.lstrip()
    while rest.startswith("<!--") or rest[:6].lower() == "<style":
        end = _STYLE_END.search(rest)
        over = markup.comment_end(rest, 0) if rest.startswith("<!--") else end.end() if end else len(rest)
        rest = rest[over:].lstrip()
    return rest[:6].lower() == "<table" and not _OF_FACTS.match(rest)


def branded(parts: MessageParts, frame: Frame) -> MessageParts:
    """The parts with their HTML in the frame's brand, if it has one and the body can stand in it; else with its blocks laid out alone."""
    if frame.brand is None or not can_stand(parts.html):
        return without_brand(parts)
    return parts.with_html(_document(parts.html, frame.brand, frame))


def without_brand(parts: MessageParts) -> MessageParts:
    """The parts with the blocks of their HTML as they leave, in colours that go with any; the same parts where there is none."""
    if not uses_blocks(parts.html):
        return parts
    head = f"<style>{sheet.inline(_ANY)}{brand_style.panels_and_buttons(_ANY)}</style><style>{sheet.by_program(_ANY)}</style>\n"
    return parts.with_html(head + with_blocks(laid_out(parts.html), _ANY))


def _document(html: str, look: BrandLook, frame: Frame) -> str:
    word = f"body,table,td,p,a,li,h1,h2,h3{{font-family:{look.letters.in_word}!important}}"
    return f"""<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="x-apple-disable-message-reformatting" content="">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<!--[if mso]>{_OFFICE}<style>{word}</style><![endif]-->
<style>{brand_style.inline(look)}{sheet.inline(look) if uses_blocks(html) else ""}</style>
<style>{brand_style.by_program(look)}{sheet.by_program(look) if uses_blocks(html) else ""}</style>
</head>
<body>
{_TABLE} class="b-around" width="100%"><tr><td class="b-outer" align="center">
<!--[if mso]>{_TABLE} width="{brand_style.WIDTH}" align="center"><tr><td><![endif]-->
{_TABLE} class="b-sheet" width="100%">
<tr><td class="b-line" height="5">&nbsp;</td></tr>
{_head(look, frame.base)}<tr><td class="b-body" dir="auto" align="left">
{with_blocks(laid_out(html), look)}
</td></tr>
</table>
{_foot(html, look, frame)}<!--[if mso]></td></tr></table><![endif]-->
</td></tr></table>
</body></html>"""


def _head(look: BrandLook, base: str) -> str:
    name = _without_braces(look.business_name)
    if look.logo is not None:
        address = f"{base}/{look.logo.path}"
        inside = f'<img class="b-logo" src="{escape(address)}" width="{look.logo.width}" height="{look.logo.height}" alt="{escape(name)}">'
    elif name:
        inside = escape(name, quote=False)
    else:
        return ""
    return f'<tr><td class="b-head" align="left">{inside}</td></tr>\n'


def _foot(html: str, look: BrandLook, frame: Frame) -> str:
    """What stands below the sheet. A body that says itself where the sender is, or how to decline, is not told twice."""
    own = replace(frame, business_name=look.business_name, postal_address=look.postal_address)
    said = unescape(re.sub(r"<[^<>]*>", " ", html))
    blocks = ["<br>".join(brand_footer.lines(look.footer))]
    blocks.append(escape(" · ".join(sender_lines(own, said)), quote=False))
    if frame.is_marketing and not declines_in_html(html):
        blocks.append("{{ unsubscribe_url }}")
    inside = "".join(f"<p>{block}</p>" for block in blocks if block)
    if not inside:
        return ""
    return f'{_TABLE} class="b-below" width="100%"><tr><td class="b-foot" dir="auto" align="left">{inside}</td></tr></table>\n'


def _without_braces(text: str) -> str:
    return text.replace("{", "(").replace("}", ")")
