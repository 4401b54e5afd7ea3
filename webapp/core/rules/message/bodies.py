"""The body of one part, compiled: what never changes is encoded once, and a mail only encodes its values and joins.

A body takes the encoded values ("cells") of a mail and appends its text to the mail's. Which values it wants, and how they are filtered
and escaped, it has written into the `Cells` it was compiled with.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Protocol

from webapp.core.rules.message import base64_runs, quoted_printable
from webapp.core.rules.message.loops import LoopRows
from webapp.core.rules.tags.nodes import Branch, Escape, Loop, Nodes, Output, Slot, Text
from webapp.core.rules.tags.values import Value, clean, escape, holds, value_of

Condition = Callable[[Sequence[str]], bool]


class Body(Protocol):
    encoding: str

    def append_to(self, out: list[str], cells: Sequence[str], values: Sequence[str]) -> None:
        """Append the encoded text. `cells` are those of the `Cells` the body was compiled with, `values` the cleaned values."""


class Cells:
    """The encoded forms of a mail's values that its quoted-printable bodies need: each value as text, each value as HTML, and then
    whatever is filtered or stands in an address. `order` are the keys of the values, `columns` those of the services that a loop shows."""

    def __init__(self, order: Sequence[str], columns: Sequence[str] = ()):
        self.order = order
        self.columns = columns
        plain = quoted_printable.PLAIN
        self._all_plain = re.compile(rf"(?:{plain}\n){{{len(order) - 1}}}{plain}").fullmatch
        self.wanted = False
        self.others: dict[tuple[Output, Escape], tuple[Value, Escape]] = {}

    def index(self, slot: Slot) -> int:
        """The place of the slot's value among the cells."""
        self.wanted = True
        if not slot.output.steps and slot.escape in (Escape.PLAIN, Escape.HTML):
            return self.order.index(slot.output.key) + (len(self.order) if slot.escape is Escape.HTML else 0)
        key = (slot.output, slot.escape)
        self.others.setdefault(key, (value_of(slot.output, self.order), slot.escape))
        return 2 * len(self.order) + list(self.others).index(key)

    def of(self, values: Sequence[str]) -> tuple[Sequence[str], list[str]]:
        """The cleaned values of one mail, and its cells."""
        if self._all_plain("\n".join(values)):
            cells = [*values, *values]
        elif not self.wanted:
            return [clean(value) for value in values], []
        else:
            plain, values = quoted_printable.is_plain, list(values)
            cells, html = [*values, *values], len(values)
            for place, one in enumerate(values):
                if not plain(one):
                    values[place], cells[place], cells[html + place] = _forms(one)
        for value, how in self.others.values():
            cells.append(quoted_printable.value(escape(value(values), how)))
        return values, cells


@lru_cache(maxsize=4096)
def _forms(value: str) -> tuple[str, str, str]:
    """A value cleaned, and encoded as text and as HTML. Kept, as products, dates and countries come again from mail to mail."""
    value = clean(value)
    text = quoted_printable.encoded_value(value)
    html = escape(value, Escape.HTML)
    return value, text, text if html == value else quoted_printable.encoded_value(html)


class QuotedPrintable:
    """A body in quoted-printable."""

    encoding = "quoted-printable"

    def __init__(self, nodes: Nodes, cells: Cells):
        self._steps = _steps(nodes, cells)

    def append_to(self, out: list[str], cells: Sequence[str], values: Sequence[str]) -> None:
        for step in self._steps:
            step(out, cells, values)


Step = Callable[[list[str], Sequence[str], Sequence[str]], None]


def _steps(nodes: Nodes, cells: Cells) -> list[Step]:
    """Stretches of runs and slots, and branches between them."""
    steps: list[Step] = []
    pieces: list[str] = [""]
    slots: list[int] = []
    for number, node in enumerate(nodes):
        match node:
            case Text():
                pieces[-1] += quoted_printable.run(node.text)
            case Slot():
                slots.append(cells.index(node))
                following = nodes[number + 1] if number + 1 < len(nodes) else None
                ends_line = isinstance(following, Text) and following.text.startswith("\n")
                pieces += ("", "" if ends_line else quoted_printable.SOFT)
            case Branch():
                steps += (_stretch(pieces, slots), _choice(node, cells))
                pieces, slots = [""], []
            case Loop():
                steps += (_stretch(pieces, slots), _repeated(node, cells))
                pieces, slots = [""], []
    return [*steps, _stretch(pieces, slots)]


def _stretch(pieces: list[str], slots: list[int]) -> Step:
    """Runs at even places, values at odd ones."""
    if not slots:
        return lambda out, _cells, _values: out.append(pieces[0])
    pick = itemgetter(*slots) if len(slots) > 1 else lambda cells: (cells[slots[0]],)

    def stretch(out: list[str], cells: Sequence[str], _values: Sequence[str]) -> None:
        filled = pieces[:]
        filled[1::2] = pick(cells)
        out += filled

    return stretch


def _choice(node: Branch, cells: Cells) -> Step:
    arms: list[tuple[Condition, list[Step]]] = [(holds(c, cells.order), _steps(body, cells)) for c, body in node.arms]
    otherwise = _steps(node.otherwise, cells)

    def choice(out: list[str], cells: Sequence[str], values: Sequence[str]) -> None:
        chosen = next((steps for condition, steps in arms if condition(values)), otherwise)
        for step in chosen:
            step(out, cells, values)

    return choice


def _repeated(node: Loop, cells: Cells) -> Step:
    """Each service has cells of its own: its fields, and whatever else stands in the loop."""
    rows = LoopRows(node, cells.order, cells.columns)
    inner = Cells(rows.order)
    steps, otherwise = _steps(node.body, inner), _steps(node.otherwise, cells)

    def repeated(out: list[str], cells: Sequence[str], values: Sequence[str]) -> None:
        found = rows.of(values)
        for one in found:
            cleaned, own = inner.of(one)
            for step in steps:
                step(out, own, cleaned)
        if not found:
            for step in otherwise:
                step(out, cells, values)

    return repeated


Base64Step = Callable[[base64_runs.Base64Writer, Sequence[str]], None]


class Base64:
    """A body in base64, for texts that quoted-printable would bloat."""

    encoding = "base64"

    def __init__(self, nodes: Nodes, order: Sequence[str], columns: Sequence[str] = ()):
        self._order, self._columns = order, columns
        self._steps = self._compiled(nodes)

    def append_to(self, out: list[str], _cells: Sequence[str], values: Sequence[str]) -> None:
        writer = base64_runs.Base64Writer(out)
        for step in self._steps:
            step(writer, values)
        writer.close()

    def _compiled(self, nodes: Nodes) -> list[Base64Step]:
        return [self._step(node) for node in nodes]

    def _step(self, node: Text | Slot | Branch | Loop) -> Base64Step:
        match node:
            case Text():
                run = base64_runs.run(node.text.replace("\n", "\r\n").encode())
                if isinstance(run, bytes):
                    return lambda writer, _values: writer.bytes(run)
                return lambda writer, _values: writer.run(run)
            case Slot():
                value, how = value_of(node.output, self._order), node.escape
                return lambda writer, values: writer.bytes(escape(value(values), how).encode())
            case Loop():
                return self._repeated(node)
        arms = [(holds(condition, self._order), self._compiled(body)) for condition, body in node.arms]
        otherwise = self._compiled(node.otherwise)

        def choice(writer: base64_runs.Base64Writer, values: Sequence[str]) -> None:
            for step in next((steps for condition, steps in arms if condition(values)), otherwise):
                step(writer, values)

        return choice

    def _repeated(self, node: Loop) -> Base64Step:
        rows = LoopRows(node, self._order, self._columns)
        steps, otherwise = Base64(node.body, rows.order)._steps, self._compiled(node.otherwise)

        def repeated(writer: base64_runs.Base64Writer, values: Sequence[str]) -> None:
            found = rows.of(values)
            for one in found:
                cleaned = [clean(value) for value in one]
                for step in steps:
                    step(writer, cleaned)
            if not found:
                for step in otherwise:
                    step(writer, values)

        return repeated


def compiled(nodes: Nodes, cells: Cells) -> Body:
    """The body of a part, in whichever encoding is shorter. Its text always ends with a line end."""
    if not nodes or not isinstance(nodes[-1], Text) or not nodes[-1].text.endswith("\n"):
        nodes = (*nodes, Text("\n"))
    texts = list(_texts(nodes))
    if sum(map(quoted_printable.size, texts)) > sum(map(base64_runs.size, texts)):
        return Base64(nodes, cells.order, cells.columns)
    return QuotedPrintable(nodes, cells)


def _texts(nodes: Nodes) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, Text):
            yield node.text
        elif isinstance(node, Branch):
            for _, body in node.arms:
                yield from _texts(body)
            yield from _texts(node.otherwise)
        elif isinstance(node, Loop):
            yield from _texts(node.body)
            yield from _texts(node.otherwise)


def line(nodes: Nodes, order: Sequence[str]) -> Value:
    """A function from a mail's values to the tree's text, neither encoded nor escaped: the subject."""
    steps: list[Value] = []
    for node in nodes:
        match node:
            case Text(text):
                steps.append(_constant(text))
            case Slot():
                steps.append(value_of(node.output, order))
            case Branch():
                steps.append(_line_of_branch(node, order))
            case Loop():
                raise ValueError("a subject holds no list")
    return lambda values: "".join([step(values) for step in steps])


def _constant(text: str) -> Value:
    return lambda _values: text


def _line_of_branch(node: Branch, order: Sequence[str]) -> Value:
    arms = [(holds(condition, order), line(body, order)) for condition, body in node.arms]
    otherwise = line(node.otherwise, order)
    return lambda values: next((body for condition, body in arms if condition(values)), otherwise)(values)
