"""Tables as exports write them, and what goes wrong with their quotation marks, blanks and letters on the way: for property tests."""

import csv
import io
from collections.abc import Callable

from hypothesis import strategies as st

HEADER = ("Client ID", "First name", "Company", "Email", "Status")

_NAMES = st.text(
    st.one_of(st.sampled_from('",; \\\'\n\r|&é"'), st.characters(exclude_categories=["Cs", "Cc"])), max_size=12
)


@st.composite
def tables(draw) -> list[list[str]]:
    """Rows below HEADER, each of a client of its own whose address bears its number."""
    count = draw(st.integers(1, 8))
    rows = []
    for n in range(count):
        status = draw(st.sampled_from(["Active", "Suspend", "happy"]))
        address = draw(st.sampled_from([f"a{n}@example.com", f"a{n}@example.com", "", "none"]))
        rows.append([f"10{n}", draw(_NAMES), draw(_NAMES), address, status])
    return rows


def written(rows: list[list[str]], quoting: int = csv.QUOTE_MINIMAL, newline: str = "\r\n") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=newline).writerows([HEADER, *rows])
    return out.getvalue()


def _at(draw, text: str, of: str) -> int | None:
    places = [at for at, letter in enumerate(text) if letter in of and at > text.index("\n")]
    return draw(st.sampled_from(places)) if places else None


def _a_quotation_mark_lost(draw, text: str) -> str:
    at = _at(draw, text, '"')
    return text if at is None else text[:at] + text[at + 1 :]


def _a_quotation_mark_too_much(draw, text: str) -> str:
    at = draw(st.integers(text.index("\n") + 1, len(text)))
    return f'{text[:at]}"{text[at:]}'


def _a_blank_after_a_comma(draw, text: str) -> str:
    at = _at(draw, text, ",")
    return text if at is None else f"{text[: at + 1]} {text[at + 1 :]}"


def _backslashes(draw, text: str) -> str:
    head, _, rest = text.partition("\n")
    return f"{head}\n{rest.replace(chr(34) * 2, chr(92) + chr(34))}"


def _a_line_end_lost_or_doubled(draw, text: str) -> str:
    at = _at(draw, text, "\n")
    return text if at is None else text[:at] + draw(st.sampled_from(["", "\n\n", "\r"])) + text[at + 1 :]


DAMAGES: list[Callable] = [
    _a_quotation_mark_lost,
    _a_quotation_mark_too_much,
    _a_blank_after_a_comma,
    _backslashes,
    _a_line_end_lost_or_doubled,
]


@st.composite
def damaged_files(draw) -> bytes:
    """A file with up to four damages, some of its lines in another encoding."""
    text = written(draw(tables()), draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])))
    for damage in draw(st.lists(st.sampled_from(DAMAGES), max_size=4)):
        text = damage(draw, text)
    lines = io.StringIO(text, newline="")
    foreign = draw(st.sets(st.integers(0, 12), max_size=2))
    return b"".join(line.encode("cp1252" if n in foreign else "utf-8", "replace") for n, line in enumerate(lines))
