"""Names of stored files: 32 hexadecimal digits that nobody guesses, and the ending of the kind. In HTML a picture stands by its public
address, or as `cid:` and its name where it travels inside the mail."""

import re

PLACE = "media"
"""The room below the public address in which stored pictures are shown to everybody."""

NAME = r"[0-9a-f]{32}\.[a-z0-9]{1,8}"
_CID = re.compile(rf"cid:({NAME})")
_IS_CID = re.compile(rf"\s*cid:{NAME}\s*")
_ANY = re.compile(rf"\b{NAME}\b")


def is_own_cid(address: str) -> bool:
    """Whether an address is that of a picture of ours inside the mail.

    >>> is_own_cid("cid:0123456789abcdef0123456789abcdef.png"), is_own_cid("cid:logo@example.com")
    (True, False)
    """
    return _IS_CID.fullmatch(address) is not None


def inside(html: str) -> list[str]:
    """The names of the pictures that travel inside a mail with this HTML, each once, in their order."""
    return list(dict.fromkeys(_CID.findall(html)))


def named(text: str) -> set[str]:
    """Every name of a stored file that stands in a text, hosted or inside."""
    return set(_ANY.findall(text))


def shown(html: str, place: str, public_url: str) -> str:
    """The HTML of a mail as the console's own pages can show it: pictures of ours below `place`, be they inside the mail or at a public
    address.

    >>> shown('<img src="cid:0123456789abcdef0123456789abcdef.png">', "/media/", "https://mail.example.com")
    '<img src="/media/0123456789abcdef0123456789abcdef.png">'
    """
    hosted = f"{public_url}/{PLACE}/"
    if "cid:" not in html and hosted not in html:
        return html
    return re.sub(rf"(?:cid:|{re.escape(hosted)})({NAME})", lambda match: f"{place}{match[1]}", html)


def ending_of(file_name: str) -> str:
    """The last ending of a file's name in lower case, without its dot; "" for none.

    >>> ending_of("Report.final.PDF"), ending_of("README")
    ('pdf', '')
    """
    found = re.search(r"\.([^.\s/\\]{1,16})[.\s]*$", file_name)
    return found[1].lower() if found else ""


def plain_file_name(given: str, otherwise: str = "file") -> str:
    """A file's name as it may stand in a mail: without folders, controls, marks that turn the direction of writing round, quotes and runs
    of blanks; at most 150 characters, the ending kept."""
    name = given.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(character for character in name if character.isprintable() and character not in _UNFIT)
    name = " ".join(name.split()).strip(". ")
    if len(name) > MOST_OF_A_NAME:
        stem, dot, ending = name.rpartition(".")
        name = (
            f"{stem[: MOST_OF_A_NAME - len(ending) - 1]}{dot}{ending}"
            if dot and len(ending) < 20
            else name[:MOST_OF_A_NAME]
        )
    return name or otherwise


MOST_OF_A_NAME = 150
_UNFIT = frozenset('"<>:|?*\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
