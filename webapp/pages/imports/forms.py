"""The forms of an import: the file, how it is written, which column is which field, and what its words mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import MultiDict

from webapp.core.errors import Invalid
from webapp.core.imports.answers import REFUSE, Answers
from webapp.core.imports.asking import STATUSES
from webapp.core.imports.fields import FIELDS, Field
from webapp.core.imports.mapping import assign
from webapp.core.imports.reading import DELIMITERS, ENCODINGS, Layout
from webapp.core.rules.normalise import DateOrder, DecimalMark
from webapp.core.tables.imports import ImportKind

UNSAID = "?"
"""The value of a select that somebody has to choose in."""
CONSTANT = "="
"""The value of a select for a field that is the same in all rows."""


class UploadForm(FlaskForm):
    file = FileField("CSV file", validators=[FileRequired("Choose a file.")])


@dataclass(frozen=True)
class RequestedLayout:
    """How a file is to be read, as the page asks for it; parts that make no sense fall back to what is stored. `kind` is None where
    nobody has said it and it is in doubt."""

    kind: ImportKind | None
    encoding: str
    delimiter: str

    @classmethod
    def of(cls, values: Mapping[str, str], kind: ImportKind | None, layout: Layout) -> "RequestedLayout":
        asked, encoding, delimiter = (values.get(name, "") for name in ("kind", "encoding", "delimiter"))
        return cls(
            ImportKind(asked) if asked in set(ImportKind) else kind,
            encoding if encoding in ENCODINGS else layout.encoding,
            delimiter if delimiter in DELIMITERS else layout.delimiter,
        )

    def fits(self, kind: ImportKind | None, layout: Layout) -> bool:
        """Whether the file is read so already."""
        return (self.kind, self.encoding, self.delimiter) == (kind, layout.encoding, layout.delimiter)


@dataclass(frozen=True)
class Columns:
    """What the selects of the page stand for: columns, texts for columns the file lacks, and fields that nobody has chosen for yet."""

    mapping: dict[str, int]
    constants: dict[str, str]
    unsaid: tuple[str, ...] = ()

    @classmethod
    def of(cls, form: MultiDict[str, str], kind: ImportKind) -> "Columns":
        chosen = {field.name: form.get(f"column-{field.name}", "") for field in FIELDS[kind]}
        return cls(
            {name: int(column) for name, column in chosen.items() if column.isdecimal() and len(column) < 9},
            {name: form.get(f"constant-{name}", "").strip() for name, column in chosen.items() if column == CONSTANT},
            tuple(name for name, column in chosen.items() if column == UNSAID),
        )

    def demand_said(self, kind: ImportKind) -> None:
        """Raise Invalid where a choice is still open."""
        for field in FIELDS[kind]:
            if field.name in self.unsaid:
                rest = "." if field.required else ", or that it is not in this file."
                raise Invalid(f"Say which column is {field.label}{rest}", field.name)


@dataclass(frozen=True)
class FieldMapping:
    """A field, the column it is mapped to (None for none), a few of that column's values, and the text that stands for it in all rows.
    `question` says why it has to be chosen, `candidates` are the columns it could be."""

    field: Field
    column: int | None
    samples: Sequence[str]
    constant: str | None = None
    question: str | None = None
    candidates: Sequence[int] = ()
    statuses: Sequence[str] = ()


def choices(
    kind: ImportKind,
    layout: Layout,
    samples: Sequence[Sequence[str]],
    columns: Columns | None,
    open_: Sequence[str] = (),
) -> list[FieldMapping]:
    """The fields of a kind with their columns: as `columns` say, else as the header suggests. `open_` are fields to be asked."""
    made = assign(kind, layout.header, samples)
    if columns is None:
        columns, open_ = Columns(made.mapping, {}), tuple(made.open)
    found = []
    for field in FIELDS[kind]:
        column = columns.mapping.get(field.name)
        is_open = field.name in open_ or field.name in columns.unsaid
        found.append(
            FieldMapping(
                field,
                column,
                samples[column] if column is not None and column < len(samples) else (),
                columns.constants.get(field.name),
                made.open.get(field.name, "Say which column it is.") if is_open and column is None else None,
                made.candidates.get(field.name, ()),
                [status.value for status in STATUSES[kind]] if field.name == "status" else (),
            )
        )
    return found


def answered(form: MultiDict[str, str], kind: ImportKind, answers: Answers) -> Answers:
    """The answers with what the page's questions stand for; what makes no sense, or is left open, stays as it was."""
    allowed = {*(status.value for status in STATUSES[kind]), REFUSE}
    meanings = {
        name.removeprefix("meaning-"): value
        for name, value in form.items()
        if name.startswith("meaning-") and len(name) < 300
    }
    kept = {key: value for key, value in answers.statuses.items() if key not in meanings}
    order, mark = form.get("order", ""), form.get("mark", "")
    return replace(
        answers,
        statuses=kept | {key: value for key, value in meanings.items() if value in allowed},
        order=DateOrder(order) if order in (DateOrder.DAY, DateOrder.MONTH) else answers.order,
        mark=DecimalMark(mark) if mark in (DecimalMark.POINT, DecimalMark.COMMA) else answers.mark,
        open=(),
    )
