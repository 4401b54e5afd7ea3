"""Readers that are programs of their own."""

from pathlib import Path

import pytest

from tests import run
from tests.core.rules.message.foreign import FOREIGN, Program
from tests.core.rules.message.mails import compiled, rendered, stamp
from tests.core.rules.message.readers import by_rust


@pytest.mark.parametrize("program", FOREIGN, ids=lambda program: program.name)
def test_it_reads_what_others_read(program: Program, tmp_path: Path):
    if words := program.missing():
        run.missing(words)
    message = compiled("<p>Hi {{ first_name }}</p>", "a{{ first_name }} {{ full_name }}")
    mails = [
        rendered(message, {"full_name": name, "first_name": name[:3]}, to=stamp(address=address))
        for name in ("Zoë Hall", "小明" * 90, "a b", "Doe, John", "")
        for address in ("zoe@xn--bcher-kva.example", "žofie用户@xn--bcher-kva.example")
    ]
    paths = [tmp_path / str(number) for number in range(len(mails))]
    for path, mail in zip(paths, mails, strict=True):
        path.write_bytes(mail)
    assert program.read(paths) == [by_rust(mail) for mail in mails]


def test_what_is_missing_is_said_with_the_way_to_have_it():
    for asked in (("no-such-program",), ("perl", "-MNo::Such::Module", "-e1")):
        program = Program("Some::Parser", asked, asked, "libsome-parser-perl")
        assert program.missing() == (
            "missing on this machine: Some::Parser (apt-get install --no-install-recommends libsome-parser-perl)"
        )


def test_what_it_cannot_read_is_told_in_its_own_words(tmp_path: Path):
    program = Program("Some::Parser", ("perl", "-e", "die 'no such mail'"), (), "")
    with pytest.raises(RuntimeError, match="Some::Parser read 0 of 1 mails: no such mail"):
        program.read([tmp_path / "1"])
