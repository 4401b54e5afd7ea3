"""Links that were never finished, or lead over an unprotected way. Judged by their form alone: nothing is fetched. What cannot work at all
is told by `left_out`."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from webapp.core.rules.markup import MarkupTag, tags_and_texts
from webapp.core.rules.preflight.findings import Finding, Severity, shown
from webapp.core.rules.preflight.left_out import SourceWithoutTags

_EXAMPLES = ("example.com", "example.net", "example.org", "example.edu", "example")
"""Reserved for examples (RFC 2606 sections 2 and 3)."""
_STAND_INS = re.compile(
    r"(?:www\.)?(?:your|my|our)[-_]?(?:domain|site|website|company|url|link)(?:[-_]?(?:name|here))?\.\w+|(?:www\.)?domain\.(?:com|tld)|"
    r"(?:www\.)?(?:todo|tbd|xxx+|changeme|placeholder)(?:\.\w+)*",
    re.IGNORECASE,
)
_UNFINISHED = re.compile(r"\b(?:TODO|TBD|FIXME|XXX+|CHANGE_?ME|INSERT[-_ ]\w+|YOUR[-_]\w+)\b|\[[^\]]*\]|<[^>]*>")


def of_html(source: str) -> list[Finding]:
    """What is to be said of the links of a source of HTML, each link once."""
    return list(dict.fromkeys(_found(source)))


def _found(source: str) -> Iterator[Finding]:
    plain = SourceWithoutTags(source, "html")
    unprotected: dict[str, None] = {}
    for tag in tags_and_texts(plain.plain):
        if not isinstance(tag, MarkupTag) or tag.element not in ("a", "area"):
            continue
        address = " ".join(plain.as_written(tag.attributes.get("href", "")).split())
        host = _host(address)
        if is_example(host):
            yield Finding(
                f"The link {shown(address)} leads to {host}, an address for examples.",
                "content",
                "html",
                "It belongs to nobody, so whoever follows it finds nothing of yours.",
                rule="links.example",
            )
        elif (host and _STAND_INS.fullmatch(host)) or (
            host and _UNFINISHED.search(plain.words.pattern.sub("", tag.attributes["href"]))
        ):
            yield Finding(
                f"The link {shown(address)} looks unfinished.",
                "content",
                "html",
                "It still has in it what was to be replaced.",
                rule="links.unfinished",
            )
        elif address.lower().startswith("http://"):
            unprotected[address] = None
    if unprotected:
        first, more = next(iter(unprotected)), len(unprotected) - 1
        also = f" and {more} more" if more else ""
        yield Finding(
            f"The link {shown(first)}{also} begin{'' if more else 's'} with http://.",
            "content",
            "html",
            "What is read and typed there can be seen on the way, and browsers warn of it. Write https://, if the page has it.",
            severity=Severity.HINT,
            rule="links.http",
        )


def is_example(host: str) -> bool:
    """Whether nobody can own this domain.

    >>> is_example("shop.example.com"), is_example("myexample.com")
    (True, False)
    """
    return any(host == name or host.endswith(f".{name}") for name in _EXAMPLES)


def _host(address: str) -> str:
    if not address.lower().startswith(("http://", "https://")):
        return ""
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""
