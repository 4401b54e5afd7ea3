"""The journal: what a process wrote is there whatever became of it, and others know whether it lives."""

import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from webapp.adapters import clock, journal, machine
from webapp.adapters.journal import FileJournal, find
from webapp.core.rules.outcome import Cause, Reply, Stage

TAKEN = Reply(Stage.DOT, 250, "2.0.0 Ok: queued as 4C5")
SILENCE = Reply(Stage.DOT, None, "", "no answer for 600 s", Cause.SILENT)


def test_what_was_begun_and_answered_is_found_again(tmp_path: Path):
    written = FileJournal(tmp_path)
    written.begins(1, 1)
    written.begins(2, 3)
    written.replied(1, 1, TAKEN)
    written.replied(2, 3, SILENCE)
    written.begins(1, 2)
    written.replied(7, 1, Reply(Stage.RCPT, 550, "5.1.1 ¿quién?\nzweite Zeile \u2028 \x7f"))
    found = find(tmp_path, written.name)
    assert found.is_here and found.is_held and found.boot == clock.boot()
    assert found.begun == {(1, 1), (2, 3), (1, 2)}
    assert found.replies[1, 1] == TAKEN and found.replies[2, 3] == SILENCE and (1, 2) not in found.replies
    assert found.replies[7, 1].text == "5.1.1 ¿quién?\nzweite Zeile \u2028 \x7f"
    written.leave()


def test_others_see_when_it_was_let_go_and_when_it_is_gone(tmp_path: Path):
    written = FileJournal(tmp_path)
    assert journal.names(tmp_path) == [written.name]
    written.leave()
    assert not find(tmp_path, written.name).is_held
    journal.discard(tmp_path, written.name)
    assert find(tmp_path, written.name).is_here is False and journal.names(tmp_path) == []
    journal.discard(tmp_path, written.name)


def test_a_discarded_journal_leaves_nothing(tmp_path: Path):
    written = FileJournal(tmp_path)
    written.discard()
    assert journal.names(tmp_path) == [] and not list(tmp_path.glob("*.new"))


def test_a_killed_process_leaves_every_line_it_wrote_and_no_lock(tmp_path: Path):
    program = (
        "import sys, pathlib; from webapp.adapters.journal import FileJournal; from webapp.core.rules.outcome import Reply, Stage\n"
        "j = FileJournal(pathlib.Path(sys.argv[1]))\n"
        "for n in range(5000):\n    j.begins(n, 1)\n    n % 2 or j.replied(n, 1, Reply(Stage.DOT, 250, 'ok'))\n"
        "print(j.name, flush=True)\nsys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdin
    name = process.stdout.readline().strip()
    assert find(tmp_path, name).is_held
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = find(tmp_path, name)
    assert not found.is_held
    assert found.begun == {(n, 1) for n in range(5000)} and set(found.replies) == {(n, 1) for n in range(0, 5000, 2)}


def test_it_is_shortened_to_what_still_matters_and_keeps_its_lock_and_name(tmp_path: Path):
    written = FileJournal(tmp_path, size=1)
    number = 0
    while not written.is_full:
        number += 1
        written.begins(number, 1)
        written.replied(number, 1, TAKEN)
    written.shorten({(number, 1): TAKEN, (number + 1, 2): None})
    assert not written.is_full
    written.begins(number + 2, 1)
    found = find(tmp_path, written.name)
    assert found.is_held and found.begun == {(number + 1, 2), (number + 2, 1)} and found.replies == {(number, 1): TAKEN}
    assert journal.names(tmp_path) == [written.name] and not list(tmp_path.glob("*.new"))
    assert found.boot == clock.boot()
    written.leave()


def test_when_it_cannot_be_shortened_no_mail_begins_but_every_answer_has_room(tmp_path: Path):
    written = FileJournal(tmp_path, size=1)
    begun = 0
    with pytest.raises(OSError, match="full"):
        while True:
            written.begins(begun + 1, 1)
            begun += 1
    for number in range(1, 501):
        written.replied(number, 1, Reply(Stage.DOT, 250, "x" * 10_000))
    found = find(tmp_path, written.name)
    assert len(found.begun) == begun and len(found.replies) == 500
    written.leave()


def test_a_line_cut_off_at_the_end_says_nothing(tmp_path: Path):
    written = FileJournal(tmp_path)
    written.begins(1, 1)
    written.leave()
    path = tmp_path / written.name
    content = path.read_bytes().rstrip(b"\0")
    for torn in (b"B 2", b"B 2 1", b'R 1 1 ["dot",250', b"\0\0B 3 1\n"):
        path.write_bytes(content + torn)
        found = find(tmp_path, written.name)
        assert found.begun == {(1, 1)} and not found.replies


def test_a_garbled_line_hides_no_other(tmp_path: Path):
    written = FileJournal(tmp_path)
    written.leave()
    path = tmp_path / written.name
    head = path.read_bytes().rstrip(b"\0")
    path.write_bytes(head + b"B x 1\nR 1 1\nR 1 1 {}\nR 1 1 [1]\nQ 1 1\nB 4 1\n")
    assert find(tmp_path, written.name).begun == {(4, 1)}


def test_what_is_no_journal_is_not_here(tmp_path: Path):
    (tmp_path / "far.journal").write_bytes(b"something else\n")
    assert find(tmp_path, "far.journal").is_here is False


def test_a_journal_of_the_first_form_is_still_read(tmp_path: Path):
    (tmp_path / "old.journal").write_bytes(f"massmail 1 {clock.boot()} some-host\nB 1 1\n".encode())
    found = find(tmp_path, "old.journal")
    assert found.is_here and found.boot == clock.boot() and found.begun == {(1, 1)}


def abandoned(folder: Path) -> str:
    """The name of a journal with one line, whose process is gone."""
    written = FileJournal(folder)
    written.begins(1, 1)
    written.leave()
    return written.name


def test_a_container_that_starts_anew_with_its_volume_trusts_its_journals_whatever_it_is_called(
    tmp_path: Path, monkeypatch
):
    name = abandoned(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "another-name")
    found = find(tmp_path, name)
    assert found.is_here and not found.is_held and found.boot == clock.boot() and found.begun == {(1, 1)}


def test_a_machine_that_restarted_reads_its_journals_of_an_earlier_boot(tmp_path: Path, monkeypatch):
    name = abandoned(tmp_path)
    earlier = clock.boot()
    monkeypatch.setattr(clock, "boot", lambda: "a-later-boot")
    found = find(tmp_path, name)
    assert found.is_here and found.boot == earlier and found.begun == {(1, 1)}


def test_two_containers_of_one_name_do_not_take_each_others_journals_for_their_own(tmp_path: Path):
    name = abandoned(tmp_path / "one")
    assert not find(tmp_path / "two", name).is_here
    assert machine.id_of(tmp_path / "one") != machine.id_of(tmp_path / "two")


def test_a_volume_that_was_lost_is_another_machine_on_the_same_kernel(tmp_path: Path):
    folder = tmp_path / "journals"
    name, before = abandoned(folder), machine.id_of(folder)
    shutil.rmtree(folder)
    assert not find(folder, name).is_here and machine.id_of(folder) != before


def test_a_copy_out_of_a_back_up_says_what_is_true_and_is_not_taken_for_whole(tmp_path: Path):
    name = abandoned(tmp_path)
    copy = tmp_path / "copy"
    shutil.copy(tmp_path / name, copy)
    (tmp_path / name).rename(tmp_path / "away")
    copy.rename(tmp_path / name)
    found = find(tmp_path, name)
    assert found.is_here and found.boot is None and found.begun == {(1, 1)}


def test_a_journal_that_was_copied_from_another_machine_is_not_taken_for_whole(tmp_path: Path):
    name = abandoned(tmp_path / "one")
    machine.id_of(tmp_path / "two")
    (tmp_path / "one" / name).rename(tmp_path / "two" / name)
    assert find(tmp_path / "two", name).boot is None


def test_all_who_ask_for_the_id_of_a_machine_at_once_get_the_same(tmp_path: Path):
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: machine.id_of(tmp_path), range(64)))
    assert len(found) == 1 and [path.name for path in tmp_path.iterdir()] == [machine.FILE]


def test_it_can_be_forced_to_the_disk(tmp_path: Path):
    written = FileJournal(tmp_path)
    written.begins(1, 1)
    written.sync()
    written.discard()


def test_its_lines_survive_a_disk_that_fills_up_afterwards(tmp_path: Path):
    written = FileJournal(tmp_path)
    allocated = (tmp_path / written.name).stat().st_blocks * 512
    assert allocated >= journal.SIZE
    written.discard()
