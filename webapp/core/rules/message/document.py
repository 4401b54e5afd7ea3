"""The HTML part: from what was composed or pasted to a whole, harmless document with its styles inline, as a tree with slots.

Tags would not survive sanitising and inlining where they hold quotes or stand between table rows, so words and comments stand in for
them meanwhile. What comes out is read again, and a tag's escape follows from where it stands in the finished document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import css_inline

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import Piece, Place, Tag
from webapp.core.rules.message import outlook, sanitise
from webapp.core.rules.tags import braces
from webapp.core.rules.tags.build import Items, nest, read, refuse_problems
from webapp.core.rules.tags.grammar import TagError
from webapp.core.rules.tags.places import escape_at, home_of
from webapp.core.rules.tags.tree import Block, Escape, Nodes, Output, Slot
from webapp.core.rules.tags.words import Words

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

DEEPEST = 200
"""Elements in each other. Real designs have some sixty; parsers give up at 256, and some break down at thousands."""

_OFFICE = "".join(
    f' xmlns:{prefix}="urn:schemas-microsoft-com:{name}"'
    for prefix, name in (("v", "vml"), ("o", "office:office"), ("w", "office:word"))
)
"""Without these names Outlook does not draw what stands in its conditional comments."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_HALF = "A condition begins or ends inside something that a mail cannot carry, such as a form or a script."


@dataclass(frozen=True, slots=True)
class Document:
    """The finished document as a tree, and, for the text derived from it, with words in place of the tags."""

    nodes: Nodes
    html: str
    words: Words
    tags: Sequence[Slot | Block]


def finish(source: str, *, title: Items = (), language: str = "") -> Document:
    """The document of the HTML part. `title` is the subject in a row, `language` the content's if it is known (BCP 47). Raises Invalid
    for tags with problems.

    Kept: text markup, tables, pictures from the web, links to the web, mail and telephone, inline style, style sheets (as far as they
    can be, inline; the rest, such as media queries, in the head), and the conditional comments that Outlook reads. Everything else goes.
    """
    refuse_problems(source, field="html")
    _refuse_abyss(source)
    tokens = [token for token in braces.tokens(source, is_html=True) if token.kind in ("output", "block")]
    words = Words(source)
    plain = words.put(source, tokens)
    spots = markup.spots(plain, words.pattern)
    tags = [
        _NOTHING if piece.place is Place.COMMENT else read(token)
        for token, (_, piece) in zip(tokens, spots, strict=True)
    ]
    plain, kept = outlook.set_aside(_blocks_as_comments(plain, spots, tags), words)
    page = _taken_apart(plain)
    body = _without_empty_paragraphs(sanitise.fragment("".join(page.body).strip()), words)
    if markup.depth(body) > DEEPEST:
        raise Invalid(_TOO_DEEP, "html")
    if "<tbody" not in source.lower():
        body = _within_table_body(body, words)
    title_word = words.word(len(tags))
    done = outlook.put_back(_whole(page, body, title_word, language), kept)
    return Document(_nodes(done, words, tags, title), done, words, tags)


def _refuse_abyss(source: str) -> None:
    """Refuse what would keep a sanitiser busy for minutes: thousands of elements in each other, closed at last or never."""
    now: dict[str, int] = {}
    deepest: dict[str, int] = {}
    for closes, name in _TAG.findall(source.lower()):
        now[name] = max(0, now.get(name, 0) + (-1 if closes else 1))
        deepest[name] = max(deepest.get(name, 0), now[name])
    if sum(count for name, count in deepest.items() if name not in _ENDS_BY_ITSELF) > 1000:
        raise Invalid(_TOO_DEEP, "html")


_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)")
_ENDS_BY_ITSELF = markup.VOID | {
    "p",
    "li",
    "dd",
    "dt",
    "td",
    "th",
    "tr",
    "tbody",
    "thead",
    "tfoot",
    "colgroup",
    "option",
}
_TOO_DEEP = f"The elements of this HTML stand more than {DEEPEST} deep in each other, which mail programs cannot show."

_NOTHING = Slot(Output(""), Escape.HTML)
"""For a tag in a comment: it goes with the comment, and was not checked."""


def _blocks_as_comments(plain: str, spots: list[tuple[re.Match[str], Piece]], tags: Sequence[Slot | Block]) -> str:
    """The source with the words of conditions between elements in comments, so that they may stand between table rows too."""
    out: list[str] = []
    position = 0
    for (match, piece), tag in zip(spots, tags, strict=True):
        if isinstance(tag, Block) and piece.place is Place.TEXT and piece.within < 0:
            out += (plain[position : match.start()], f"<!--{match[0]}-->")
            position = match.end()
    return "".join([*out, plain[position:]])


@dataclass(slots=True)
class _Page:
    """A source taken apart: what stands in the head and what in the body."""

    is_document: bool = False
    root: dict[str, str] = field(default_factory=dict)
    body_tag: dict[str, str] = field(default_factory=dict)
    styles: list[str] = field(default_factory=list)
    head_comments: list[str] = field(default_factory=list)
    color_scheme: str = ""
    body: list[str] = field(default_factory=list)


def _taken_apart(source: str) -> _Page:
    page, in_head, media = _Page(), False, ""
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


def _without_empty_paragraphs(body: str, words: Words) -> str:
    """The body without the paragraphs that hold only conditions: in an editor, each stands in a line of its own."""
    return re.sub(rf"<p(?: [^<>]*)?>({_conditions(words)})\s*(?:<br>)?\s*</p>", r"\1", body)


def _within_table_body(body: str, words: Words) -> str:
    """The body with conditions moved into the table bodies that browsers put around rows: one that begins before such a body and ends in
    it would leave half of it."""
    return re.sub(rf"({_conditions(words)})\s*<tbody>", r"<tbody>\1", body)


def _conditions(words: Words) -> str:
    return rf"(?:\s*<!--{words.uncaptured()}-->)+"


def _whole(page: _Page, body: str, title: str, language: str) -> str:
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


def _nodes(done: str, words: Words, tags: Sequence[Slot | Block], title: Items) -> Nodes:
    items: list[str | Slot | Block] = []
    homes: list[object] = []
    position = 0
    for match, piece in markup.spots(done, words.pattern):
        number, start, end = int(match["number"]), match.start(), match.end()
        if piece.place is Place.COMMENT:
            start, end = start - len("<!--"), end + len("-->")
        items.append(done[position:start])
        position = end
        if number == len(tags):
            items += _as_html(title)
            continue
        tag = tags[number]
        if isinstance(tag, Block):
            _keep_at_home(tag, home_of(piece), homes)
            items.append(tag)
        else:
            items.append(Slot(tag.output, _escape(piece, done[piece.start : start])))
    items.append(done[position:])
    try:
        return nest(items)
    except TagError:
        raise Invalid(_HALF, "html") from None


def _escape(piece: Piece, before: str) -> Escape:
    try:
        return escape_at(piece, before)
    except ValueError as error:
        raise Invalid(f"{error}", "html") from None


def _keep_at_home(block: Block, home: object, homes: list[object]) -> None:
    """Refuse a condition of which one part stands in an attribute's value and another outside of it."""
    if block.keyword in ("if", "unless"):
        homes.append(home)
    elif not homes or homes[-1] != home:
        raise Invalid(_HALF, "html")
    if block.keyword in ("endif", "endunless"):
        homes.pop()


def _as_html(title: Items) -> Items:
    return [
        escape(item, quote=False)
        if isinstance(item, str)
        else Slot(item.output, Escape.HTML)
        if isinstance(item, Slot)
        else item
        for item in title
    ]
