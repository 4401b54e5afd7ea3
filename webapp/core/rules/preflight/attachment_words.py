"""An attachment that a mail names and does not have, in eight languages."""

import re

from webapp.core.rules.preflight.findings import Finding, shown

_NAMED = {
    "English": r"attached|(?:see|find|in) (?:the|our|this) attachments?|as an attachment|enclosed (?:please )?(?:find|is|are|you)",
    "German": r"(?:im|als|siehe|den|dem) anhang|anhängend\w*|angehängt\w*|beigefügt\w*|in der anlage|anbei",
    "French": r"ci-joint\w*|en pi[eè]ce jointe|pi[eè]ces? jointes?|en annexe",
    "Spanish": r"adjunt[oa]s?|adjuntamos|en el (?:archivo|documento) adjunto",
    "Italian": r"in allegato|allegat[oaie]|alleghiamo",
    "Dutch": r"(?:in de|als) bijlage|bijgevoegd\w*|bijgaand\w*",
    "Polish": r"w załączniku|w załączeniu|załącz(?:am|amy|on[aey]|nik\w*)",
    "Portuguese": r"em anexo|(?:segue|seguem|veja|vide) (?:o |os )?anex[oa]s?|anexamos|anexad[oa]s?",
}
_FIGURATIVE = re.compile(r"attached (?:service|domain|addon|account|card|disk|volume)", re.IGNORECASE)
_PATTERNS = {language: re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) for language, words in _NAMED.items()}
LANGUAGES = tuple(_NAMED)


def named(text: str) -> str:
    """The words that name an attachment, "" where none do.

    >>> named("Die Rechnung finden Sie im Anhang.")
    'im Anhang'
    """
    text = _FIGURATIVE.sub(" ", " ".join(text.split()))
    matches = (pattern.search(text) for pattern in _PATTERNS.values())
    first = min((match for match in matches if match), key=lambda match: match.start(), default=None)
    return first[0] if first else ""


def of_text(text: str, *, attachments: int) -> list[Finding]:
    """That the words of a mail with so many `attachments` name one, and there is none."""
    words = "" if attachments else named(text)
    if not words:
        return []
    return [
        Finding(
            f"The mail says {shown(words)}, and has no attachment.",
            "content",
            "html",
            "Whoever looks for it will write to you.",
            rule="attachment.missing",
        )
    ]
