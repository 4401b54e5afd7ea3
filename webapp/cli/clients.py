"""`flask clients`: bring clients, services and addons in from CSV files."""

from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.adapters import clock
from webapp.adapters.database import will_write
from webapp.adapters.uploads import COMMAND_LINE
from webapp.cli import schema
from webapp.core.errors import DomainError
from webapp.core.imports import issues, mapping, reading, running, runs
from webapp.core.tables.imports import ImportKind, ImportRun, ImportState
from webapp.extensions import db

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
    help="What the rows are. Guessed from the header when left out.",
)
@click.option("--encoding", type=click.Choice(list(reading.ENCODINGS)), help="Guessed when left out.")
@click.option(
    "--map",
    "mapped",
    multiple=True,
    metavar="FIELD=COLUMN",
    help="Map a field to a column by its name, beyond what is guessed.",
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
    encoding: str | None,
    mapped: tuple[str, ...],
    dry_run: bool,
    refused: Path | None,
    show: int,
) -> None:
    """Import clients, services or addons from a CSV FILE: clients first, then services, then addons.

    Importing a file again changes nothing. Exit code: 0 all rows were taken, 1 some were refused, 2 nothing was imported.
    """
    try:
        run = _imported(file, ImportKind(kind) if kind else None, encoding, mapped, dry_run)
    except DomainError as error:
        _give_up(str(error))
    if run.state is ImportState.FAILED:
        _give_up(run.error or "It failed.")
    _print_counts(run, dry_run)
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


def _imported(
    file: Path, kind: ImportKind | None, encoding: str | None, mapped: tuple[str, ...], dry_run: bool
) -> ImportRun:
    layout = reading.look(file, encoding)
    kind = kind or mapping.guess_kind(layout.header)
    guessed = mapping.guess(kind, layout.header, reading.samples(file, layout))
    chosen = mapping.checked(kind, guessed | _columns(mapped, layout.header), len(layout.header))
    click.echo(
        f"{file.name}: {kind.value}, {reading.ENCODINGS[layout.encoding]}, {reading.DELIMITERS[layout.delimiter].lower()}s between columns"
    )
    for field in mapping.FIELDS[kind]:
        if field.name in chosen:
            click.echo(f"  {field.label} is column {chosen[field.name] + 1}, {layout.header[chosen[field.name]]}")
    will_write(db.session)
    run = runs.create(
        db.session,
        file_name=file.name,
        stored_as=COMMAND_LINE,
        size=file.stat().st_size,
        layout=layout,
        kind=kind,
        mapping=chosen,
        user_id=None,
        now=clock.now(),
    )
    step = "check" if dry_run else "run"
    runs.begin(db.session, run.id, step, clock.now(), unchecked=True)
    import_id = run.id
    db.session.commit()
    done = running.work(db.session, import_id, step, file, clock.now)
    return done or runs.get(db.session, import_id)


def _columns(mapped: tuple[str, ...], header: tuple[str, ...]) -> dict[str, int]:
    columns = {}
    for pair in mapped:
        field, _, name = pair.partition("=")
        if name not in header:
            raise click.BadParameter(
                f"the file has no column {name!r}; it has {', '.join(header)}.", param_hint="--map"
            )
        columns[field] = header.index(name)
    return columns


def _print_counts(run: ImportRun, dry_run: bool) -> None:
    names = ("new", "changed", "unchanged", "refused", "repaired")
    counts = ", ".join(f"{getattr(run, name):,} {name}" for name in names)
    click.echo(f"{run.rows_seen:,} rows: {counts}" + (" (dry run: nothing was imported)" if dry_run else ""))


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
