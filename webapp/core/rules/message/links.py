"""Addresses of links and pictures: what a mail program can follow, what is put right, and what is wrong with the others, in words.

Whoever cleans a source and whoever lists what the cleaning takes away ask here, so that nothing goes without a word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

import nh3

from webapp.core.rules import markup
from webapp.core.rules.media.names import is_own_cid


@dataclass(frozen=True, slots=True)
class Judged:
    """`value` is the address as it goes into the mail, None where the attribute goes. `complaint` is a whole sentence for the person who
    writes, "" where all is well."""

    value: str | None
    complaint: str = ""


_IGNORED = re.compile("[\t\n\r\x0c]")
"""Browsers leave these out of an address, wherever they stand (URL standard, section 4.4)."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[A-Za-z]{2,}(?::\d+)?(?:[/?#]|\Z)")
_FILE = re.compile(r"[\w.-]+\.(?:html?|php|aspx?|jpe?g|png|gif|svg|webp|pdf|css)(?:[?#]|\Z)", re.IGNORECASE)
LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "sms", "webcal", "whatsapp", "geo"})
PICTURE_SCHEMES = frozenset({"http", "https", "cid"})
_MOST = 60


def link(address: str) -> Judged:
    """The address of a link. What a browser would take for one of the web (`www.example.com`, `//example.com`) gets its `https://`.

    >>> link("www.example.com/renew").value
    'https://www.example.com/renew'
    >>> link("/help").complaint
    'The link “/help” has no https:// and no domain. It is left out, as nobody could follow it.'
    """
    plain = _plain(address)
    if not plain:
        return Judged(None, "This link has no address, so it leads nowhere.")
    if plain.startswith("#"):
        named = len(plain) > 1
        return Judged(address, "" if named else "The link “#” leads nowhere: write the address it should have.")
    scheme = _scheme_of(plain)
    if not scheme:
        return _without_scheme(address, plain, "link")
    if scheme in ("http", "https"):
        return Judged(address, _of_web(plain, scheme, "link")) if _readable(plain) else _unreadable(plain, "link")
    if scheme == "file" or len(scheme) == 1:
        return Judged(None, f"The link {_shown(plain)} leads to a file on one computer. It is left out.")
    if scheme not in LINK_SCHEMES:
        return Judged(
            None, f"The link {_shown(plain)} begins with {scheme}:, which a mail cannot carry. It is left out."
        )
    if scheme == "mailto" and "@" not in plain and "?" not in plain:
        return Judged(address, f"The link {_shown(plain)} holds no mail address.")
    return Judged(address)


def picture(address: str) -> Judged:
    """The address of a picture, a background included."""
    plain = _plain(address)
    if not plain:
        return Judged(None, "This picture has no address. It is left out.")
    scheme = _scheme_of(plain)
    if not scheme:
        return _without_scheme(address, plain, "picture")
    if scheme == "data":
        return Judged(
            None,
            "A picture is written into the HTML itself (data:). Most mail programs do not show such pictures, so it is left out: "
            "put it on a web server and give its https:// address.",
        )
    if scheme == "file" or len(scheme) == 1:
        return Judged(None, f"The picture {_shown(plain)} lies on one computer. It is left out.")
    if scheme == "cid":
        words = f"The picture {_shown(plain)} is not part of this mail, so it is left out: upload it, or give its https:// address."
        return Judged(address) if is_own_cid(plain) else Judged(None, words)
    if scheme not in PICTURE_SCHEMES:
        return Judged(
            None, f"The picture {_shown(plain)} begins with {scheme}:, which a mail cannot carry. It is left out."
        )
    if not _readable(plain):
        return _unreadable(plain, "picture")
    if complaint := _of_web(plain, scheme, "picture"):
        return Judged(address, complaint)
    if scheme == "http":
        return Judged(
            address, f"The picture {_shown(plain)} has http://. Many mail programs show only pictures from https://."
        )
    return Judged(address)


def pictures(srcset: str) -> Judged:
    """A list of pictures for screens of different density (`srcset`). It stays where each of them could stay as it is."""
    for candidate in srcset.split(","):
        address = candidate.split()[0] if candidate.split() else ""
        judged = picture(address)
        if judged.value != address:
            return Judged(None, judged.complaint or f"The list of pictures {_shown(srcset)} is left out.")
    return Judged(srcset)


def anchor(address: str) -> Judged:
    """The name of an image map: `#name`."""
    plain = _plain(address)
    return Judged(address) if plain.startswith("#") else Judged(None, f"{_shown(plain)} is no image map of this mail.")


ADDRESSES: dict[str, Callable[[str], Judged]] = {
    "href": link,
    "src": picture,
    "background": picture,
    "srcset": pictures,
    "usemap": anchor,
}
"""Attributes that hold an address, and who judges it."""


def _plain(address: str) -> str:
    """As browsers read it: without controls around it and line ends in it."""
    return _IGNORED.sub("", address).strip("".join(map(chr, range(33))))


def _scheme_of(plain: str) -> str:
    """In lower case; "" where there is none, or where a port was taken for it (`example.com:8080`)."""
    match = _SCHEME.match(plain)
    if not match or re.match(r"[\w.-]+\.[A-Za-z]{2,}:\d", plain):
        return ""
    return match[1].lower()


def _without_scheme(address: str, plain: str, what: str) -> Judged:
    if plain.startswith("//") and re.match(r"//[^/\\\s]+\.", plain):
        return Judged(
            "https:" + plain,
            f"The {what} {_shown(plain)} has no https: before it. The mail gets it, as there is no page that it could be taken from.",
        )
    if plain.lower().startswith("www."):
        return Judged("https://" + plain, f"The {what} {_shown(plain)} has no https:// before it. The mail gets it.")
    left = "It is left out, as nobody could follow it." if what == "link" else "It is left out, as nobody could see it."
    if _DOMAIN.match(plain) and not _FILE.match(plain):
        return Judged(None, f"The {what} {_shown(plain)} has no https:// before it. {left}")
    if re.fullmatch(r"[^\s@/]+@(?:[\w-]+\.)+\w+", plain):
        return Judged(None, f"The {what} {_shown(plain)} has no mailto: before it. {left}")
    return Judged(None, f"The {what} {_shown(plain)} has no https:// and no domain. {left}")


@lru_cache(maxsize=4096)
def _readable(plain: str) -> bool:
    """Whether browsers can read the address (URL standard); the cleaner would take one away that they cannot."""
    return "href" in _READER.clean(f'<a href="{markup.quoted(plain)}">x</a>')


_READER = nh3.Cleaner(tags={"a"}, attributes={"a": {"href"}}, url_schemes={"http", "https"}, link_rel=None)


def _unreadable(plain: str, what: str) -> Judged:
    return Judged(None, f"The {what} {_shown(plain)} cannot be read as an address. It is left out.")


def _of_web(plain: str, scheme: str, what: str) -> str:
    """What is wrong with an address of the web."""
    if not plain.lower().startswith(f"{scheme}://") or not plain[len(scheme) + 3 :].strip("/"):
        return f"The {what} {_shown(plain)} is not whole: after {scheme}:// comes the domain."
    try:
        host = urlsplit(plain).hostname or ""
    except ValueError:
        return f"The {what} {_shown(plain)} cannot be read as an address."
    if host in ("http", "https"):
        return f"The {what} {_shown(plain)} begins twice: {scheme}:// stands in it two times."
    if _only_here(host):
        return f"The {what} {_shown(plain)} leads to {host}, which only computers near yours can reach."
    if "." not in host and ":" not in host:
        return f"The {what} {_shown(plain)} has no whole domain."
    if re.search(r"\s", plain.partition("?")[0][len(scheme) + 3 :].partition("/")[0]):
        return f"The {what} {_shown(plain)} has a blank in its domain."
    return ""


def _only_here(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".lan", ".internal", ".test", ".invalid")):
        return True
    try:
        found = ip_address(host)
    except ValueError:
        return False
    return not found.is_global


def _shown(text: str) -> str:
    return f"“{text}”" if len(text) <= _MOST else f"“{text[:_MOST]}…”"
