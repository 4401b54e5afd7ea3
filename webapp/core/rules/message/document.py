"""The HTML part: from what was composed or pasted to a whole, harmless document with its styles inline, as a tree with slots.

Tags would not survive sanitising and inlining where they hold quotes or stand between table rows, so words and comments stand in for
them meanwhile. What comes out is read again, and a tag's escape follows from where it stands in the finished document.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, Piece
from webapp.core.rules.message import conditional_comments, last_look, repeats, sanitise, word_lists
from webapp.core.rules.message.link_counter import LinkCounter
from webapp.core.rules.message.page import put_together, taken_apart
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.contexts import escape_at, home_of
from webapp.core.rules.tags.expressions import TagError
from webapp.core.rules.tags.nodes import OPENING, Block, Escape, Nodes, Output, Slot
from webapp.core.rules.tags.parser import Items, nest, read, refuse_problems
from webapp.core.rules.tags.placeholders import Placeholders

_HALF = "A condition begins or ends inside something that a mail cannot carry, such as a form or a script."


@dataclass(frozen=True, slots=True)
class Document:
    """The finished document as a tree, and, for the text derived from it, as HTML with words in place of the tags and without what only
    Outlook reads."""

    nodes: Nodes
    html: str
    words: Placeholders
    tags: Sequence[Slot | Block]


def finish(source: str, *, title: Items = (), language: str = "", counting: LinkCounter | None = None) -> Document:
    """The document of the HTML part. `title` is the subject in a row, `language` the content's if it is known (BCP 47); the tree, and only
    that, has what `counting` puts into it. Raises Invalid for tags with problems.

    Kept: text markup, tables, pictures from the web, links to the web, mail and telephone, inline style, style sheets (as far as they
    can be, inline; the rest, such as media queries, in the head), and the conditional comments that Outlook reads. Everything else goes.
    """
    refuse_problems(source, field="html")
    sanitise.refuse_abyss(source)
    tokens = [token for token in lexer.tokens(source, is_html=True) if token.kind in ("output", "block")]
    words = Placeholders(source)
    plain = words.put(source, tokens)
    spots = markup.spots(plain, words.pattern)
    tags: list[Slot | Block] = [
        _NOTHING if piece.place is MarkupContext.COMMENT else read(token)
        for token, (_, piece) in zip(tokens, spots, strict=True)
    ]
    plain, kept = conditional_comments.set_aside(_blocks_as_comments(plain, spots, tags), words)
    if counting:
        tags += counting.slots
    page = taken_apart(plain, kept)
    body = markup.with_plain_ampersands("".join(page.body).strip())
    last_look.refuse_length(body)
    body = sanitise.fragment(body)
    last_look.refuse_length(body)
    body = word_lists.as_lists(body)
    body = _without_empty_paragraphs(body, words)
    body = repeats.one_around(body, words, tags)
    sanitise.refuse_depth(body)
    if "<tbody" not in source.lower():
        body = _within_table_body(body, words)
    title_word = words.word(len(tags))
    html = put_together(page, body, title_word, language)
    whole = conditional_comments.put_back(html, kept)
    last_look.refuse_harm(whole, words)
    if counting:
        whole = counting.in_html(whole, words, tags)
    return Document(_nodes(whole, words, tags, title), html, words, tags)


_NOTHING = Slot(Output(""), Escape.HTML)
"""For a tag in a comment: it goes with the comment, and was not checked."""


def _blocks_as_comments(plain: str, spots: list[tuple[re.Match[str], Piece]], tags: Sequence[Slot | Block]) -> str:
    """The source with the words of conditions between elements in comments, so that they may stand between table rows too."""
    out: list[str] = []
    position = 0
    for (match, piece), tag in zip(spots, tags, strict=True):
        if isinstance(tag, Block) and piece.place is MarkupContext.TEXT and piece.within < 0:
            out += (plain[position : match.start()], f"<!--{match[0]}-->")
            position = match.end()
    return "".join([*out, plain[position:]])


def _without_empty_paragraphs(body: str, words: Placeholders) -> str:
    """The body without the paragraphs that hold only conditions: in an editor, each stands in a line of its own."""
    return re.sub(rf"<p(?: [^<>]*)?>({_conditions(words)})\s*(?:<br>)?\s*</p>", r"\1", body)


def _within_table_body(body: str, words: Placeholders) -> str:
    """The body with conditions moved into the table bodies that browsers put around rows: one that begins before such a body and ends in
    it would leave half of it."""
    return re.sub(rf"({_conditions(words)})\s*<tbody>", r"<tbody>\1", body)


def _conditions(words: Placeholders) -> str:
    return rf"(?:\s*<!--{words.uncaptured()}-->)+"


def _nodes(done: str, words: Placeholders, tags: Sequence[Slot | Block], title: Items) -> Nodes:
    items: list[str | Slot | Block] = []
    homes: list[object] = []
    position = 0
    for match, piece in markup.spots(done, words.pattern):
        number, start, end = int(match["number"]), match.start(), match.end()
        if piece.place is MarkupContext.COMMENT:
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
    if block.keyword in OPENING:
        homes.append(home)
    elif not homes or homes[-1] != home:
        raise Invalid(_HALF, "html")
    if block.keyword in OPENING.values():
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
