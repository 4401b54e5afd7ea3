"""`flask clients`: bring clients, services and addons in from CSV files."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
from flask.cli import with_appcontext

from webapp.adapters import clock
from webapp.adapters.database import will_write
from webapp.adapters.uploads import COMMAND_LINE
from webapp.cli import file_layout, import_questions, schema
from webapp.core.errors import DomainError
from webapp.core.imports import changes, issues, mapping, memory, reading, running, runs, survey
from webapp.core.imports.answers import Answers
from webapp.core.rules.normalise import DateOrder, DecimalMark
from webapp.core.tables.imports import ImportKind, ImportRun, ImportState
from webapp.extensions import db


@dataclass(frozen=True)
class Said:
    """What the options say about a file."""

    kind: ImportKind | None
    layout: Mapping[str, Any]
    mapped: tuple[str, ...]
    constants: tuple[str, ...]
    words: tuple[str, ...]
    dates: str | None
    decimals: str | None


SOME_REFUSED = 1
NOT_IMPORTED = 2


@click.group("clients")
@with_appcontext
def group() -> None:
    """Clients and what they hold."""
    schema.demand()


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in ImportKind]),
    help="What the rows are. Taken from the header where that is certain, else asked.",
)
@file_layout.options
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="The column of a field, by its name; with nothing behind = the field is not in the file. Asked where it is not certain.",
)
@click.option(
    "--all", "constants", multiple=True, metavar="FIELD=TEXT", help="A text for all rows, for a column the file lacks."
)
@click.option(
    "--meaning", "words", multiple=True, metavar="WORD=STATUS", help="What a word in the column Status means."
)
@click.option("--dates", type=click.Choice(["day", "month"]), help="What comes first where a date could be two days.")
@click.option(
    "--decimals",
    type=click.Choice(["point", "comma"]),
    help="What stands before the decimals where a price could be two amounts.",
)
@click.option("--dry-run", is_flag=True, help="Only count and list; import nothing.")
@click.option(
    "--refused",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the refused rows there, to be mended.",
)
@click.option("--show", default=20, show_default=True, help="How many refused and repaired fields to print; 0 for all.")
@with_appcontext
def import_(
    file: Path,
    kind: str | None,
    mapped: tuple[str, ...],
    constants: tuple[str, ...],
    words: tuple[str, ...],
    dates: str | None,
    decimals: str | None,
    dry_run: bool,
    refused: Path | None,
    show: int,
    **layout: Any,
) -> None:
    """Import clients, services or addons from a CSV FILE: clients first, then services, then addons.

    What is not certain is asked on a terminal, else it has to be said with options. Importing a file again changes nothing. Exit code:
    0 all rows were taken, 1 some were refused, 2 nothing was imported.
    """
    said = Said(ImportKind(kind) if kind else None, layout, mapped, constants, words, dates, decimals)
    try:
        run = _imported(file, said, dry_run)
    except DomainError as error:
        _give_up(str(error))
    if run.state is ImportState.FAILED:
        _give_up(run.error or "It failed.")
    _print_counts(run, dry_run)
    if dry_run:
        _print_changes(run, show)
    for only_refused in (True, False):
        _print_issues(run, only_refused, show)
    if refused:
        with refused.open("w", encoding="utf-8", newline="") as out:
            out.writelines(issues.as_csv(db.session, run, refused=True))
        click.echo(f"The refused rows stand in {refused}.")
    some_refused = run.refused > 0
    if dry_run:
        db.session.rollback()
        will_write(db.session)
        runs.discard(db.session, run.id)
        db.session.commit()
    if some_refused:
        raise click.exceptions.Exit(SOME_REFUSED)


def _imported(file: Path, said: Said, dry_run: bool) -> ImportRun:
    layout = file_layout.of(file, said.layout)
    samples = reading.samples(file, layout)
    kind, columns, answers = _reading_of(layout, samples, said)
    click.echo(
        f"{file.name}: {kind.value}, {reading.ENCODINGS[layout.encoding]}, {reading.DELIMITERS[layout.delimiter].lower()}s between columns"
    )
    for remark in layout.remarks():
        click.echo(f"  {remark}")
    for field in mapping.FIELDS[kind]:
        if field.name in columns:
            click.echo(f"  {field.label} is column {columns[field.name] + 1}, {layout.header[columns[field.name]]}")
        elif field.name in answers.constants:
            click.echo(f"  {field.label} is {answers.constants[field.name]} in all rows")
    looked = survey.Survey(kind, columns, answers, len(layout.header))
    with _bar(reading.records(file, layout), "Looking") as records:
        looked.add(records)
    answers = import_questions.answers_to(kind, looked.findings, answers)
    will_write(db.session)
    run = runs.create(
        db.session,
        file_name=file.name,
        stored_as=COMMAND_LINE,
        size=file.stat().st_size,
        layout=layout,
        kind=kind,
        mapping=columns,
        answers=answers,
        user_id=None,
        now=clock.now(),
    )
    step = "check" if dry_run else "run"
    runs.begin(db.session, run.id, step, clock.now(), unchecked=True)
    import_id = run.id
    db.session.commit()
    with click.progressbar(length=looked.total, label="Checking" if dry_run else "Importing", file=sys.stderr) as bar:

        def shown(_busy: timedelta) -> bool:
            bar.update(runs.get(db.session, import_id).rows_seen - bar.pos)
            db.session.rollback()
            return False

        done = running.work(db.session, import_id, step, file, clock.now, shown)
    return done or runs.get(db.session, import_id)


def _reading_of(
    layout: reading.Layout, samples: Sequence[Sequence[str]], said: Said
) -> tuple[ImportKind, dict[str, int], Answers]:
    """Kind, columns and answers: what is said in the options, what was said about the last file with this header, and what is asked."""
    fields = {field.name for kind in ImportKind for field in mapping.FIELDS[kind]}
    mapped = {
        name: _column(column, layout.header)
        for name, column in import_questions.pairs(said.mapped, "--map", fields.__contains__).items()
    }
    constants = import_questions.pairs(said.constants, "--all", fields.__contains__)
    known = memory.recall(db.session, layout.header)
    db.session.rollback()
    if known and said.kind in (None, known.kind) and not mapped and not constants:
        click.echo(f"Read as you said for {known.file_name}, imported on {known.at:%-d %B %Y}.")
        kind, columns, answers = known.kind, known.mapping, known.answers
    else:
        kind = import_questions.kind_of(mapping.propose(layout.header, samples), said.kind)
        columns, texts = import_questions.columns_of(kind, layout.header, samples, mapped, constants)
        answers = Answers(texts)
    return (
        kind,
        columns,
        replace(
            answers,
            statuses={**answers.statuses, **import_questions.meanings(said.words, kind)},
            order=DateOrder(said.dates) if said.dates else answers.order,
            mark=DecimalMark(said.decimals) if said.decimals else answers.mark,
        ),
    )


def _bar(records: Iterable[reading.Record], label: str) -> AbstractContextManager[Iterable[reading.Record]]:
    """Records with a bar that counts them, on the terminal alone."""
    return click.progressbar(records, label=label, file=sys.stderr, show_pos=True, update_min_steps=1000)


def _column(name: str, header: tuple[str, ...]) -> int | None:
    """The index of a column by its name; None for no column."""
    if name and name not in header:
        raise click.BadParameter(f"the file has no column {name!r}; it has {', '.join(header)}.", param_hint="--map")
    return header.index(name) if name else None


def _print_counts(run: ImportRun, dry_run: bool) -> None:
    names = ("new", "changed", "unchanged", "refused", "blank", "repaired")
    counts = ", ".join(f"{getattr(run, name):,} {name}" for name in names)
    click.echo(f"{run.rows_seen:,} rows: {counts}" + (" (dry run: nothing was imported)" if dry_run else ""))


def _print_changes(run: ImportRun, show: int) -> None:
    page = changes.listing(db.session, run.id, limit=show or run.rows_seen * 100)
    if page.changes:
        click.echo("Would change:")
    for change in page.changes:
        name = changes.name(run.kind, change.field)
        click.echo(f"  {change.number}, {name}: {change.old or 'empty'} -> {change.new or 'empty'}")
    if page.total > len(page.changes):
        click.echo(f"  … and {page.total - len(page.changes):,} more; --show 0 prints all")


def _print_issues(run: ImportRun, refused: bool, show: int) -> None:
    page = issues.listing(db.session, run.id, refused=refused, limit=show or run.rows_seen * 100)
    if page.issues:
        click.echo("Refused:" if refused else "Repaired:")
    for issue in page.issues:
        click.echo(f"  line {issue.line}, {issues.label(run, issue.field)} {issue.value!r}: {issue.reason}")
    if page.total > len(page.issues):
        click.echo(f"  … and {page.total - len(page.issues):,} more; --show 0 prints all")


def _give_up(message: str) -> None:
    click.echo(f"Nothing was imported. {message}", err=True)
    raise click.exceptions.Exit(NOT_IMPORTED)
