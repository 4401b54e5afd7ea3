"""Words that filters have seen too often, with what is better. A small list: no word alone sends a mail to spam, and none is forbidden."""

import re
from collections.abc import Iterator, Sequence

from webapp.core.rules.preflight.findings import Family, Finding, Severity, listed, shown

_PRESSES = "it presses, as those who cheat do"
_TOO_GOOD = "it promises what is too good to be true"
_MONEY = "it is what mails about easy money say"
_WORDS: Sequence[tuple[str, str]] = (
    ("act now", _PRESSES),
    ("urgent action required", _PRESSES),
    ("limited time only", _PRESSES),
    ("last chance", _PRESSES),
    ("only today", _PRESSES),
    ("nur heute", _PRESSES),
    ("jetzt zuschlagen", _PRESSES),
    ("100% free", _TOO_GOOD),
    ("100 % gratis", _TOO_GOOD),
    ("risk-free", _TOO_GOOD),
    ("risk free", _TOO_GOOD),
    ("no obligation", _TOO_GOOD),
    ("satisfaction guaranteed", _TOO_GOOD),
    ("you have won", _TOO_GOOD),
    ("you are a winner", _TOO_GOOD),
    ("sie haben gewonnen", _TOO_GOOD),
    ("extra cash", _MONEY),
    ("earn money", _MONEY),
    ("make money", _MONEY),
    ("geld verdienen", _MONEY),
    ("click here", "it does not say where it leads; name the page instead"),
    ("hier klicken", "it does not say where it leads; name the page instead"),
    ("dear friend", "it greets nobody; use their name"),
    ("this is not spam", "only spam says so"),
)
_KNOWN = re.compile(
    "|".join(r"(?<!\w)" + r"\s+".join(map(re.escape, words.split())) + r"(?!\w)" for words, _ in _WORDS), re.IGNORECASE
)
_REASONS = dict(_WORDS)
_LOUD = re.compile(r"[!?]{2,}|!.*!|\${2,}|€{2,}")
_ANSWER = re.compile(r"\s*(?:re|fwd?|aw|wg)\s*:", re.IGNORECASE)
MOST_SHOWN = 4


def of_words(subject: str, text: str) -> list[Finding]:
    """What filters may dislike in a subject and in the words of a mail."""
    return [*_of_subject(subject), *_of_text(f"{subject}\n{text}")]


def _of_subject(subject: str) -> Iterator[Finding]:
    letters = [letter for letter in subject if letter.isalpha()]
    loud = len(letters) > 8 and sum(letter.isupper() for letter in letters) > 0.7 * len(letters)
    if loud:
        yield _hint("The subject is in capitals.", "It reads as shouting, to people and to filters.", "words.capitals")
    if match := _LOUD.search(subject):
        yield _hint(
            f"The subject has {shown(match[0], 20)} in it.",
            "One such sign is enough; filters count them.",
            "words.signs",
        )
    if match := _ANSWER.match(subject):
        yield _hint(
            f"The subject begins with {shown(match[0])}, as if it were an answer.",
            "Whoever has not written feels deceived, and filters know the trick.",
            "words.answer",
        )


def _of_text(text: str) -> Iterator[Finding]:
    found = dict.fromkeys(" ".join(match[0].lower().split()) for match in _KNOWN.finditer(text))
    if not found:
        return
    by_reason: dict[str, list[str]] = {}
    for words in found:
        by_reason.setdefault(_REASONS[words], []).append(shown(words))
    reasons = [f"{listed(words[:MOST_SHOWN])}: {reason}." for reason, words in by_reason.items()]
    yield Finding(
        f"Filters have seen {listed([shown(words) for words in found][:MOST_SHOWN])} too often.",
        "content",
        "html",
        " ".join(reasons),
        severity=Severity.HINT,
        rule="words.known",
    )


def _hint(message: str, why: str, rule: str) -> Finding:
    return Finding(message, "content", "subject", why, Family.INBOX, Severity.HINT, rule)
