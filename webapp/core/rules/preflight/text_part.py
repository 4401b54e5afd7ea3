"""A plain text part that was written by hand for another body."""

from webapp.core.rules import digests
from webapp.core.rules.likeness import words
from webapp.core.rules.preflight.findings import Finding


def body_digest(html: str) -> str:
    """Equal for bodies that say the same: of one that only looks otherwise, the text part is as good as before."""
    return digests.digest(words(html))


def of_parts(html: str, text: str | None, written_for: str | None) -> list[Finding]:
    """That the body says something else than when `text` was written for the body with the digest `written_for` (None: not known)."""
    if text is None or not html.strip() or written_for in (None, body_digest(html)):
        return []
    return [
        Finding(
            "The plain text part is older than the body.",
            "content",
            "text",
            "The body has changed since it was written by hand. Who reads the text, and every filter that compares the two, finds the old "
            "words there.",
            rule="text.older",
            about=(body_digest(html), digests.digest(text)),
        )
    ]
