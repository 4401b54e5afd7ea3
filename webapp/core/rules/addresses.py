"""Which text of an e-mail field is an address that a mail can be handed over for, and which two are the same."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

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
_BETWEEN = re.compile(r"\s*[;,|]\s*")
_BRACKETS = re.compile(r"<([^<>]*)>")
_PLACEHOLDERS = frozenset(["-", "--", "?", "n/a", "na", "none", "null", "nil", "unknown", "unbekannt", "keine", "kein"])


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

    Takes "Name <a@b.example>", "mailto:a@b.example", a trailing dot, invisible characters, full-width letters and signs, IDN, and
    letters outside ASCII before the @. Of several addresses the first usable one is taken.
    """
    plain = text.strip()
    found = _common(plain, None)
    if found:
        return found
    clean, removed = without_invisible(plain)
    clean = " ".join(clean.replace("＠", "@").replace("﹫", "@").split())
    if not clean:
        return Unusable("no address", missing=True)
    repairs = ["invisible characters removed"] if removed else []

    candidates = [part.strip() for part in _BRACKETS.findall(clean) if part.strip()]
    if candidates:
        repairs.append("only the address is kept")
    else:
        candidates = _several(clean)
    first = _single(candidates[0], repairs)
    for number, candidate in enumerate(candidates):
        taken = first if number == 0 else _single(candidate, repairs)
        if isinstance(taken, Address):
            others = [other for place, other in enumerate(candidates) if place != number]
            return _without(taken, others) if others else taken
    return first


def _several(text: str) -> list[str]:
    """The addresses of one field, in their order; the text itself where it does not look like several."""
    parts = [part for part in _BETWEEN.split(text) if part]
    words = text.split()
    if len(words) > 1 and all("@" in word for word in words):
        parts = [part for word in words for part in _BETWEEN.split(word) if part]
    return parts or [text]


def _without(taken: Address, others: list[str]) -> Address:
    left_out = f"several addresses: the first usable one is kept, left out: {shown(', '.join(others), 120)}"
    repair = f"{taken.repair}; {left_out}" if taken.repair else left_out
    return Address(taken.address, taken.key, taken.text, repair)


def _single(text: str, repairs: list[str]) -> Address | Unusable:
    """One candidate, with what surrounds it by mistake taken off; `repairs` are those already made."""
    repairs = list(repairs)
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip()
        repairs.append("“mailto:” removed")
    if len(text) > 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1].strip()
        repairs.append("quotation marks removed")
    bare = text.rstrip(".,;: ")
    if bare != text and "@" in bare:
        repairs.append(f"“{text[len(bare) :].strip()}” at the end removed")
        text = bare
    local, at, domain = text.rpartition("@")
    if not local.isascii() and (usual := unicodedata.normalize("NFKC", local)).isascii():
        text = f"{usual}{at}{domain}"
        repairs.append("full-width or joined letters written as usual ones")
    repair = "; ".join(repairs) or None
    return _common(text, repair) or _checked(text, repair)


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
    address = f"{valid.local_part}@{valid.ascii_domain}"
    if len(address.encode()) > MAX_ADDRESS:
        return Unusable(f"longer than {MAX_ADDRESS} characters")
    return Address(address, _key(address), unicodedata.normalize("NFC", text), repair)


def _key(address: str) -> str:
    """Equal for addresses that differ only in case (Unicode, D145: canonical caseless match). For ASCII: the address in lower case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", address).casefold())


def _usual_mistake(text: str) -> str | None:
    """What people get wrong most, in words they know."""
    quoted = f"“{shown(text, 60)}”"
    if text.lower() in _PLACEHOLDERS:
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
