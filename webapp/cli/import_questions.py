"""What `flask clients import` asks where a file leaves something open: on a terminal the person, elsewhere the options."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import click

from webapp.core.errors import Invalid
from webapp.core.imports import asking, mapping
from webapp.core.imports.answers import REFUSE, Answers
from webapp.core.imports.fields import FIELDS, label
from webapp.core.imports.mapping import Proposal, assign
from webapp.core.imports.survey import Findings
from webapp.core.rules.normalise import DateOrder, DecimalMark, status_key
from webapp.core.tables.imports import ImportKind

CONSTANT = "="


def is_asked() -> bool:
    """Whether somebody sits there who can answer."""
    return sys.stdin.isatty()


def kind_of(proposed: Proposal, given: ImportKind | None) -> ImportKind:
    """What the rows are: as given, as certain, or as the person says. Raises Invalid where nobody can be asked."""
    if given or not proposed.why_kind:
        return given or proposed.kind
    if not is_asked():
        raise Invalid(f"{proposed.why_kind} Say what its rows are with --kind: {', '.join(ImportKind)}.", "kind")
    click.echo(f"{proposed.why_kind} Nothing is read before you say it.")
    return ImportKind(click.prompt("What are its rows?", type=click.Choice([kind.value for kind in ImportKind])))


def columns_of(
    kind: ImportKind,
    header: Sequence[str],
    samples: Sequence[Sequence[str]],
    given: Mapping[str, int | None],
    constants: Mapping[str, str],
) -> tuple[dict[str, int], dict[str, str]]:
    """The columns and constants: what is given, what is certain, and what the person says. A column of None is not in the file. Raises
    Invalid where nobody can be asked."""
    made = assign(kind, header, samples)
    taken = {column for column in given.values() if column is not None}
    chosen = {
        name: column
        for name, column in made.mapping.items()
        if column not in taken and name not in {*given, *constants}
    }
    chosen |= {name: column for name, column in given.items() if column is not None}
    texts = dict(constants)
    for name, why in made.open.items():
        if name in given or name in texts:
            continue
        if not is_asked():
            hint = f"--map {name}=COLUMN" + ("" if _is_per_row(kind, name) else f" or --all {name}=TEXT")
            raise Invalid(f"{label(kind, name)}: {why} Say it with {hint}; the columns are {', '.join(header)}.", name)
        column = _prompt_column(kind, name, why, header)
        if column == CONSTANT:
            texts[name] = click.prompt(f"  {label(kind, name)} of all rows")
        elif column:
            chosen = {one: at for one, at in chosen.items() if at != int(column) - 1} | {name: int(column) - 1}
    return mapping.checked(kind, chosen, len(header), texts), texts


def _is_per_row(kind: ImportKind, name: str) -> bool:
    return next(field.per_row for field in FIELDS[kind] if field.name == name)


def _prompt_column(kind: ImportKind, name: str, why: str, header: Sequence[str]) -> str:
    """The number of a column, CONSTANT, or "" for none."""
    required = next(field.required for field in FIELDS[kind] if field.name == name)
    click.echo(f"{label(kind, name)}: {why}")
    for number, column in enumerate(header, 1):
        click.echo(f"  {number}  {column}")
    allowed = [str(number) for number in range(1, len(header) + 1)]
    words = "Number of the column"
    if not _is_per_row(kind, name):
        allowed.append(CONSTANT)
        words += ", = for the same in all rows"
    if not required:
        allowed.append("")
        words += ", nothing if it is not in the file"
    return click.prompt(
        words, type=click.Choice(allowed), default=None if required else "", show_choices=False, show_default=False
    )


def answers_to(kind: ImportKind, findings: Findings, answers: Answers) -> Answers:
    """The answers to what a look at all rows left open. Raises Invalid where nobody can be asked and it has to be said. Status words that
    nobody can be asked about refuse their rows."""
    asked = asking.of(kind, findings, answers)
    if asked.are_dates_open:
        order = _choice(f"What comes first in {asked.dates[0]}?", ["day", "month"], "--dates", asked.dates[0])
        answers = replace(answers, order=DateOrder(order))
    if asked.are_prices_open:
        mark = _choice(
            f"What stands before the decimals in {asked.prices[0]}?", ["point", "comma"], "--decimals", asked.prices[0]
        )
        answers = replace(answers, mark=DecimalMark(mark))
    if is_asked() and asked.open_words:
        statuses = [status.value for status in asking.STATUSES[kind]]
        meanings = {}
        for word in asked.open_words:
            meanings[word.key] = click.prompt(
                f"What does the status “{word.text}” mean, in {word.count:,} rows?",
                type=click.Choice([*statuses, REFUSE]),
                default=word.proposed or None,
            )
        answers = replace(answers, statuses={**answers.statuses, **meanings})
    return answers


def _choice(words: str, allowed: list[str], option: str, example: str) -> str:
    if not is_asked():
        raise Invalid(
            f"{example} has two meanings and nothing in the file tells which. Say it with {option} {' or '.join(allowed)}."
        )
    return str(click.prompt(words, type=click.Choice(allowed)))


def pairs(given: Sequence[str], option: str, known: Callable[[str], bool]) -> dict[str, str]:
    """The values of an option that is given as NAME=VALUE. Raises click's BadParameter."""
    found = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not known(name):
            raise click.BadParameter(f"{pair!r} does not say which field.", param_hint=option)
        found[name] = value
    return found


def meanings(given: Sequence[str], kind: ImportKind) -> dict[str, str]:
    """The meanings of status words, given as WORD=STATUS, by the key of the word. Raises click's BadParameter."""
    allowed = [*(status.value for status in asking.STATUSES[kind]), REFUSE]
    found = {}
    for word, status in pairs(given, "--meaning", bool).items():
        if status.lower() not in allowed:
            raise click.BadParameter(f"{status!r} is none of {', '.join(allowed)}.", param_hint="--meaning")
        found[status_key(word)] = status.lower()
    return found
