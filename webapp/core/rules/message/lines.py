"""Lines of a text as they are made from blocks and words: blanks run together, at most one empty line, indents of lists only."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

_BLANKS = re.compile("[ \t\n\r\f\xa0\u2007]+")
_JOINS_A_LINK = re.compile(r"[\w<({\[“„«\"'*#@&+/]")
"""What does not follow a link directly, as a full stop or a bracket that closes does."""


class Lines:
    """Text is put into it in its order, and read from it at the end."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._said: list[str] = []
        self._empty = True
        self._breaks = self._ended = 0
        self._conditions: list[str] = []
        self._blank = self._apart = self._after_link = False
        self._indents: list[str] = []
        self._marker = ""
        self._raw = False

    def text(self) -> str:
        """All that was put in, ended by a line end."""
        return "".join([*self._out, *self._conditions]).strip("\n") + "\n"

    def words(self, text: str) -> None:
        """Words of a line; blanks around them count as one."""
        if self._raw:
            return self._as_it_is(text)
        text = _BLANKS.sub(" ", text)
        if text.startswith(" "):
            self._blank = True
        if inner := text.strip(" "):
            if self._apart or (self._after_link and _JOINS_A_LINK.match(inner)):
                self._blank = True
            self._put(inner)
            self._blank = text.endswith(" ")

    def condition(self, word: str, *, ends_row: bool = False) -> None:
        """The word of a condition. It stands directly before what comes next, so that what is left out takes its line ends along.
        What `ends_row` stands behind the line ends instead, as each row of a list has its own; it is alone on its line then, which will
        be none of the mail."""
        if ends_row and self._breaks and not self._empty:
            self._out += ("\n" * self._breaks, *self._conditions, word)
            self._conditions.clear()
            self._ended, self._breaks = self._breaks, 1
        elif self._breaks or self._empty:
            self._conditions.append(word)
        else:
            self._out.append((" " if self._blank else "") + word)
            self._blank = False

    def address(self, shown: str) -> None:
        """An address after a link's words, or in their place."""
        self._blank = not self._empty and not self._breaks
        self._put(shown)

    def after_link(self) -> None:
        self._after_link = True

    def apart_from_links(self) -> None:
        self._apart = self._apart or self._after_link

    def apart(self) -> None:
        """What comes next is not glued to what is there."""
        self._apart = True

    def gap(self) -> None:
        """Two blanks between the cells of a row."""
        if not self._empty and not self._breaks:
            self._out.append("  ")
            self._blank = self._apart = self._after_link = False

    def mark(self) -> int:
        """The place reached, for `since`."""
        return len(self._said)

    def since(self, mark: int) -> str:
        """The words put in after the mark, on one line."""
        return "".join(self._said[mark:]).strip()

    def break_line(self) -> None:
        """What comes next begins a line."""
        self._breaks = max(self._breaks, 1)

    def paragraph(self) -> None:
        """What comes next begins a line after an empty one."""
        self._breaks = 2

    def line_end(self) -> None:
        """A line ends here; several in a row leave an empty line."""
        self._breaks = min(self._breaks + 1, 2)

    @contextmanager
    def indented(self, by: str) -> Iterator[None]:
        self._indents.append(by)
        yield
        self._indents.pop()

    @contextmanager
    def item(self, marker: str) -> Iterator[None]:
        """An item of a list: its first line begins with the marker, others stand below its words."""
        self._marker = marker
        with self.indented(" " * len(marker)):
            yield
        self._marker = ""

    @contextmanager
    def as_written(self) -> Iterator[None]:
        """Blanks and line ends in it count."""
        self._raw = True
        yield
        self._raw = False

    def _as_it_is(self, text: str) -> None:
        for number, line in enumerate(text.strip("\n").split("\n")):
            if number:
                self.break_line() if line.strip() else self.paragraph()
            if line.strip():
                self._put(line.rstrip())

    def _put(self, text: str) -> None:
        self._said += (" " if self._blank or self._breaks else "", text)
        if self._empty or self._breaks:
            indent = "".join(self._indents)
            if self._marker:
                indent = indent[: len(indent) - len(self._marker)] + self._marker
                self._marker = ""
            between = "" if self._empty else self._between(indent)
            self._out += (between, *self._conditions, indent)
            self._conditions.clear()
        elif self._blank:
            self._out.append(" ")
        self._out.append(text)
        self._empty, self._breaks, self._ended = False, 0, 0
        self._blank = self._apart = self._after_link = False

    def _between(self, indent: str) -> str:
        if self._ended:
            return "\n" * (max(0, self._breaks - self._ended) + 1)
        quote = indent.rstrip() if indent.startswith(">") else ""
        return f"\n{quote}\n" if self._breaks == 2 else "\n"
