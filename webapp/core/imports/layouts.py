"""How a file is written: what reads it, and what is to be told or asked about that. Plain values, kept with the import."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from webapp.core.imports.encodings import ENCODINGS, EncodingChoice, choices

DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Bar"}


@dataclass(frozen=True)
class Signs:
    """What was seen in the whole file, whatever it is read as.

    `words` are some of its values with letters outside ASCII, their octets as Latin-1, where its encoding was guessed; empty where it is
    known. `strangers` lines of a UTF-8 file are not UTF-8 but probably `strangers_in`; `strange_words` are some of their values, likewise.
    `twice` lines look encoded twice; `twice_read` has some of their values, each beside what was meant. `above` are the lines above the
    column names. `first` is the first line's cells where it is not known whether they are column names.
    """

    words: tuple[str, ...] = ()
    strangers: int = 0
    strangers_in: str = ""
    strange_words: tuple[str, ...] = ()
    twice: int = 0
    twice_read: tuple[tuple[str, str], ...] = ()
    above: tuple[str, ...] = ()
    first: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layout:
    """How a file is read. `encoding` is a key of ENCODINGS, `header` the names of its columns.

    `above` records stand above the header, or above the first row where the file is not `headed`; then the columns have numbers for names.
    `escapes`: a backslash before a quotation mark makes it part of the text. `blanks`: quotation marks may stand after a blank.
    `strangers` is the encoding in which lines are read that are not UTF-8; "" refuses them. `mends`: what was encoded twice is undone.
    """

    encoding: str
    delimiter: str
    header: tuple[str, ...]
    above: int = 0
    headed: bool = True
    escapes: bool = False
    blanks: bool = False
    strangers: str = ""
    mends: bool = False
    found: Signs = field(default=Signs(), compare=False)

    @property
    def encodings(self) -> list[EncodingChoice]:
        """The encodings to choose from, each with what it makes of some words of the file; empty where the encoding is known."""
        if not self.found.words:
            return []
        return choices([word.encode("latin-1") for word in self.found.words], self.encoding)

    @property
    def encodings_of_strangers(self) -> list[EncodingChoice]:
        """The encodings in which the lines that are not UTF-8 may be written, likewise; empty where there are none."""
        if not self.found.strange_words or self.encoding != "utf-8":
            return []
        present = self.strangers or self.found.strangers_in
        made = choices([word.encode("latin-1") for word in self.found.strange_words], present)
        return [choice for choice in made if choice.encoding != "utf-8" and "utf-16" not in choice.encoding]

    @property
    def is_header_doubted(self) -> bool:
        """Whether a person is to say if the file's first line holds column names."""
        return bool(self.found.first)

    def remarks(self) -> list[str]:
        """Sentences about what was assumed in reading the file, for the person who imports it."""
        found, said = self.found, []
        if found.words:
            said.append(
                f"The file does not say how its letters are written. They are read as {ENCODINGS[self.encoding]}."
            )
        if found.strangers and self.encoding == "utf-8":
            lines = _lines(found.strangers, "is", "are")
            as_what = f"read as {ENCODINGS[self.strangers]}" if self.strangers else "refused"
            said.append(f"{lines} not written in UTF-8 like the rest of the file. {_they(found.strangers)} {as_what}.")
        if found.twice:
            before, after = found.twice_read[0]
            lines = _lines(found.twice, "looks", "look")
            what = "This is undone" if self.mends else _stay(found.twice)
            said.append(f"{lines} encoded twice: “{before}” probably was “{after}”. {what}.")
        if found.above:
            above = " / ".join(found.above)
            many = "The line" if len(found.above) == 1 else f"{len(found.above)} lines"
            said.append(
                f"{many} above the column names {'is' if len(found.above) == 1 else 'are'} left out: “{above}”."
            )
        if not self.headed:
            said.append("The file has no line of column names: its first line is read as a row.")
        elif found.first:
            said.append("The first line is read as the column names, although it does not look like them.")
        if self.escapes:
            said.append('A backslash before a quotation mark is read as part of the quotation mark (\\").')
        if self.blanks:
            said.append("Quotation marks stand after a blank. They are read as if the blank were not there.")
        return said

    def as_stored(self) -> dict[str, Any]:
        """What `from_stored` takes, beside encoding, separator and header, as JSON has it."""
        stored = asdict(self)
        return {name: value for name, value in stored.items() if name not in ("encoding", "delimiter", "header")}

    @classmethod
    def from_stored(cls, encoding: str, delimiter: str, header: list[str], stored: Mapping[str, Any]) -> "Layout":
        """The layout that was kept; what an earlier version did not keep is as it was read then."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__ and name != "found"}
        found = {name: _frozen(value) for name, value in (stored.get("found") or {}).items()}
        found = {name: value for name, value in found.items() if name in Signs.__dataclass_fields__}
        return cls(encoding, delimiter, tuple(header), **known, found=Signs(**found))


NUMBERED = "Column {}"
"""The name of a column of a file without column names."""


def is_numbered(header: Sequence[str]) -> bool:
    """Whether these are no names of the file, but numbers in place of them: such a header tells nothing about another file."""
    return all(name == NUMBERED.format(number) for number, name in enumerate(header, start=1))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list) else value


def _lines(count: int, one: str, many: str) -> str:
    return f"1 line {one}" if count == 1 else f"{count:,} lines {many}"


def _they(count: int) -> str:
    return "It is" if count == 1 else "They are"


def _stay(count: int) -> str:
    return "It stays as it is" if count == 1 else "They stay as they are"
