"""What a fault family found."""

import sys
from dataclasses import dataclass, field


@dataclass
class Result:
    """One family's findings. `met` is the promise kept; `notes` say what was measured, and where it was not, what went wrong.

    `runs` is how often the fault was made, `mails` how many mails were frozen in all of them. `lost`: neither taken by the server nor
    accounted for in the ledger. `duplicates`: taken more often than once beyond what the promise allows. `uncertain`: rows in doubt.
    `failures` are those of the notes that say what was not kept.
    """

    name: str
    runs: int = 0
    mails: int = 0
    lost: int = 0
    duplicates: int = 0
    uncertain: int = 0
    met: bool = True
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, where: str, *, mails: int, lost: int = 0, duplicates: int = 0, uncertain: int = 0) -> None:
        """Count one run, made at `where`."""
        self.runs += 1
        self.mails += mails
        self.lost += lost
        self.duplicates += duplicates
        self.uncertain += uncertain
        if lost or duplicates:
            self.broken(f"{where}: of {mails:,} mails {lost:,} lost, {duplicates:,} too many")

    def join(self, other: "Result") -> None:
        """Count the runs of another finding as this one's."""
        self.runs += other.runs
        self.mails += other.mails
        self.lost += other.lost
        self.duplicates += other.duplicates
        self.uncertain += other.uncertain
        self.met = self.met and other.met
        self.notes += other.notes
        self.failures += other.failures

    def broken(self, note: str) -> None:
        """The promise was not kept. Said at once, too: somebody may end the run before it is over."""
        print(f"{self.name} is not met: {note.splitlines()[0]:.300}", file=sys.stderr, flush=True)
        self.met = False
        self.notes.append(f"NOT MET: {note}")
        self.failures.append(note)

    def row(self) -> dict[str, object]:
        """The columns of the JSON report."""
        return {
            "name": self.name,
            "runs": self.runs,
            "mails": self.mails,
            "lost": self.lost,
            "duplicates": self.duplicates,
            "uncertain": self.uncertain,
            "met": self.met,
        }
