"""A pasted document taken apart, and the mail's document put together, its styles inline."""

import re
from dataclasses import dataclass, field

import css_inline

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import Piece, Place, Tag
from webapp.core.rules.message import sanitise

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


@dataclass(slots=True)
class Page:
    """A source taken apart: what stands in the head and what in the body."""

    is_document: bool = False
    root: dict[str, str] = field(default_factory=dict)
    body_tag: dict[str, str] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)
    head_comments: list[str] = field(default_factory=list)
    color_scheme: str = ""
    body: list[str] = field(default_factory=list)


def taken_apart(source: str) -> Page:
    """The parts of a document, or of a fragment that is all body. What is in the body is not sanitised yet."""
    page, in_head, media = Page(), False, ""
    for found in markup.tags_and_texts(source):
        text = source[found.start : found.end]
        if isinstance(found, Piece):
            if found.place is Place.RAW and found.element == "style":
                css = sanitise.css(text)
                page.styles.append(f"@media {media}{{{css}}}" if media else css)
            elif found.place is Place.COMMENT and text.startswith("<!--"):
                (page.head_comments if in_head else page.body).append(text)
            elif found.place is Place.TEXT and not in_head:
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
                media = re.sub(r"[{};<>]", "", found.attributes.get("media", ""))
            case "meta":
                if found.attributes.get("name", "").lower() == "color-scheme":
                    page.color_scheme = re.sub(r"[^a-z ]", "", found.attributes.get("content", "").lower())
            case "/html" | "/body" | "/style" | "link" | "base":
                pass
            case _ if not in_head:
                page.body.append(text)
    return page


def put_together(page: Page, body: str, title: str, language: str) -> str:
    """The whole document around a sanitised body. Raises Invalid for style sheets that cannot be read."""
    css = "\n".join(page.styles)
    if not page.is_document:
        pictures = "img{max-width:100%;height:auto}" if "<img" in body else ""
        buttons = _STYLE_OF_BUTTONS if 'class="button"' in body else ""
        css = f"{_STYLE_OF_OURS}{pictures}{buttons}\n{css}"
        body = f'<div class="mail" dir="auto">\n{body}\n</div>'
    body_attributes = sanitise.attributes(page.body_tag)
    try:
        inlined = css_inline.inline(
            f"<!DOCTYPE html><html><head><style>{css}</style></head><body{body_attributes}>{body}</body></html>",
            keep_style_tags=True,
            keep_at_rules=True,
            remove_inlined_selectors=True,
            load_remote_stylesheets=False,
        )
    except css_inline.InlineError as error:
        raise Invalid(f"The style sheet of this HTML cannot be read: {error}", "html") from None
    rest, body = _style_and_body(inlined)
    direction = page.root.get("dir", "").lower()
    direction = direction if direction in ("ltr", "rtl") else "auto"
    lang = next((f' lang="{tag}"' for tag in (language, page.root.get("lang", "")) if _LANGUAGE.fullmatch(tag)), "")
    scheme = page.color_scheme or ("" if page.is_document else "light dark")
    office = _OFFICE if any(f"xmlns:{prefix}" in page.root for prefix in "vow") else ""
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="color-scheme" content="{scheme}">' if scheme else "",
        f"<title>{title}</title>",
        *page.head_comments,
        f"<style>{rest}</style>" if rest.strip() else "",
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html{lang} dir="{direction}"{office}>',
            "<head>",
            *filter(None, head),
            "</head>",
            f"{body}</html>",
            "",
        ]
    )


def _style_and_body(inlined: str) -> tuple[str, str]:
    """What was left in style sheets, and the body with its tags."""
    rest: list[str] = []
    for found in markup.tags_and_texts(inlined):
        if isinstance(found, Tag) and found.element == "body":
            return "".join(rest), inlined[found.start :].removesuffix("</html>")
        if isinstance(found, Piece) and found.place is Place.RAW:
            rest.append(inlined[found.start : found.end].strip())
    raise AssertionError("a document without body")
