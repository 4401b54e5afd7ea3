"""How `flask clients import` is told how a file is written, and what it asks about that: a person at a terminal, else the options."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from webapp.cli.import_questions import is_asked
from webapp.core.imports.encodings import EncodingChoice
from webapp.core.imports.reading import ENCODINGS, Layout, look

Command = TypeVar("Command", bound=Callable[..., Any])

LIKELY = 5
"""So many encodings are shown with some words of the file."""


def options(command: Command) -> Command:
    """The options of a command that reads a file; `of` takes what they say."""
    encodings = click.Choice(list(ENCODINGS))
    for option in (
        click.option("--encoding", type=encodings, help="How letters are written. Guessed and told when left out."),
        click.option(
            "--other-lines",
            type=encodings,
            help="Read lines that are not UTF-8 in this encoding; else they are refused.",
        ),
        click.option("--undo-twice", is_flag=True, help="Undo what was encoded twice (“ZoÃ«” for “Zoë”)."),
        click.option("--header/--no-header", default=None, help="Whether the first line holds the column names."),
    ):
        command = option(command)
    return command


def of(file: Path, said: Mapping[str, Any]) -> Layout:
    """How the file is written: as the options say, as is certain, or as the person says. Raises Invalid."""
    layout = look(
        file,
        said["encoding"],
        headed=said["header"],
        strangers=said["other_lines"],
        mends=said["undo_twice"] or None,
    )
    if said["header"] is None and layout.is_header_doubted and is_asked():
        click.echo(f"The first line: {' · '.join(layout.found.first[:20])}")
        headed = click.confirm("Are these the names of the columns?", default=layout.headed)
        layout = look(file, like=layout, headed=headed)
    if said["encoding"] is None and layout.encodings:
        layout = _with_encoding(file, layout, layout.encodings)
    return layout


def _with_encoding(file: Path, layout: Layout, choices: Sequence[EncodingChoice]) -> Layout:
    """The layout with the encoding that the person finds right, each shown with words of the file; as guessed where nobody is there."""
    for choice in choices[:LIKELY]:
        click.echo(f"  {choice.encoding:10} {' · '.join(choice.words[:6])}")
    if not is_asked():
        return layout
    chosen = click.prompt(
        "In which encoding are the letters right?", type=click.Choice(list(ENCODINGS)), default=layout.encoding
    )
    return look(file, chosen, like=layout)
