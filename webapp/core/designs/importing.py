"""A design from elsewhere becomes a template: pictures are taken in, links stay, and what no mail can carry goes, each with a word."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from webapp.core.designs.archives import DesignFiles
from webapp.core.errors import Invalid
from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupContext, MarkupTag, Piece
from webapp.core.rules.message import sanitise
from webapp.core.rules.preflight import left_out

Host = Callable[[bytes], str]
"""Takes the octets of a picture in, and gives the address under which mails show it. Raises Invalid for what is no picture."""

MOST_PICTURES = 60

_TO_ELSEWHERE = re.compile(r"(?:https?:)?//|[a-z][a-z0-9+.-]*:|#|\{\{|\Z", re.IGNORECASE)
_DATA = re.compile(r"data:image/[\w.+-]+;base64,(.*)", re.IGNORECASE | re.DOTALL)
_URL = re.compile(r"url\(\s*(['\"]?)([^'\")]+)\1\s*\)", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>([^<]*)</title>", re.IGNORECASE)
_WHOLE = frozenset({
    "applet", "audio", "embed", "iframe", "math", "noscript", "object", "script", "select", "svg", "textarea", "video",
})  # fmt: skip
_ALONE = frozenset({"base", "button", "fieldset", "form", "frameset", "input", "label", "link"})
"""Elements that go, with and without what is in them."""


@dataclass(frozen=True, slots=True)
class TakenDesign:
    """What became of a design. `left_out` says in sentences what could not be kept, `pictures` how many were taken in."""

    html: str
    title: str
    pictures: int
    left_out: list[str]


def take(files: DesignFiles, host: Host) -> TakenDesign:
    """Make a template's HTML of a design. Raises Invalid for one that is too large or too deep."""
    if len(files.html) > 400_000:
        raise Invalid("This HTML has more than 400,000 characters.", "file")
    sanitise.refuse_abyss(files.html)
    pictures = _Pictures(files, host)
    html = "".join(_kept(files.html, pictures))
    told = [problem.message for problem in left_out.of_html(files.html) if not _is_answered(problem.message)]
    sheets = len(re.findall(r"<link\b[^>]*stylesheet", files.html, re.IGNORECASE))
    if sheets:
        told.append(
            f"{'A style sheet' if sheets == 1 else f'{sheets} style sheets'} from elsewhere (link): styles must stand in the mail."
        )
    title = _TITLE.search(files.html)
    return TakenDesign(
        html.strip(), title[1].strip() if title else "", len(pictures.taken), [*pictures.told, *dict.fromkeys(told)]
    )


def _is_answered(sentence: str) -> bool:
    """Whether a complaint is about a picture's address, which `_Pictures` has looked at itself."""
    return sentence.startswith(("The picture ", "A picture is written into"))


class _Pictures:
    """The pictures of a design, each taken in once."""

    def __init__(self, files: DesignFiles, host: Host):
        self.files, self.host = files, host
        self.taken: dict[str, str] = {}
        self.told: list[str] = []

    def address(self, written: str) -> str:
        """The address to write instead of `written`; the same for one of the web, and for one that could not be taken in."""
        plain = written.strip()
        if plain in self.taken:
            return self.taken[plain]
        data = self._data(plain)
        if data is None:
            return written
        if len(self.taken) >= MOST_PICTURES:
            self._tell(f"There are more than {MOST_PICTURES} pictures: {plain[:60]} is not taken in.")
            return written
        try:
            self.taken[plain] = self.host(data)
        except Invalid as error:
            self._tell(f"The picture {plain[:60]}: {error}")
            return written
        return self.taken[plain]

    def _data(self, plain: str) -> bytes | None:
        if match := _DATA.match(plain):
            try:
                return base64.b64decode(re.sub(r"\s", "", match[1]), validate=True)
            except binascii.Error:
                self._tell("A picture that is written into the HTML (data:) is broken.")
                return None
        if plain.lower().startswith("cid:"):
            self._tell(f"The picture {plain[:60]} was part of a mail, and is not in the file.")
            return None
        if _TO_ELSEWHERE.match(plain):
            return None
        found = self.files.at(unquote(plain.partition("?")[0].partition("#")[0]))
        if found is None:
            self._tell(f"The picture {plain[:60]} is not in the file: put it into a zip beside the HTML.")
        return found

    def _tell(self, sentence: str) -> None:
        if sentence not in self.told:
            self.told.append(sentence)

    def in_style(self, text: str) -> str:
        """The same for each `url(…)` of a style."""

        def instead(match: re.Match[str]) -> str:
            address = self.address(match[2])
            return match[0] if address == match[2] else f"url('{address}')"

        return _URL.sub(instead, text)


def _kept(html: str, pictures: _Pictures) -> Iterator[str]:
    """The source without what goes, and with the addresses of its pictures."""
    gone = ""
    depth = 0
    for found in markup.tags_and_texts(html):
        text = html[found.start : found.end]
        if isinstance(found, Piece):
            if not gone:
                is_style = found.place is MarkupContext.RAW and found.element == "style"
                yield pictures.in_style(text) if is_style else text
            continue
        name, closes = found.element.removeprefix("/"), found.element.startswith("/")
        if gone:
            depth += (-1 if closes else 1) if name == gone else 0
            gone = gone if depth > 0 else ""
        elif name in _WHOLE:
            if not closes and not found.self_closing and name not in markup.VOID:
                gone, depth = name, 1
        elif name not in _ALONE:
            yield _tag(text, found, pictures)


def _tag(text: str, tag: MarkupTag, pictures: _Pictures) -> str:
    """A tag with its pictures' addresses, and without handlers."""
    changes: list[tuple[int, int, str]] = []
    for name, (start, end) in tag.spans.items():
        value = tag.attributes[name]
        if name in ("src", "background") and tag.element != "a":
            new = pictures.address(value)
        elif name == "style":
            new = pictures.in_style(value)
        elif name.startswith("on") or name == "srcset":
            new = ""
        else:
            continue
        if new != value:
            changes.append((start - tag.start, end - tag.start, markup.quoted(new)))
    for start, end, new in sorted(changes, reverse=True):
        is_quoted = text[start - 1 : start] in ('"', "'")
        text = text[:start] + (new if is_quoted else f'"{new}"') + text[end:]
    return re.sub(r"\s(?:on\w+|srcset)=(?:\"\"|'')", "", text)
