"""A pasted document taken apart, and the mail's document put together, its styles inline."""

import re
from dataclasses import dataclass, field

from webapp.core.rules import markup
from webapp.core.rules.languages import direction as direction_of
from webapp.core.rules.markup import MarkupContext, Piece
from webapp.core.rules.message import conditional_comments, sanitise
from webapp.core.rules.message.conditional_comments import Kept
from webapp.core.rules.message.inlining import Sheet, inlined

_STYLE_OF_OURS = (
    "body{margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;"
    "line-height:1.5}div.mail{max-width:600px;margin:0 auto}"
)
"""For mails written in the editor. A pasted document brings its own."""

_STYLE_OF_BUTTONS = (
    "p.button{margin:20px 0}p.button a{display:inline-block;padding:11px 20px;border-radius:8px;background:#0b3a75;color:#ffffff;"
    "font-weight:600;text-decoration:none}"
)
"""For `<p class="button"><a href="…">`, which the editor writes for a button."""

_OFFICE = "".join(
    f' xmlns:{prefix}="urn:schemas-microsoft-com:{name}"'
    for prefix, name in (("v", "vml"), ("o", "office:office"), ("w", "office:word"))
)
"""Without these names Outlook does not draw what stands in its conditional comments."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_OLD_DOCTYPE = re.compile(
    r'<!doctype html\s+public\s+"-//W3C//DTD [\w.+ /-]+"(?:\s+"https?://www\.w3\.org/[\w./-]+")?\s*>', re.IGNORECASE
)
"""Such as XHTML 1.0 Transitional, with which cells are as low as the pictures in them."""
_META_NAME = re.compile(r"[a-z][a-z0-9:._-]*", re.IGNORECASE)
_VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'


@dataclass(slots=True)
class Page:
    """A source taken apart: what stands in the head, in its order, and what in the body."""

    doctype: str = "<!DOCTYPE html>"
    is_document: bool = False
    root: dict[str, str] = field(default_factory=dict)
    body_tag: dict[str, str] = field(default_factory=dict)
    head: list[str | Sheet] = field(default_factory=list)
    metas: set[str] = field(default_factory=set)
    body: list[str] = field(default_factory=list)

    @property
    def sheets(self) -> list[Sheet]:
        return [item for item in self.head if isinstance(item, Sheet)]


def taken_apart(source: str, kept: Kept) -> Page:
    """The parts of a document, or of a fragment that is all body. What is in the body is not sanitised yet."""
    page, in_head, media, guards = Page(), False, "", 0
    for found in markup.tags_and_texts(source):
        text = source[found.start : found.end]
        if isinstance(found, Piece):
            if found.place is MarkupContext.RAW and found.element == "style":
                page.head.append(Sheet(text, media, guarded=guards > 0))
            elif found.place is MarkupContext.COMMENT and text.startswith("<!--"):
                guards += {conditional_comments.GUARD_BEGIN: 1, conditional_comments.GUARD_END: -1}.get(
                    kept.guard_of(text), 0
                )
                (page.head if in_head else page.body).append(text)
            elif found.place is MarkupContext.COMMENT and _OLD_DOCTYPE.fullmatch(text):
                page.doctype = text
            elif found.place is MarkupContext.TEXT and not in_head:
                page.body.append(text)
            continue
        match found.element:
            case "html":
                page.is_document, page.root = True, page.root or found.attributes
            case "head":
                page.is_document = in_head = True
            case "body":
                page.is_document, in_head, page.body_tag = True, False, page.body_tag or found.attributes
            case "/head":
                in_head = False
            case "style":
                media = re.sub(r"[{};<>\"]", "", found.attributes.get("media", "")).strip()
            case "meta":
                page.head.append(_meta(found.attributes, page.metas))
            case "/html" | "/body" | "/style" | "link" | "base":
                pass
            case _ if not in_head:
                page.body.append(text)
    return page


def _meta(attributes: dict[str, str], seen: set[str]) -> str:
    """The element as it goes into the head, "" for one that does not: those that give a character set (ours is UTF-8) or lead elsewhere."""
    name, content = attributes.get("name", "").strip(), attributes.get("content", "")
    if _META_NAME.fullmatch(name):
        seen.add(name.lower())
        return (
            f'<meta name="{name}" content="{markup.quoted(content)}">'
            if "content" in attributes
            else f'<meta name="{name}">'
        )
    if attributes.get("http-equiv", "").strip().lower() == "x-ua-compatible":
        return f'<meta http-equiv="X-UA-Compatible" content="{markup.quoted(content)}">'
    return ""


def put_together(page: Page, body: str, title: str, language: str) -> str:
    """The whole document around a sanitised body. Raises Invalid for style sheets that cannot be read."""
    if not page.is_document:
        pictures = "img{max-width:100%;height:auto}" if "<img" in body else ""
        buttons = _STYLE_OF_BUTTONS if 'class="button"' in body else ""
        page.head.insert(0, Sheet(f"{_STYLE_OF_OURS}{pictures}{buttons}"))
        body = f'<div class="mail" dir="{direction_of(language)}">\n{body}\n</div>'
    root = _root(page, language)
    body = inlined(root, f"<body{sanitise.attributes(page.body_tag)}>{body}</body>", page.sheets)
    scheme = (
        '<meta name="color-scheme" content="light dark">'
        if not page.is_document and "color-scheme" not in page.metas
        else ""
    )
    head = [
        '<meta charset="utf-8">',
        "" if "viewport" in page.metas else _VIEWPORT,
        scheme,
        f"<title>{title}</title>",
        *(_style(item) if isinstance(item, Sheet) else item for item in page.head),
    ]
    return "\n".join([page.doctype, f"<html{root}>", "<head>", *filter(None, head), "</head>", f"{body}</html>", ""])


def _root(page: Page, language: str) -> str:
    """The attributes of the html element."""
    direction = direction_of(language) if language else page.root.get("dir", "").lower()
    direction = direction if direction in ("ltr", "rtl") else "auto"
    lang = next((f' lang="{tag}"' for tag in (language, page.root.get("lang", "")) if _LANGUAGE.fullmatch(tag)), "")
    office = _OFFICE if any(f"xmlns:{prefix}" in page.root for prefix in "vow") else ""
    others = sanitise.attributes({name: value for name, value in page.root.items() if name not in ("lang", "dir")})
    xhtml = ' xmlns="http://www.w3.org/1999/xhtml"' if "xmlns" in page.root else ""
    return f'{lang} dir="{direction}"{others}{office}{xhtml}'


def _style(sheet: Sheet) -> str:
    media = f' media="{markup.quoted(sheet.media)}"' if sheet.media else ""
    return f'<style type="text/css"{media}>{sheet.rest}</style>' if sheet.rest else ""
