"""The forms of an import: the file, how it is written, and which column is which field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import MultiDict

from webapp.core.imports.mapping import FIELDS, Field, guess
from webapp.core.imports.reading import DELIMITERS, ENCODINGS, Layout
from webapp.core.tables.imports import ImportKind


class UploadForm(FlaskForm):
    file = FileField("CSV file", validators=[FileRequired("Choose a file.")])


@dataclass(frozen=True)
class Reading:
    """How a file is to be read, as the page asks for it; parts that make no sense fall back to what is stored."""

    kind: ImportKind
    encoding: str
    delimiter: str

    @classmethod
    def of(cls, values: Mapping[str, str], kind: ImportKind, layout: Layout) -> "Reading":
        asked, encoding, delimiter = (values.get(name, "") for name in ("kind", "encoding", "delimiter"))
        return cls(
            ImportKind(asked) if asked in set(ImportKind) else kind,
            encoding if encoding in ENCODINGS else layout.encoding,
            delimiter if delimiter in DELIMITERS else layout.delimiter,
        )

    def fits(self, kind: ImportKind, layout: Layout) -> bool:
        """Whether the file is read so already."""
        return (self.kind, self.encoding, self.delimiter) == (kind, layout.encoding, layout.delimiter)


def columns_in(form: MultiDict[str, str], kind: ImportKind) -> dict[str, int]:
    """The mapping that the selects of the page stand for."""
    chosen = {field.name: form.get(f"column-{field.name}", "") for field in FIELDS[kind]}
    return {name: int(column) for name, column in chosen.items() if column.isdecimal() and len(column) < 9}


@dataclass(frozen=True)
class Choice:
    """A field, the column it is mapped to (None for none), and a few of that column's values."""

    field: Field
    column: int | None
    samples: Sequence[str]


def choices(
    kind: ImportKind, layout: Layout, samples: Sequence[Sequence[str]], mapping: Mapping[str, int] | None = None
) -> list[Choice]:
    """The fields of a kind with their columns: as `mapping` says, else as the header suggests."""
    chosen = guess(kind, layout.header, samples) if mapping is None else mapping
    return [
        Choice(field, column, samples[column] if column is not None and column < len(samples) else ())
        for field in FIELDS[kind]
        for column in [chosen.get(field.name)]
    ]
