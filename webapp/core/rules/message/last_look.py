"""The finished document read once more, by a parser that shares nothing with those that made it, html5lib: what stands in it then?

What cleans is written so that nothing harmful is left. Should it fail, or should browsers read what is sent as something else than it was
meant to be, the mail is refused in words and does not leave.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from xml.etree.ElementTree import Comment, Element

import html5lib
from html5lib._tokenizer import HTMLTokenizer
from html5lib.constants import tokenTypes

from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.message import conditional_comments, css, sanitise
from webapp.core.rules.message.links import ADDRESSES
from webapp.core.rules.tags.placeholders import Placeholders

LONGEST_DOCUMENT = 400_000
"""Characters of a finished document. Mail programs cut one off at 100,000; the look takes a second for 500,000."""

_XHTML = "{http://www.w3.org/1999/xhtml}"
_FRAME = {"html", "head", "title", "meta", "style", "body"}
_NAMES = {"xmlns", "xmlns:v", "xmlns:o", "xmlns:w"}
_META = {"charset", "name", "content", "http-equiv"}


def refuse_length(html: str) -> None:
    """Raises Invalid for a document, or a part of it, that is too long to be looked at."""
    if len(html) > LONGEST_DOCUMENT:
        raise Invalid(
            f"The HTML of this mail would have {len(html):,} characters. The most that can be sent is {LONGEST_DOCUMENT:,}.",
            "html",
        )


def refuse_harm(html: str, words: Placeholders) -> None:
    """Raises Invalid where the document is too long to be looked at, or holds what no mail may hold. `words` stand for tags in it."""
    refuse_length(html)
    found = _first(html, words.pattern.pattern)
    if found:
        raise Invalid(f"{sanitise.NOT_CLEAN} What was found at last: {found}.", "html")


@lru_cache(maxsize=16)
def _first(html: str, word: str) -> str | None:
    return next(_harms(html, word), None)


def _harms(html: str, word: str) -> Iterator[str]:
    parser = html5lib.HTMLParser(tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=True)
    for node in parser.parse(html, scripting=False).iter():
        if node.tag is Comment:
            yield from _of_comment(f"<!--{node.text or ''}-->", word)
        elif isinstance(node.tag, str):
            yield from _of_element(node)


def _of_element(node: Element) -> Iterator[str]:
    name = node.tag.removeprefix(_XHTML)
    if name not in sanitise.ELEMENTS and name not in _FRAME:
        yield f"the element {name}"
    for attribute, value in node.attrib.items():
        allowed = sanitise.is_allowed(name, attribute)
        allowed = (
            allowed or (name == "meta" and attribute in _META) or (name == "style" and attribute in ("type", "media"))
        )
        allowed = allowed or (name == "html" and attribute in _NAMES)
        if not allowed:
            yield f"the attribute {attribute} of {name}"
        else:
            yield from _of_value(name, attribute, value)
    if name == "style" and not css.is_harmless(node.text or ""):
        yield "a style sheet that runs or fetches something"
    if name == "meta" and node.attrib.get("http-equiv", "X-UA-Compatible") != "X-UA-Compatible":
        yield "an instruction to the browser"


def _of_value(element: str, attribute: str, value: str) -> Iterator[str]:
    judge = ADDRESSES.get(attribute.rpartition(":")[2])
    if judge and judge(value).value is None:
        yield f"the address {value[:60]} of {element}"
    if attribute == "style" and not css.is_harmless(value):
        yield f"the style of {element}, which runs or fetches something"


def _of_comment(comment: str, word: str) -> Iterator[str]:
    """What is wrong with a comment: it is one of those that are kept, or there is none."""
    if markup.GUARD.fullmatch(comment) or re.fullmatch(rf"<!--{word}-->", comment):
        return
    if not markup.is_hidden(comment, 0, len(comment)):
        # A guard without dashes is no comment as it is written, but is read as one.
        if not markup.GUARD.fullmatch(f"<!{comment[4:-3]}>"):
            yield "a comment"
        return
    opening = markup.HIDDEN_BEGIN.match(comment)
    assert opening is not None
    yield from _of_hidden(comment[opening.end() : -len(markup.HIDDEN_END)])


def _of_hidden(inside: str) -> Iterator[str]:
    """What is wrong with what Outlook reads in a conditional comment."""
    tokenizer = HTMLTokenizer(inside)
    for token in tokenizer:
        kind = token["type"]
        if kind in (tokenTypes["Comment"], tokenTypes["Doctype"]):
            yield "a comment in a comment"
        elif kind in (tokenTypes["StartTag"], tokenTypes["EmptyTag"]):
            name = token["name"]
            if not conditional_comments.is_known(name):
                yield f"the element {name} in a comment"
            for attribute, value in token["data"].items():
                if conditional_comments.attribute(name, attribute, value) is None:
                    yield f"the attribute {attribute} of {name} in a comment"
            if name == "style":
                tokenizer.state = tokenizer.rawtextState
