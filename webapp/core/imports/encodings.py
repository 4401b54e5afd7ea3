"""In which encoding a text was written: what one may choose, the first guess, and what the choices make of the file's own letters.

Encodings of one byte a letter cannot be told apart by a program, only by somebody who knows the names. So a guess among them is never a
decision: whoever imports sees what each choice makes of some words of the file.
"""

import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 without a mark, little end first",
    "utf-16-be": "UTF-16 without a mark, big end first",
    "cp1252": "Windows-1252, Western Europe",
    "mac_roman": "Mac Roman, Western Europe",
    "cp850": "DOS 850, Western Europe",
    "cp1250": "Windows-1250, Central Europe",
    "cp1257": "Windows-1257, Baltic",
    "cp1251": "Windows-1251, Cyrillic",
    "koi8-r": "KOI8-R, Cyrillic",
    "cp1253": "Windows-1253, Greek",
    "cp1254": "Windows-1254, Turkish",
    "cp1255": "Windows-1255, Hebrew",
    "cp1256": "Windows-1256, Arabic",
    "shift_jis": "Shift JIS, Japanese",
    "gb18030": "GB 18030, Chinese",
    "big5": "Big5, Chinese",
    "euc_kr": "EUC-KR, Korean",
}
"""Encodings one may choose, with their labels; among equals the first is guessed."""

UNREADABLE = "\ufffd"
"""Stands where bytes mean nothing in the file's encoding."""

_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be"})
_OLD = [name for name in ENCODINGS if name != "utf-8" and name not in _WIDE]
_WESTERN = "cp1252"
_AMONG_EQUALS = 0.1
"""Guesses of charset-normalizer whose mess differs by no more than this are told apart by their letters."""


@dataclass(frozen=True)
class EncodingChoice:
    """What an encoding makes of some words of the file; `unreadable` counts the letters that mean nothing in it."""

    encoding: str
    label: str
    words: tuple[str, ...]
    unreadable: int


def guess(words: Sequence[bytes]) -> str:
    """The likeliest encoding of words that are not UTF-8: of those that charset-normalizer holds possible the one with the best words."""
    text = b"\n".join(words)
    if not text:
        return _WESTERN
    found = [match for match in from_bytes(text, cp_isolation=_OLD) if _known(match.encoding)]
    least = min((match.chaos for match in found), default=0.0)
    possible = {_known(match.encoding) for match in found if match.chaos <= least + _AMONG_EQUALS} | {_WESTERN}
    return min(possible, key=lambda name: (_oddity(text.decode(name, "replace")), _OLD.index(name)))


def choices(words: Sequence[bytes], encoding: str) -> list[EncodingChoice]:
    """What each encoding makes of these words: the present one first, then those that can read them all, the likeliest first."""
    made = []
    for name, label in ENCODINGS.items():
        read = tuple(word.decode(name, "replace") for word in words)
        made.append(EncodingChoice(name, label, read, sum(text.count(UNREADABLE) for text in read)))
    return sorted(
        made,
        key=lambda one: (
            one.encoding != encoding,
            one.unreadable > 0,
            one.encoding in _WIDE,
            _oddity("\n".join(one.words)),
        ),
    )


def beside(letters: Collection[str]) -> str:
    """In what the few lines of a UTF-8 file that are not UTF-8 are likely written: the encoding that can write most of the other lines'
    letters."""

    def lacking(name: str) -> int:
        return sum(not letter.encode(name, "ignore") for letter in letters)

    return min(("cp1252", "cp1250", "cp1257", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256"), key=lacking)


def without_mark(start: bytes) -> str | None:
    """UTF-16 that does not say so: every second octet of a text in Latin letters is zero. None where it is not."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if half and odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    if half and even > 0.4 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _known(name: str) -> str:
    """The key of ENCODINGS under which charset-normalizer's name is known here; "" for none."""
    name = name.replace("koi8_r", "koi8-r")
    return name if name in _OLD else ""


_COMMON = frozenset("äöüßéèêëàâçîïôûñáíóúåæøãõìòùěščřžýůťďňąćęłńśźżőűășțâîāčēģīķļņšūžėįųığş’‘“”–«»€°")
"""Letters of Latin names, small, and signs that stand between them."""


def _oddity(text: str) -> float:
    """How little the letters outside ASCII look like those of names; 0 for names in one script in their usual case. By letter."""
    odd = count = 0.0
    before = " "
    for letter in text:
        if not letter.isascii():
            count += 1
            odd += _letter_oddity(before, letter)
        before = letter
    return round(odd / count, 2) if count else 0.0


def _letter_oddity(before: str, letter: str) -> float:
    if letter == UNREADABLE or unicodedata.category(letter).startswith("C"):
        return 6
    if letter.lower() in _COMMON:
        if before.islower() and letter.isupper():
            return 2
        return 0.4 if letter.isalpha() and not before.isascii() and before.isalpha() else 0
    if not letter.isalpha():
        return 3
    script, last = _script(letter), _script(before)
    if before.isalpha() and script != last:
        return 3
    if before.islower() and letter.isupper():
        return 2
    return {"LATIN": 0.7, "HALFWIDTH": 0.7, "HANGUL": 0.05}.get(script, 0.1)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
