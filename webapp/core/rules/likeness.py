"""When two mails say the same: a digest of subject and text, whatever they look like."""

import hashlib
import html
import re

_TAG = re.compile(r"<[^<>]*>")


def text_digest(subject: str, source: str, text: str | None) -> str:
    """Equal for contents with the same words in the same order in subject and text, in hex. Markup, white space and the case of letters do
    not matter. `text` is the plain text part, which counts where there is no HTML `source`; None or "" for none."""
    body = words(source) if source.strip() else text or ""
    said = "\n".join(" ".join(part.casefold().split()) for part in (subject, body))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def words(source: str) -> str:
    """The words of a source of HTML, in one line."""
    return " ".join(html.unescape(_TAG.sub(" ", source)).split())
