"""What the list of an inbox shows of a mail: its sender, its subject and how it begins, each cut where there is no more room.

How much fits depends on the letters and the screen. The numbers are of the usual phones and windows, with letters of middle width.
"""

import html as entities
import re
from dataclasses import dataclass

from webapp.core.rules.preflight.findings import Family, Finding, Severity


@dataclass(frozen=True, slots=True)
class InboxProgram:
    """A mail program, and how many characters it shows of each."""

    name: str
    sender: int
    subject: int
    preheader: int


PROGRAMS = (
    InboxProgram("Gmail on a phone", 22, 37, 40),
    InboxProgram("Outlook", 30, 55, 55),
    InboxProgram("Apple Mail on a phone", 26, 48, 99),
)
SUBJECT_ON_PHONES = min(program.subject for program in PROGRAMS)
PREHEADER_ON_PHONES = min(program.preheader for program in PROGRAMS)
SUBJECT_ANYWHERE = 70
"""No list of an inbox shows more of a subject."""
SHORT_PREHEADER = 20


@dataclass(frozen=True, slots=True)
class InboxLine:
    """How one program shows a mail in its list."""

    program: str
    sender: str
    subject: str
    preheader: str


_NO_WORDS = re.compile(
    r"<(style|script|title|head)\b[^>]*>.*?</\1\s*>|<!--\[if[^>]*>.*?<!\[endif\]-->|<!--.*?-->",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<[^<>]*>")
_FILLER = re.compile("(?:[\u00a0\u2007\u200b\u200c\u200d\u034f\u00ad\ufeff]\\s?){10,}")
"""What nobody sees, and what is shown in the place of the mail's first words: a preheader ends so."""
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060-\u2064\ufeff]")
ENOUGH = 200


def beginning(html: str | None, text: str) -> str:
    """The first words of a mail, as an inbox shows them beside its subject: of the HTML where there is one, a hidden preheader first."""
    if html:
        text = entities.unescape(_TAG.sub(" ", _NO_WORDS.sub(" ", html)))
    shown = _FILLER.split(text.lstrip()[: 50 * ENOUGH], maxsplit=1)[0]
    return " ".join(_INVISIBLE.sub("", shown).split())[:ENOUGH]


def lines(sender: str, subject: str, begins: str) -> list[InboxLine]:
    """The mail in the lists of the three programs. `sender` is the name, or the address where there is none."""
    return [
        InboxLine(one.name, cut(sender, one.sender), cut(subject, one.subject), cut(begins, one.preheader))
        for one in PROGRAMS
    ]


def cut(words: str, most: int) -> str:
    """The words, with "…" as the last of `most` characters where they are longer.

    >>> cut("Maintenance", 8)
    'Mainten…'
    """
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def of_subject(subject: str) -> list[Finding]:
    """What is to be said of the length of a subject, as its first recipient sees it."""
    length = len(subject)
    if length <= SUBJECT_ON_PHONES:
        return []
    is_long = length > SUBJECT_ANYWHERE
    most = SUBJECT_ANYWHERE if is_long else SUBJECT_ON_PHONES
    return [
        Finding(
            f"The subject has {length} characters. {'No inbox shows' if is_long else 'Phones show'} more than about {most}.",
            "content",
            "subject",
            f"It ends there with “{cut(subject, most)[-24:]}”. What matters should stand before.",
            Family.INBOX,
            Severity.WARNING if is_long else Severity.HINT,
            "inbox.subject",
            (subject,),
        )
    ]


def of_preheader(preheader: str, begins: str) -> list[Finding]:
    """What is to be said of the words beside the subject. `preheader` is what was written for them, `begins` what is shown without it."""
    said = " ".join(preheader.split())
    if not said:
        shows = f"Programs show how the mail begins: “{cut(begins, PREHEADER_ON_PHONES)}”." if begins else ""
        return [
            Finding(
                "There is no preheader.",
                "content",
                "preheader",
                f"{shows} It is the second thing that people read, before they open it.".strip(),
                Family.INBOX,
                Severity.HINT,
                "inbox.preheader",
            )
        ]
    if len(said) < SHORT_PREHEADER:
        words = f"The preheader has {len(said)} characters, and the beginning of the mail follows it in the same line."
    elif len(said) > max(program.preheader for program in PROGRAMS):
        words = f"The preheader has {len(said)} characters. Phones show about {PREHEADER_ON_PHONES}, the widest programs 99."
    else:
        return []
    why = "It reads best with 40 to 90, the point first."
    return [Finding(words, "content", "preheader", why, Family.INBOX, Severity.HINT, "inbox.preheader", (said,))]
