"""Links of a mail that are counted: each leads over the house's own address to the target that its broadcast keeps, and a picture of one
point at the end tells of an opening.

In the address stand a token, which is each mail's own and nobody can guess, and a mark of the target, which is the same in all mails of the
broadcast. The target is a text with tags: for each recipient it is filled with their own values, escaped as they would be in the mail.
"""

import re
from collections.abc import Sequence
from hashlib import blake2b
from html import escape as escape_html
from urllib.parse import quote

import idna

from webapp.core.rules import markup
from webapp.core.rules.markup import MarkupTag
from webapp.core.rules.message.parts import Counting
from webapp.core.rules.tags.names import BY_NAME, LINK_NAMES
from webapp.core.rules.tags.nodes import Block, Branch, Escape, Loop, Nodes, Output, Slot, Text, loops_in, names_in
from webapp.core.rules.tags.parser import nest, parse
from webapp.core.rules.tags.placeholders import Placeholders
from webapp.core.rules.tags.unparse import source_of
from webapp.core.rules.tags.values import clean, escape, holds, value_of

CLICK_PATH, OPEN_PATH = "go", "seen"
"""Where counted links and the counting picture lie below the console's public address."""

CLICK, OPEN = (Slot(Output(f"{name}_token"), Escape.HTML) for name in ("click", "open"))

_LINKS = re.compile(r"a|area|v:\w+")
"""Elements that are followed; the last are what Outlook draws buttons with."""
_IGNORED = re.compile("[\t\n\r\x0c]")
_AROUND = "".join(map(chr, range(0x21)))
"""What browsers leave out of an address, within it and around it (URL standard, section 4.4)."""
_SENTENCE = frozenset(".,;:!?'")
_WEB = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_SLOT, _BRANCH, _PART = "\x01", "\x02", "\x03"
"""Stand in a text, in which no control characters are left, for a tag, for a condition or a list, and for a condition that may be part
of an address."""
_ADDRESS = re.compile(rf"https?://[^\s<>\"{_BRANCH}]+", re.IGNORECASE)
_ENDS = re.compile(r'[\s<>"]')
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


Node = Text | Slot | Branch | Loop


class LinkCounter:
    """Writes the counted links of one content. `targets` are the trees of what they lead to, by their marks, in the order of reading."""

    slots = (CLICK, OPEN)

    def __init__(self, counting: Counting, base: str) -> None:
        """`base` is the console's public address: what leads there is the mail's own and is not counted."""
        self.targets: dict[str, Nodes] = {}
        self._counting, self._base = counting, base
        self._key = blake2b(counting.secret.encode(), digest_size=32).digest()

    def in_html(self, html: str, words: Placeholders, tags: Sequence[Slot | Block]) -> str:
        """The finished document with its links counted, and the picture at its end. `tags` are those that `words` stand for, and last of
        all `slots`."""
        click, opened = words.word(len(tags) - 2), words.word(len(tags) - 1)
        out: list[str] = []
        position = 0
        for found in markup.tags_and_texts(html) if self._counting.clicks else ():
            if not isinstance(found, MarkupTag) or "href" not in found.spans or not _LINKS.fullmatch(found.element):
                continue
            mark = self._mark(_nodes(found.attributes["href"], words, tags))
            if mark:
                start, end = found.spans["href"]
                out += (html[position:start], f"{escape_html(self._base)}/{CLICK_PATH}/{click}/{mark}")
                position = end
        html = "".join([*out, html[position:]])
        if not self._counting.opens:
            return html
        end = html.lower().rfind("</body")
        picture = f'<img src="{escape_html(self._base)}/{OPEN_PATH}/{opened}.gif" width="1" height="1" alt="" style="border:0">'
        return f"{html[:end]}{picture}{html[end:]}"

    def in_text(self, nodes: Nodes, following: str = "") -> Nodes:
        """The text part with the addresses counted that are written out in it. `following` is what comes after the nodes."""
        if not self._counting.clicks:
            return nodes
        flat, position = _flat(nodes), 0
        out: list[Node] = []
        for match in _ADDRESS.finditer(flat):
            start, end = match.start(), match.start() + len(_without_punctuation(match[0]))
            behind = (flat[match.end() :] or following)[:1]
            # What goes on in a condition, or behind one, is no whole address.
            mark = self._mark(_between(nodes, start, end)) if not behind or _ENDS.match(behind) else None
            if mark:
                own = (Text(f"{self._base}/{CLICK_PATH}/"), Slot(CLICK.output, Escape.PLAIN), Text(f"/{mark}"))
                out += [*_between(nodes, position, start), *own]
                position = end
        out += _between(nodes, position, len(flat))
        return self._in_branches(tuple(out), following)

    def _in_branches(self, nodes: Nodes, following: str) -> Nodes:
        flat, at = _flat(nodes), 0
        out: list[Node] = []
        for node in nodes:
            at += len(node.text) if isinstance(node, Text) else 1
            if isinstance(node, Branch):
                behind = flat[at:] or following
                arms = tuple((condition, self.in_text(body, behind)) for condition, body in node.arms)
                node = Branch(arms, self.in_text(node.otherwise, behind))
            elif isinstance(node, Loop):
                behind = flat[at:] or following
                body = self.in_text(node.body, _behind_turn(node, behind))
                node = Loop(body, self.in_text(node.otherwise, behind), node.limit)
            out.append(node)
        return tuple(out)

    def _mark(self, address: Sequence[Node]) -> str | None:
        """The mark under which an address is kept as a target; None for one that is not counted: of another scheme, the house's own, or
        with tags that have no value of their own, such as the fields of a service in a list."""
        nodes = _plain(address)
        target = source_of(nodes)
        is_ours = target == self._base or target.startswith(f"{self._base}/")
        if is_ours or not _WEB.match(target) or any(loops_in(nodes)):
            return None
        if not set(names_in(nodes)) <= BY_NAME.keys() - LINK_NAMES:
            return None
        mark = blake2b(target.encode(), key=self._key, person=b"link", digest_size=6).hexdigest()
        self.targets.setdefault(mark, nodes)
        return mark


def filled(target: str, names: Sequence[str], values: Sequence[str] | None) -> str | None:
    """A kept target as an address in ASCII (RFC 3986), with a recipient's values in place of its tags; `names` has those of the values.
    None where it can be no address any more: its tags have no values."""
    nodes = parse(target, field="subject")
    if any(names_in(nodes)) and values is None:
        return None
    address = _filled(nodes, names, [clean(value) for value in values or ()])
    scheme, _, rest = address.partition("://")
    host = rest[: re.search(r"[/?#]|\Z", rest).start()]  # type: ignore[union-attr]
    return f"{scheme}://{_in_ascii(host)}{quote(rest[len(host) :], safe=_PRINTABLE)}"


def _filled(nodes: Nodes, names: Sequence[str], values: Sequence[str]) -> str:
    out = []
    for node in nodes:
        match node:
            case Text():
                out.append(node.text)
            case Slot():
                out.append(escape(value_of(node.output, names)(values), Escape.URL))
            case Branch():
                chosen = next(
                    (body for condition, body in node.arms if holds(condition, names)(values)), node.otherwise
                )
                out.append(_filled(chosen, names, values))
            case Loop():
                raise ValueError("a counted address holds no list")
    return "".join(out)


def _in_ascii(host: str) -> str:
    """A host, with a port or a user before it, as programs look it up (RFC 5891)."""
    if host.isascii():
        return host
    user, at, rest = host.rpartition("@")
    name, colon, port = rest.partition(":")
    try:
        name = idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        name = quote(name)
    return f"{quote(user, safe=_PRINTABLE)}{at}{name}{colon}{port}"


def _nodes(address: str, words: Placeholders, tags: Sequence[Slot | Block]) -> Nodes:
    """The tree of an attribute's value. Conditions begin and end in it, as `document.finish` has made sure."""
    address = address.strip(_AROUND)
    items: list[str | Slot | Block] = []
    position = 0
    for match in words.pattern.finditer(address):
        items += (address[position : match.start()], tags[int(match["number"])])
        position = match.end()
    return nest([*items, address[position:]])


def _plain(nodes: Sequence[Node]) -> Nodes:
    """As browsers read it, and without braces, of which tags are made."""
    out: list[Node] = []
    for node in nodes:
        if isinstance(node, Text):
            text = _IGNORED.sub("", node.text).replace(" ", "%20").replace("{", "%7B").replace("}", "%7D")
            out += [Text(text)] if text else []
        elif isinstance(node, Branch):
            out.append(Branch(tuple((one, _plain(body)) for one, body in node.arms), _plain(node.otherwise)))
        else:  # a list among them: such an address is not counted
            out.append(node)
    return tuple(out)


def _without_punctuation(address: str) -> str:
    """An address in a text without what ends the sentence around it."""
    while address[-1:] in _SENTENCE or (address.endswith(")") and "(" not in address):
        address = address[:-1]
    return address


def _flat(nodes: Nodes) -> str:
    """The nodes as one text of their sizes."""
    return "".join(
        node.text if isinstance(node, Text) else _SLOT if isinstance(node, Slot) else _kind(node) for node in nodes
    )


def _kind(branch: Branch | Loop) -> str:
    if isinstance(branch, Loop):
        return _BRANCH
    bodies = (*(body for _, body in branch.arms), branch.otherwise)
    return _BRANCH if any(_ENDS.search(_flat(body)) or _BRANCH in _flat(body) for body in bodies) else _PART


def _behind_turn(loop: Loop, behind: str) -> str:
    """What comes after the body of a list: the next turn of it or, after the last, what is behind the list. An address ends there only
    where it ends before both."""
    again = _flat(loop.body)
    return behind if not again or _ENDS.match(again) else again


def _between(nodes: Nodes, start: int, end: int) -> list[Node]:
    """What of the nodes stands from `start` to before `end` of their flat text."""
    found: list[Node] = []
    at = 0
    for node in nodes:
        size = len(node.text) if isinstance(node, Text) else 1
        first, last = max(start - at, 0), min(end - at, size)
        if first < last:
            found.append(Text(node.text[first:last]) if isinstance(node, Text) else node)
        at += size
    return found
