"""`flask suppressions`: the addresses that must not be mailed, for what comes from other systems and for timers."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import with_appcontext

from webapp.adapters.clock import now
from webapp.adapters.database import will_write
from webapp.cli import schema
from webapp.core.consent import export, hashing, lists, suppressions
from webapp.core.consent.listing import SuppressionSearch
from webapp.core.consent.lists import JudgedRow, ListCounts
from webapp.core.consent.suppressions import Added
from webapp.core.errors import DomainError
from webapp.core.rules.addresses import Address, usable
from webapp.core.rules.consent import USUAL_SCOPE, EntryFate, SuppressionKind, SuppressionScope
from webapp.core.rules.suppression_lists import SuppressionEntry
from webapp.extensions import db

SOME_UNREAD = 1
"""Exit code where some of it could not be read."""

LISTED = 50
"""Rows that could not be read which are named one by one."""

SOURCE = "command_line"

KINDS = click.Choice([kind.value for kind in SuppressionKind])
SCOPES = click.Choice([scope.value for scope in SuppressionScope])


@click.group("suppressions")
@with_appcontext
def group() -> None:
    """Addresses that must not be mailed."""
    schema.demand()


@group.command()
@click.argument("addresses", nargs=-1, required=True)
@click.option("--kind", type=KINDS, default=SuppressionKind.BY_HAND.value, show_default=True, help="Why.")
@click.option("--scope", type=SCOPES, help="What is not sent any more; the kind's usual one when left out.")
@click.option("--reason", default="", help="Kept in the history.")
@with_appcontext
def add(addresses: tuple[str, ...], kind: str, scope: str | None, reason: str) -> None:
    """Mail these ADDRESSES no more. Exit code 1 when one of them could not be read; the others are suppressed."""
    why = SuppressionKind(kind)
    what = SuppressionScope(scope) if scope else USUAL_SCOPE[why]
    entries, unread = [], 0
    for text in addresses:
        found = usable(text)
        if isinstance(found, Address):
            entries.append(SuppressionEntry(found.key, why, what, reason, SOURCE))
        else:
            unread += 1
            click.echo(f"{text}: {found.problem}", err=True)
    will_write(db.session)
    done = suppressions.add(db.session, entries, now())
    db.session.commit()
    click.echo(_in_words(done))
    if unread:
        raise click.exceptions.Exit(SOME_UNREAD)


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--kind",
    type=KINDS,
    default=SuppressionKind.IMPORTED.value,
    show_default=True,
    help="What the rows are, where neither they nor the columns say it.",
)
@click.option("--dry-run", is_flag=True, help="Only count and list; change nothing.")
@with_appcontext
def import_(file: Path, kind: str, dry_run: bool) -> None:
    """Take over a list of suppressed addresses from a CSV FILE: exports of Mailchimp, SendGrid, Mailgun, Postmark, Amazon SES, listmonk,
    Brevo and WHMCS are known by their columns, so is one of `export`. Doing it again changes nothing.

    Exit code 1 when some rows could not be read.
    """
    at, otherwise = now(), SuppressionKind(kind)
    try:
        given = lists.look(file, file.name)
        _print_reading(given)
        counts, refused = ListCounts(), list[JudgedRow]()
        for rows in lists.slices(given, otherwise, at):
            if dry_run:
                judged = lists.foresee(db.session, rows)
                db.session.rollback()
            else:
                will_write(db.session)
                judged = lists.take_over(db.session, rows, at, by="")
                db.session.commit()
            counts.add(judged)
            refused += [row for row in judged if row.fate is EntryFate.REFUSED][: LISTED - len(refused)]
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    remark = " (dry run: nothing was changed)" if dry_run else ""
    click.echo(_in_words(Added(counts.new, counts.wider, counts.known)) + remark)
    if counts.free:
        click.echo(f"{counts.free:,} left out: the list says that they may be mailed")
    _print_problems(counts.refused, refused)
    if counts.refused:
        raise click.exceptions.Exit(SOME_UNREAD)


@group.command("export")
@click.option("--kind", type=KINDS, help="Only those of this kind.")
@click.option("--scope", type=SCOPES, help="Only those with this scope.")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A file; standard output when left out.",
)
@with_appcontext
def export_(kind: str | None, scope: str | None, to: Path | None) -> None:
    """Write the suppressions as CSV, the latest first."""
    wanted = SuppressionSearch(
        kind=SuppressionKind(kind) if kind else None, scope=SuppressionScope(scope) if scope else None
    )
    lines = export.as_csv(db.session, wanted)
    if to is None:
        for text in lines:
            sys.stdout.write(text)
        return
    with to.open("w", encoding="utf-8", newline="") as out:
        out.writelines(lines)
    click.echo(f"Written to {to}.")


@group.command()
@click.argument("address")
@click.option("--kind", type=KINDS, help="Only this kind; all when left out.")
@click.option("--reason", required=True, help="Why it may be mailed again. Kept in the history.")
@with_appcontext
def lift(address: str, kind: str | None, reason: str) -> None:
    """Let an ADDRESS be mailed again."""
    key = _key(address)
    will_write(db.session)
    kinds = [row.kind for row in suppressions.holding(db.session, [key]) if kind in (None, row.kind.value)]
    try:
        for one in dict.fromkeys(kinds):
            suppressions.lift(db.session, key, one, now(), reason=reason, source=SOURCE)
            click.echo(f"{address} is not {one.label} any more.")
    except DomainError as error:
        raise click.ClickException(str(error)) from None
    db.session.commit()
    if not kinds:
        raise click.ClickException(f"{address} is not suppressed{f' as {kind}' if kind else ''}.")


@group.command()
@click.argument("address")
@with_appcontext
def forget(address: str) -> None:
    """Keep what is known of an ADDRESS under a hash alone, since its owner wants to be forgotten. It still holds. There is no way back."""
    key = _key(address)
    will_write(db.session)
    turned = hashing.forget(db.session, key)
    db.session.commit()
    if not turned:
        raise click.ClickException(f"Nothing is kept of {address}.")
    click.echo(f"{turned:,} kept under a hash.")


def _key(address: str) -> str:
    found = usable(address)
    if not isinstance(found, Address):
        raise click.ClickException(f"{address}: {found.problem}.")
    return found.key


def _print_reading(given: lists.SuppressionList) -> None:
    click.echo(f"{given.name}: {given.reading.system or 'a list of addresses'}")
    for remark in (*given.layout.remarks(), *filter(None, [given.reading.remark])):
        click.echo(f"  {remark}")
    for part, at in given.reading.columns.items():
        click.echo(f"  {part.value.capitalize()} is column {at + 1}, {given.layout.header[at]}")


def _print_problems(unread: int, problems: Sequence[JudgedRow]) -> None:
    if unread:
        click.echo("Not read:")
    for one in problems:
        click.echo(f"  line {one.line}, {one.text!r}: {one.why}")
    if unread > len(problems):
        click.echo(f"  … and {unread - len(problems):,} more")


def _in_words(done: Added) -> str:
    return f"{done.added:,} added, {done.widened:,} widened to everything, {done.known:,} known already"
