"""What was found about a domain that mails come from: whether it is as receivers want it, why that matters, and the record to set."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class DomainTopic(StrEnum):
    """What is looked at, in the order in which it is shown."""

    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    MX = "mx"
    REVERSE = "reverse"
    MTA_STS = "mta_sts"

    @property
    def label(self) -> str:
        return {"reverse": "Reverse name", "mta_sts": "MTA-STS"}.get(self.value, self.value.upper())


class DomainStanding(StrEnum):
    """How it stands. UNKNOWN: it could not be looked up, or nobody has said what to look for; never said to be missing then."""

    GOOD = "good"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"

    @property
    def label(self) -> str:
        return {"good": "Good", "missing": "Missing", "wrong": "Wrong", "unknown": "Not known"}[self.value]


class DnsRecord(NamedTuple):
    """A record to set, as the panels of DNS ask for it: the name is whole."""

    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class DomainFinding:
    """`what` was found and `why` it matters, as whole sentences; `records` are to be set; `notes` are worth knowing and no fault."""

    topic: DomainTopic
    standing: DomainStanding
    what: str
    why: str = ""
    records: tuple[DnsRecord, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_json(cls, said: dict[str, Any]) -> "DomainFinding":
        records = tuple(DnsRecord(*record) for record in said["records"])
        standing, notes = DomainStanding(said["standing"]), tuple(said["notes"])
        return cls(DomainTopic(said["topic"]), standing, said["what"], said["why"], records, notes)


def away(topic: DomainTopic, words: str) -> DomainFinding:
    """DNS did not answer."""
    return DomainFinding(
        topic, DomainStanding.UNKNOWN, f"This could not be looked up: {words}. It says nothing about the record."
    )
