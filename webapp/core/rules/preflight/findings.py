"""One thing found before a mass mail leaves."""

from dataclasses import dataclass
from enum import StrEnum

from webapp.core.rules import digests


class Severity(StrEnum):
    """What a finding asks of whoever sends. An error blocks; a warning wants a tick, so that nobody sends past it unread; a hint is only
    said."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Family(StrEnum):
    """What findings are grouped by, in the order in which they are shown."""

    INBOX = "inbox"
    MAIL = "mail"
    RECIPIENTS = "recipients"
    SENDING = "sending"

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Family.INBOX: "In the inbox",
    Family.MAIL: "The mail",
    Family.RECIPIENTS: "Who gets it",
    Family.SENDING: "How and when it goes",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend or to know: `message` says what, `why` what comes of it, each in whole sentences; step (`room`) and place on its
    page are where it is mended. A tick holds for the `about` of its `rule`; where that is empty, for the message as it stands. Of a mass
    mail in several languages `language` is that of the text it is about, "" for the main one, and `text_name` says it in words."""

    message: str
    room: str
    place: str = ""
    why: str = ""
    family: Family = Family.MAIL
    severity: Severity = Severity.WARNING
    rule: str = ""
    about: tuple[str | int, ...] = ()
    language: str = ""
    text_name: str = ""

    @property
    def words(self) -> str:
        """What is said, with the language of the text where there are several."""
        if not self.text_name:
            return self.message
        first, rest = self.message[:1], self.message[1:]
        return f"{self.text_name}: {first if rest[:1].isupper() else first.lower()}{rest}"

    @property
    def fingerprint(self) -> str:
        """Equal for findings that say the same, so that a tick given for one holds for the other, and for nothing else."""
        return digests.digest([self.rule, self.room, *(self.about or (self.message,)), *filter(None, [self.language])])


def shown(words: str, most: int = 60) -> str:
    """Somebody's own words in quotation marks, cut where they are long."""
    words = " ".join(words.split())
    return f"“{words}”" if len(words) <= most else f"“{words[:most].rstrip()}…”"


def listed(words: list[str], last: str = "and") -> str:
    """ "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""
