"""Replies out of bytes that the network cut anywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.adapters.smtp.replies import LONGEST, Garbled, ReplyReader, as_text

texts = st.binary(max_size=60).map(lambda raw: raw.replace(b"\r", b" ").replace(b"\n", b" "))
answers = st.tuples(st.integers(200, 599), st.lists(texts, min_size=1, max_size=4))


def on_the_wire(code: int, lines: list[bytes]) -> bytes:
    *first, last = lines
    return b"".join(b"%d-%b\r\n" % (code, line) for line in first) + b"%d %b\r\n" % (code, last)


def heard(pieces: list[bytes]) -> list[tuple[int, bytes]]:
    reader, got = ReplyReader(), []
    for piece in pieces:
        reader.feed(piece)
        while (answer := reader.next()) is not None:
            got.append(answer)
    assert reader.is_empty
    return got


@given(st.lists(answers, min_size=1, max_size=6), st.data())
def test_replies_are_the_same_however_they_are_cut(replies: list[tuple[int, list[bytes]]], data: st.DataObject) -> None:
    stream = b"".join(on_the_wire(code, lines) for code, lines in replies)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    wanted = [(code, b"\n".join(lines)) for code, lines in replies]
    assert heard(pieces) == heard([stream]) == heard([stream[i : i + 1] for i in range(len(stream))]) == wanted


@pytest.mark.parametrize(
    ("stream", "answer"),
    [
        (b"250 ok\r\n", (250, b"ok")),
        (b"250 ok\n", (250, b"ok")),
        (b"250\r\n", (250, b"")),
        (b"250\n", (250, b"")),
        (b"250 \r\n", (250, b"")),
        (b"250-\r\n250 \r\n", (250, b"\n")),
        (b"250-one\r\n250\r\n", (250, b"one\n")),
        (b"354 " + b"x" * 5000 + b"\r\n", (354, b"x" * 5000)),
        (b"250 a\rb\r\n", (250, b"a\rb")),
    ],
)
def test_what_relays_write_is_understood(stream: bytes, answer: tuple[int, bytes]) -> None:
    assert heard([stream]) == [answer]


@pytest.mark.parametrize(
    "stream",
    [
        b"hello\r\n",
        b"25 ok\r\n",
        b"2500 ok\r\n",
        b"250_ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"\r\n",
        b"250-one\r\n251 two\r\n",
        b"250-one\r\n251-two\r\n",
        b"250-one\r\nhello\r\n",
        b"x" * (LONGEST + 1),
        b"250-" + b"x" * 1000 + b"\r\n" + (b"250-" + b"x" * 1000 + b"\r\n") * 20,
    ],
    ids=repr,
)
def test_what_is_no_reply_is_said_to_be_none(stream: bytes) -> None:
    with pytest.raises(Garbled):
        heard([stream])


def test_nothing_is_made_of_half_a_reply() -> None:
    reader = ReplyReader()
    for piece in (b"250-one\r\n", b"25", b"0 tw", b"o\r"):
        reader.feed(piece)
        assert reader.next() is None
        assert not reader.is_empty
    reader.feed(b"\n")
    assert reader.next() == (250, b"one\ntwo")
    assert reader.is_empty


@pytest.mark.parametrize(
    ("stream", "agreed", "rest"),
    [
        (b"250 a\r\n250 b\r\n354 c\r\n", True, None),
        (b"250 a\r\n250 b\r\n354 c\r\n250 d\r\n", True, (250, b"d")),
        (b"250 a\r\n251 b\r\n354 c\r\n", True, None),
        (b"250 a\r\n550 b\r\n354 c\r\n", False, (250, b"a")),
        (b"250 a\r\n250 b\r\n554 c\r\n", False, (250, b"a")),
        (b"550 a\r\n250 b\r\n354 c\r\n", False, (550, b"a")),
        (b"250 a\r\n250 b\r\n354 c", False, (250, b"a")),
        (b"250-a\r\n250 a\r\n250 b\r\n354 c\r\n", False, (250, b"a\na")),
    ],
)
def test_the_three_answers_of_a_group_are_seen_at_once_only_when_all_agree(
    stream: bytes, agreed: bool, rest: tuple[int, bytes] | None
) -> None:
    reader = ReplyReader()
    reader.feed(stream)
    assert reader.goes_ahead() is agreed
    assert reader.next() == rest


@given(st.binary(max_size=80))
def test_the_relays_words_can_be_stored_and_shown(raw: bytes) -> None:
    text = as_text(raw)
    text.encode("utf-8")
    assert all(character.isprintable() or character == "\n" for character in text)


def test_words_in_other_scripts_survive() -> None:
    assert as_text("2.0.0 アクセプト, ça va".encode()) == "2.0.0 アクセプト, ça va"
    assert as_text(b"bad \xff\x00 end\r") == "bad \ufffd  end"
