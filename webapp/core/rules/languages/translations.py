"""What has changed in a text since it was translated, paragraph by paragraph.

A translation keeps short digests of what its original said, and no second copy of it. That is enough to point at each field and paragraph
that the translator has not seen yet.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from html import unescape

Seen = Mapping[str, Sequence[str]]
"""By the name of a field the digests of its paragraphs, as they were translated."""

_BLOCKS = (
    "address article aside blockquote br caption center dd div dl dt figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main nav"
    " ol p pre section table tbody td tfoot th thead title tr ul"
)
_BREAK = re.compile(rf"</?(?:{'|'.join(_BLOCKS.split())})\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(r"<!--.*?-->|<(style|script|head)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_TARGETS = re.compile(r"""\b(?:href|src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the original, as plain words. `is_new`: the translator has not seen it as it is now."""

    text: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class FieldSince:
    """A field of the original beside its translation. `gone` is how many paragraphs that were translated are not there any more."""

    name: str
    paragraphs: tuple[Paragraph, ...]
    gone: int

    @property
    def has_changed(self) -> bool:
        return bool(self.gone) or any(one.is_new for one in self.paragraphs)


def seen(fields: Mapping[str, str]) -> dict[str, list[str]]:
    """What to keep of the original that a translation was made from: `fields` are its sources by name."""
    return {name: [digest for _, digest in _paragraphs(name, source)] for name, source in fields.items()}


def since(fields: Mapping[str, str], known: Seen | None) -> list[FieldSince]:
    """The original as it is now, in the order of its fields, with what is new since `known` was kept (None: nobody has translated it, and
    nothing is marked)."""
    return [_since(name, source, None if known is None else known.get(name, ())) for name, source in fields.items()]


def _since(name: str, source: str, known: Sequence[str] | None) -> FieldSince:
    left = Counter(known or ())
    found = []
    for text, digest in _paragraphs(name, source):
        is_known = known is None or left[digest] > 0
        left[digest] -= 1
        found.append(Paragraph(text, not is_known))
    gone = 0 if known is None else sum(number for number in left.values() if number > 0)
    return FieldSince(name, tuple(found), gone)


def _paragraphs(name: str, source: str) -> list[tuple[str, str]]:
    """Each paragraph in plain words, with a digest of these and of where its links and pictures lead."""
    pieces = _BREAK.split(_UNSEEN.sub(" ", source)) if name == "html" else source.split("\n")
    found = []
    for piece in pieces:
        targets = [one for pair in _TARGETS.findall(piece) for one in pair if one] if name == "html" else []
        text = " ".join((unescape(_TAG.sub("", piece)) if name == "html" else piece).split())
        if text or targets:
            said = "\0".join((text, *targets)).encode("utf-8", "surrogatepass")
            found.append((text or " ".join(targets), blake2b(said, digest_size=8).hexdigest()))
    return found
