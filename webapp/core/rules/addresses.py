"""Which text of an e-mail field is an address that a mail can be handed over for, and which two are the same."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from webapp.core.rules.entities import decoded
from webapp.core.rules.texts import shown, without_invisible

MAX_ADDRESS = 254
"""Octets of a whole address: RFC 5321 section 4.5.3.1.3 less the angle brackets of a path (RFC 3696, erratum 1690)."""
MAX_LOCAL = 64
"""Octets before the @: RFC 5321 section 4.5.3.1.1."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_COMMON_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_COMMON_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_CODED_LABEL = re.compile(r"(?:^|\.)..--")
_RESERVED = frozenset(SPECIAL_USE_DOMAIN_NAMES) - {"test"}
_NAMED = re.compile(r"([^<>]*)<([^<>]+)>[\s.,;]*")
"""A name and its address in angle brackets (RFC 5322 section 3.4)."""
_PLACEHOLDERS = frozenset(
    [
        *("-", "--", "---", "\u2013", "\u2014", "?", "\\n", "(none)", "(null)", "#n/a", "<none>", "<null>"),
        *("n/a", "n.a.", "none", "null", "unknown", "unbekannt", "keine", "kein", "no email", "noemail"),
    ]
)
_NAMES_TOO = frozenset(["na", "nan", "nil", "x", "."])
"""Placeholders where they stand alone; before a comma they may be the beginning of a name ("na,muster@…")."""
_LIGATURES = {"\ufb00": "ff", "\ufb01": "fi", "\ufb02": "fl", "\ufb03": "ffi", "\ufb04": "ffl"}
_JOINED = str.maketrans(_LIGATURES)
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Address:
    """A usable address. `address` is what stands in RCPT TO: the domain in lower case and IDNA2008, so that it is ASCII unless there are
    other letters before the @ (RFC 6531), and in NFC. `key` is the form in which two addresses are the same: without regard to case.
    `text` is the address as people read it. `repair` says in words what was mended to get there, or is None.
    """

    address: str
    key: str
    text: str
    repair: str | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """No mail can be sent. `problem` says why in plain words; `missing` is true where there is no address at all."""

    problem: str
    missing: bool = False


def usable(text: str) -> Address | Unusable:
    """The address in the text of an e-mail field as people and exports write it.

    Takes "Name <a@b.example>", "mailto:a@b.example", a trailing dot, invisible characters, full-width letters and signs, character
    references ("o&#039;neil@…"), IDN, and letters outside ASCII before the @. Of several addresses the first is taken, but only if every
    piece that is no placeholder is an address: "max,muster@b.example" is a slip in one address, and nobody knows which.
    """
    plain = text.strip()
    found = _common(plain, None)
    if found:
        return found
    clean, removed = without_invisible(plain)
    repairs = ["invisible characters removed"] if removed else []
    if (meant := decoded(clean)) != clean:
        clean = without_invisible(meant)[0]
        repairs.append("HTML's spelling of signs decoded")
    clean = " ".join(clean.replace("＠", "@").replace("﹫", "@").split())
    if not clean:
        return Unusable("no address", missing=True)
    if (quoted := clean.strip("'\"")) != clean and quoted.lower() in _PLACEHOLDERS | _NAMES_TOO:
        clean = quoted
    whole = _one(clean, repairs)
    if isinstance(whole, Address):
        return whole
    return _first_of(_pieces(clean), clean, repairs) or whole


def _one(text: str, repairs: list[str]) -> Address | Unusable:
    """One address, alone or in angle brackets behind a name; a name that is another address makes it two."""
    named = _NAMED.fullmatch(text)
    if not named:
        return _single(text, repairs)
    found = _single(named[2].strip(), [*repairs, "only the address is kept"])
    if isinstance(found, Address) and "@" in named[1]:
        name = _single(named[1].strip(), [])
        if not isinstance(name, Address) or name.key != found.key:
            return Unusable(f"“{shown(text, 120)}” has a second address before the brackets")
    return found


def _pieces(text: str) -> list[str]:
    """What stands in one field between separators that are outside of quotation marks and angle brackets, in its order."""
    pieces, start, inside = [], 0, ""
    for at, sign in enumerate(text):
        if inside:
            inside = "" if sign == inside else inside
        elif sign in '"<':
            inside = ">" if sign == "<" else '"'
        elif sign in ";,|":
            pieces.append(text[start:at])
            start = at + 1
    pieces.append(text[start:])
    whole = [piece.strip() for piece in pieces if piece.strip()]
    return [part for piece in whole for part in _words(piece)]


def _words(piece: str) -> list[str]:
    words = piece.split()
    return words if "<" not in piece and all("@" in word for word in words) else [piece]


def _first_of(pieces: list[str], text: str, repairs: list[str]) -> Address | Unusable | None:
    """The first of several addresses, with a word about the others; None where there is only one piece."""
    several = [piece for piece in pieces if piece.lower() not in _PLACEHOLDERS]
    if not several or (len(pieces) < 2 and pieces == [text]):
        return None
    found: list[Address] = []
    for piece in several:
        one = _one(piece, repairs)
        if isinstance(one, Unusable):
            if len(several) == 1:
                return one
            return Unusable(f"“{shown(text, 60)}”: “{shown(piece, 60)}” in it is not an address"[:200])
        found.append(one)
    taken = found[0]
    others = [piece for piece, one in zip(several, found, strict=True) if one.key != taken.key]
    left_out = [piece for piece in pieces if piece.lower() in _PLACEHOLDERS] if not others else []
    if others:
        said = f"several addresses: the first is kept, left out: {shown(', '.join(others), 120)}"
    elif left_out:
        said = f"left out: {shown(', '.join(left_out), 120)}"
    else:
        said = "only the address is kept"
    known = taken.repair.split("; ") if taken.repair else []
    repair = "; ".join([*known, *([said] if said not in known else [])])
    return Address(taken.address, taken.key, taken.text, repair)


def _single(text: str, repairs: list[str]) -> Address | Unusable:
    """One candidate, with what surrounds it by mistake taken off; `repairs` are those already made."""
    repairs = list(repairs)
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip()
        repairs.append("“mailto:” removed")
        if _PERCENT.search(text):  # RFC 6068 section 2: what stands there is coded
            text = unquote(text, errors="replace").strip()
            repairs.append("its % codes decoded")
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
        repairs.append("quotation marks removed")
    bare = text.rstrip(".,;: ")
    if bare != text and "@" in bare:
        repairs.append(f"“{text[len(bare) :].strip()}” at the end removed")
        text = bare
    usual = _usual(text)
    if usual != text:
        text = usual
        repairs.append("full-width or joined letters written as usual ones")
    repair = "; ".join(repairs) or None
    return _common(text, repair) or _checked(text, repair)


def _usual(text: str) -> str:
    """The text with full-width and half-width forms and typesetters' joined letters as the usual ones.

    Other characters that Unicode calls compatible are not: "ada²@…" is not ada2, and "①" is not 1.
    """
    if text.isascii():
        return text
    local, at, domain = text.rpartition("@")
    usual = unicodedata.normalize("NFC", "".join(map(_narrow, local)).translate(_JOINED))
    domain = "".join(map(_narrow, domain)).replace("\u3002", ".")  # a dot of CJK (RFC 5895 section 2.2)
    return f"{usual if usual.isascii() else local}{at}{domain}"


def _narrow(sign: str) -> str:
    wide = unicodedata.decomposition(sign).startswith(("<wide>", "<narrow>"))
    return unicodedata.normalize("NFKC", sign) if wide else sign


def _common(text: str, repair: str | None) -> Address | None:
    """The quick way for nearly every address; it accepts only what `_checked` accepts, with the same result."""
    local, at, domain = text.rpartition("@")
    if not at:
        return None
    domain = domain.lower()
    candidate = f"{local}@{domain}"
    if len(local) > MAX_LOCAL or len(candidate) > MAX_ADDRESS:
        return None
    if not _is_common_domain(domain) or not _COMMON_LOCAL.fullmatch(local):
        return None
    return Address(candidate, candidate.lower(), text, repair)


@lru_cache(maxsize=4096)
def _is_common_domain(domain: str) -> bool:
    return (
        _COMMON_DOMAIN.fullmatch(domain) is not None
        and not _CODED_LABEL.search(domain)
        and domain.rpartition(".")[2] not in _RESERVED
    )


def _checked(text: str, repair: str | None) -> Address | Unusable:
    problem = _usual_mistake(text)
    if problem:
        return Unusable(problem)
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        return Unusable(f"“{shown(text, 60)}”: {_in_our_words(str(error))}"[:200])
    if not _is_same(text, valid.local_part, valid.domain):
        return Unusable(f"“{shown(text, 60)}” has a character that stands for another one: write it as it is meant")
    address = f"{valid.local_part}@{valid.ascii_domain}"
    if len(address.encode()) > MAX_ADDRESS:
        return Unusable(f"longer than {MAX_ADDRESS} characters")
    return Address(address, _key(address), unicodedata.normalize("NFC", text), repair)


def _is_same(text: str, local: str, domain: str) -> bool:
    """Whether what was made of the text differs from it by case and composition alone.

    The mapping of domain names (UTS 46) makes "example2" of "example²" and forgets characters that cannot be seen: that would be another
    domain, which may be somebody's.
    """
    written, _, at_domain = unicodedata.normalize("NFC", text).rpartition("@")
    if written != local:
        return False
    try:
        plain = idna.decode(domain) if domain.isascii() and "xn--" in domain else domain
    except idna.IDNAError:
        plain = domain
    small = unicodedata.normalize("NFC", "".join(sign.lower() for sign in at_domain))
    return small in (plain, domain) or _in_ascii(small) == _in_ascii(domain)


def _in_ascii(domain: str) -> str | None:
    try:
        return idna.encode(domain).decode()
    except idna.IDNAError:
        return None


def _key(address: str) -> str:
    """Equal for addresses that differ only in case (Unicode, D145: canonical caseless match). For ASCII: the address in lower case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", address).casefold())


def _usual_mistake(text: str) -> str | None:
    """What people get wrong most, in words they know."""
    quoted = f"“{shown(text, 60)}”"
    if text.lower() in _PLACEHOLDERS | _NAMES_TOO:
        return f"{quoted} stands there instead of an address"
    if "@" not in text:
        return f"{quoted} is not an e-mail address: it has no @"
    if text.count("@") > 1:
        return f"{quoted} has more than one @"
    local, _, domain = text.partition("@")
    if not local:
        return f"{quoted} has nothing before the @"
    if not domain:
        return f"{quoted} has nothing after the @"
    if " " in text:
        return f"{quoted} has a space in it"
    if ".." in text:
        return f"{quoted} has two dots in a row"
    if "." not in domain:
        return f"{quoted} has no dot after the @"
    if len(unicodedata.normalize("NFC", local).encode("utf-8", "replace")) > MAX_LOCAL:
        unit = "characters" if local.isascii() else "octets"
        return f"{quoted} has more than {MAX_LOCAL} {unit} before the @"
    return None


@lru_cache(maxsize=64)
def _in_our_words(message: str) -> str:
    words = message.rstrip(".").replace("the @-sign", "the @").replace("period", "dot")
    words = words.replace("The email address", "it").replace("An email address", "it")
    return words[0].lower() + words[1:]
