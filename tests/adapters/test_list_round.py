"""A worker's part in imports of lists of suppressions: slice after slice, laid down, gone on with, stopped, and forgotten in time."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from sqlalchemy.orm import Session

from webapp.adapters import list_round, retention_round, uploads
from webapp.adapters.clock import now
from webapp.core.cadence import IMPORT_SILENT
from webapp.core.consent import list_reports, list_runs, lists, settings, suppressions
from webapp.core.errors import Conflict
from webapp.core.rules.consent import EntryFate, SuppressionKind
from webapp.core.tables.consent import Suppression, SuppressionChange
from webapp.core.tables.imports import ImportState, Upload
from webapp.core.tables.list_imports import ListImport, ListReport

F, S = EntryFate, ImportState
ROWS = 500
ADA = "ada@example.com"


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


@pytest.fixture
def engine(session: Session) -> Engine:
    return session.get_bind()


def many(count: int = ROWS, broken: int = 0) -> str:
    """A list of so many addresses, and behind them rows that are none."""
    return "email\n" + "".join(f"a{n}@example.com\n" for n in range(count)) + "nobody\n" * broken


def uploaded(session: Session, tmp_path: Path, text: str, name: str = "list.csv") -> int:
    """A list that waits for a worker to look through it; the id of its import."""
    session.commit()  # the file is kept in transactions of its own
    engine = session.get_bind()
    stored_as = uploads.save(engine, io.BytesIO(text.encode()), now())
    given = lists.look(uploads.get(engine, stored_as, tmp_path), name)
    run = list_runs.create(session, given, stored_as=stored_as, size=len(text), by="uma@example.org", now=now())
    list_runs.begin(session, run.id, "check", now())
    session.commit()
    return run.id


def asked(session: Session, import_id: int, step: str = "run") -> None:
    list_runs.begin(session, import_id, step, now())
    session.commit()


def never() -> bool:
    return False


def work(session: Session, import_id: int, step: str, tmp_path: Path, must_stop: Callable[[], bool] = never) -> bool:
    session.rollback()
    return list_round.work_on(session.get_bind(), import_id, step, tmp_path, must_stop, never)


def taken_over(session: Session, tmp_path: Path, text: str) -> ListImport:
    import_id = uploaded(session, tmp_path, text)
    assert not work(session, import_id, "check", tmp_path)
    asked(session, import_id)
    assert not work(session, import_id, "run", tmp_path)
    return list_runs.get(session, import_id)


def counts(run: ListImport) -> dict[str, int]:
    return {fate.value: getattr(run, fate.value) for fate in F if getattr(run, fate.value)}


def count(session: Session, table: type) -> int:
    session.rollback()
    return session.scalar(select(func.count()).select_from(table)) or 0


def reported(session: Session, run: ListImport) -> dict[str, int]:
    """How many rows of each fate the report has."""
    found = session.execute(
        select(ListReport.fate, func.sum(ListReport.count))
        .where(ListReport.import_id == run.id)
        .group_by(ListReport.fate)
    )
    return {fate.value: total for fate, total in found}


def after(slices: int, do: Callable[[], object] = lambda: True) -> Callable[[], bool]:
    """Asked after each slice: does something after so many."""
    seen = iter(range(1, 1000))
    return lambda: bool(next(seen) == slices and do())


def test_looking_through_a_list_counts_every_row_and_changes_nothing(session: Session, tmp_path: Path):
    suppressions.suppress(session, "known@example.com", SuppressionKind.BOUNCED, now())
    suppressions.suppress(session, "less@example.com", SuppressionKind.UNSUBSCRIBED, now())
    text = (
        "email,status,scope\nnew@example.com,bounced,\nknown@example.com,bounced,\nless@example.com,unsubscribed,everything\n"
        "free@example.com,subscribed,\nnobody,bounced,\nnew@example.com,bounced,\n"
    )
    import_id = uploaded(session, tmp_path, text)
    assert not work(session, import_id, "check", tmp_path)
    run = list_runs.get(session, import_id)
    assert (run.state, run.rows_total, run.rows_seen) == (S.CHECKED, 6, 6)
    assert counts(run) == reported(session, run) == {"new": 1, "wider": 1, "known": 2, "free": 1, "refused": 1}
    assert run.kinds == {"bounced": 1, "unsubscribed": 1}
    page = list_reports.page(session, import_id, F.KNOWN)
    assert [(row.line, row.why) for row in page.rows] == [(3, ""), (7, lists.AGAIN)]
    assert list_reports.page(session, import_id, F.REFUSED).rows[0].text == "nobody,bounced,"
    assert count(session, Suppression) == 2


def test_a_list_is_taken_over_and_its_file_goes(session: Session, tmp_path: Path):
    run = taken_over(session, tmp_path, many(broken=3))
    assert (run.state, counts(run), run.stored_as) == (S.DONE, {"new": ROWS, "refused": 3}, "")
    assert count(session, Suppression) == count(session, SuppressionChange) == ROWS and count(session, Upload) == 0
    [row] = suppressions.holding(session, ["a7@example.com"])
    assert (row.source, row.reason, row.created_by) == ("import", "list.csv", "uma@example.org")
    again = taken_over(session, tmp_path, many())
    assert counts(again) == {"known": ROWS} and count(session, SuppressionChange) == ROWS


def test_work_that_is_laid_down_goes_on_with_the_next_row(session: Session, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many())
    for step in ("check", "run"):
        turns = 1
        while work(session, import_id, step, tmp_path, after(1)):
            turns += 1
        assert turns > 2
        run = list_runs.get(session, import_id)
        assert counts(run) == reported(session, run) == {"new": ROWS}
        if step == "check":
            asked(session, import_id)
    lines = "".join(list_reports.as_csv(session, import_id, None)).splitlines()[1:]
    assert [int(line.partition(",")[0]) for line in lines] == list(range(2, ROWS + 2))


def test_a_worker_that_was_killed_is_missed_and_the_next_one_goes_on(session: Session, engine: Engine, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many())
    work(session, import_id, "check", tmp_path)
    asked(session, import_id)

    def die() -> bool:
        raise Killed

    with pytest.raises(Killed):
        work(session, import_id, "run", tmp_path, after(2, die))
    there = count(session, Suppression)
    assert 0 < there < ROWS and list_runs.get(session, import_id).rows_seen == there
    assert list_round.waiting(engine) == [] and not work(session, import_id, "run", tmp_path)  # it may still live
    assert count(session, Suppression) == there
    session.execute(update(ListImport).values(beat_at=now() - IMPORT_SILENT * 2))
    session.commit()
    assert list_round.waiting(engine) == [list_round.step_of(import_id, "run")]
    work(session, import_id, "run", tmp_path)
    run = list_runs.get(session, import_id)
    assert run.state is S.DONE and counts(run) == reported(session, run) == {"new": ROWS}
    assert count(session, Suppression) == count(session, SuppressionChange) == ROWS


def test_an_attempt_that_was_taken_for_dead_writes_nothing_any_more(session: Session, engine: Engine, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many())
    work(session, import_id, "check", tmp_path)
    asked(session, import_id)

    def take_over_from_it() -> None:
        with Session(engine) as other:
            other.execute(update(ListImport).values(beat_at=now() - IMPORT_SILENT * 2))
            other.commit()
        work(session, import_id, "run", tmp_path)

    work(session, import_id, "run", tmp_path, after(1, take_over_from_it))
    run = list_runs.get(session, import_id)
    assert run.state is S.DONE and run.error is None and counts(run) == reported(session, run) == {"new": ROWS}
    assert count(session, SuppressionChange) == ROWS


def test_stopping_keeps_what_was_taken_over_and_says_how_much(session: Session, engine: Engine, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many())
    work(session, import_id, "check", tmp_path)
    asked(session, import_id)
    stopped: list[int] = []

    def stop() -> None:
        with Session(engine) as other:
            stopped.append(list_runs.stop(other, import_id))
            other.commit()

    work(session, import_id, "run", tmp_path, after(1, stop))
    run = list_runs.get(session, import_id)
    assert (run.state, run.error, run.rows_seen) == (S.UPLOADED, None, 0)
    assert stopped == [count(session, Suppression)] and 0 < stopped[0] < ROWS
    asked(session, import_id, "check")
    work(session, import_id, "check", tmp_path)
    assert counts(list_runs.get(session, import_id)) == {"new": ROWS - stopped[0], "known": stopped[0]}


def test_a_file_that_is_no_list_of_addresses_is_given_up_with_words(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(list_runs, "MOST_REFUSED", 300)
    import_id = uploaded(session, tmp_path, many(100, broken=400))
    work(session, import_id, "check", tmp_path)
    run = list_runs.get(session, import_id)
    assert run.state is S.FAILED and run.error is not None
    assert "rows were refused" in run.error and run.error.endswith("Nothing was changed.")


def test_a_file_that_is_gone_is_said(session: Session, engine: Engine, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many())
    uploads.remove(engine, list_runs.get(session, import_id).stored_as, tmp_path)
    work(session, import_id, "check", tmp_path)
    run = list_runs.get(session, import_id)
    assert run.state is S.FAILED and "Upload it again" in str(run.error)


def test_a_step_is_asked_for_once_and_only_in_its_turn(session: Session, tmp_path: Path):
    import_id = uploaded(session, tmp_path, many(3))
    assert not list_runs.begin(session, import_id, "check", now())
    with pytest.raises(Conflict, match="looked through"):
        list_runs.begin(session, import_id, "run", now())
    with pytest.raises(Conflict, match="Stop this import first"):
        list_runs.discard(session, import_id)
    work(session, import_id, "check", tmp_path)
    with pytest.raises(Conflict, match="something else"):
        list_runs.begin(session, import_id, "run", now(), SuppressionKind.BOUNCED)
    session.rollback()
    assert list_runs.begin(session, import_id, "check", now(), SuppressionKind.UNSUBSCRIBED)
    session.commit()
    work(session, import_id, "check", tmp_path)
    asked(session, import_id)
    work(session, import_id, "run", tmp_path)
    assert list_runs.get(session, import_id).kinds == {"unsubscribed": 3}
    assert not list_runs.begin(session, import_id, "run", now())
    with pytest.raises(Conflict, match="removed"):
        list_runs.begin(session, import_id, "check", now())


def test_where_addresses_are_kept_as_hashes_the_report_has_no_others(session: Session, tmp_path: Path):
    settings.keep_hashed(session)
    session.commit()
    run = taken_over(session, tmp_path, f"email\n{ADA}\n")
    [row] = list_reports.page(session, run.id, F.NEW).rows
    assert ADA not in row.text and row.text == suppressions.holding(session, [ADA])[0].address_key


def test_a_page_of_the_report_begins_anywhere(session: Session, tmp_path: Path):
    run = taken_over(session, tmp_path, many())
    page = list_reports.page(session, run.id, F.NEW, 190)
    assert (page.first, page.last, page.total) == (191, 240, ROWS)
    assert [row.text for row in page.rows] == [f"a{n}@example.com" for n in range(190, 240)]
    assert list_reports.page(session, run.id, F.NEW, ROWS + 5).rows == []


def test_reports_and_files_are_forgotten_in_time_and_the_numbers_stay(session: Session, engine: Engine, tmp_path: Path):
    done = taken_over(session, tmp_path, many(30)).id
    forsaken = uploaded(session, tmp_path, many(30))
    work(session, forsaken, "check", tmp_path)
    session.execute(update(ListImport).values(created_at=now() - timedelta(days=91)))
    session.execute(update(Upload).values(created_at=now() - timedelta(days=91)))
    session.commit()
    while count(session, ListReport):
        retention_round.tidy(engine, tmp_path)
    assert counts(list_runs.get(session, done)) == {"new": 30} and count(session, Suppression) == 30
    assert list_runs.get(session, forsaken).stored_as == "" and count(session, Upload) == 0


def test_an_upload_that_waits_for_its_worker_is_not_removed_as_forsaken(
    session: Session, engine: Engine, tmp_path: Path
):
    import_id = uploaded(session, tmp_path, many(3))
    session.execute(update(Upload).values(created_at=now() - timedelta(hours=2)))
    session.commit()
    retention_round.tidy(engine, tmp_path)
    work(session, import_id, "check", tmp_path)
    assert list_runs.get(session, import_id).state is S.CHECKED


@pytest.mark.parametrize(
    ("rows", "took_s", "then"), [(200, 0.015, 400), (200, 0.06, 100), (200, 0.0, 400), (900, 0.01, 1000), (20, 9.0, 20)]
)
def test_a_slice_is_as_large_as_the_lock_may_be_held(rows: int, took_s: float, then: int):
    assert list_round.next_slice(rows, took_s) == then
