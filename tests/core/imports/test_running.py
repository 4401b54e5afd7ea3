import threading
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, create_engine, func, select, text, update
from sqlalchemy.orm import Session

from tests.core.imports.steps import DATA, NOW, SHARED, checked, imported, numbers, ticking, uploaded, written
from tests.workers import wait_until
from webapp.core.cadence import IMPORT_SILENT
from webapp.core.errors import Conflict
from webapp.core.imports import running, runs
from webapp.core.imports.answers import Answers
from webapp.core.imports.running import work
from webapp.core.rules.normalise import DateOrder
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Addon, Client, Product, Service
from webapp.core.tables.imports import WAITING, ImportIssue, ImportKind, ImportRun, ImportState

HEADER = "Client ID,First Name,Last Name,Email,Country,Language,Status"


def clients_file(path, count, **cells):
    """A file of so many clients, all of them sound."""
    values = {"first": "Ada", "last": "Nováková", "country": "DE", "language": "german", "status": "Active"} | cells
    rows = (
        f"{n},{values['first']},{values['last']},a{n}@example.com,{values['country']},{values['language']},{values['status']}"
        for n in range(1, count + 1)
    )
    return written(path, HEADER, *rows)


def count(session, table):
    found = session.scalar(select(func.count()).select_from(table))
    session.rollback()
    return found


def issues(session, run):
    rows = session.scalars(
        select(ImportIssue).where(ImportIssue.import_id == run.id).order_by(ImportIssue.line, ImportIssue.id)
    )
    found = [(row.line, row.field, row.refused) for row in rows]
    session.rollback()
    return found


def test_our_three_files_go_in_with_their_oddities(session):
    run = imported(session, DATA / "clients-oddities.csv")
    assert (run.state, run.rows_total, run.date_order) == (ImportState.DONE, 14, "day")
    assert numbers(run) == {"new": 10, "refused": 4, "repaired": 6}
    run = imported(session, DATA / "services-oddities.csv")
    assert numbers(run) == {"new": 4, "refused": 3, "repaired": 3}
    run = imported(session, DATA / "addons-oddities.csv")
    assert numbers(run) == {"new": 2, "refused": 2}

    ada = session.scalars(select(Client).where(Client.number == "1001")).one()
    assert (ada.company, ada.client_since, ada.marketing_opt_in) == (
        "Difference & Engine, Ltd",
        date(2019, 8, 14),
        True,
    )
    assert [(service.product.group_name, service.product.name) for service in ada.services] == [
        ("Shared Hosting", "Web Pro, 50 GB"),
        ("Cloud Servers", "VPS-4 “NVMe”"),
    ]
    assert (ada.services[1].price, ada.services[1].currency) == (Decimal("1234.50"), "EUR")
    assert [(row.addon.name, row.status, row.client_id) for row in ada.services[1].addons] == [
        ("Monitoring +", HoldingStatus.INACTIVE, ada.id)
    ]
    nova = session.scalars(select(Client).where(Client.number == "1002")).one()
    assert nova.search_text == "1002 jana novakova jana@example.org"
    unusable = session.scalars(select(Client).where(Client.number == "1007")).one()
    assert (unusable.email, unusable.address, unusable.country, unusable.language) == ("unknown", None, None, None)


def test_refused_rows_name_line_and_field(sqlite_session):
    imported(sqlite_session, DATA / "clients-oddities.csv")
    run = imported(sqlite_session, DATA / "services-oddities.csv")
    assert [issue for issue in issues(sqlite_session, run) if issue[2]] == [
        (5, "client_number", True),
        (6, "number", True),
        (8, "product", True),
    ]


def test_a_german_cp1252_file_and_a_utf16_file_go_in(session):
    assert numbers(imported(session, DATA / "kunden-cp1252.csv")) == {"new": 3, "repaired": 2}
    assert numbers(imported(session, DATA / "clients-utf16.txt")) == {"new": 2}
    second = session.scalars(select(Client).where(Client.number == "502")).one()
    assert (second.company, second.country, second.language) == ("Säuberlich & Blümel GmbH", "DE", "de")
    assert second.status is ClientStatus.TERMINATE


@pytest.mark.parametrize("name", ["clients-oddities.csv", "kunden-cp1252.csv"])
def test_importing_again_changes_nothing(session, name):
    first = numbers(imported(session, DATA / name))
    before = session.execute(select(Client.id, Client.updated_at, Client.search_text)).all()
    again = numbers(imported(session, DATA / name))
    assert again == {"unchanged" if key == "new" else key: value for key, value in first.items()}
    assert session.execute(select(Client.id, Client.updated_at, Client.search_text)).all() == before


def test_holdings_imported_again_are_unchanged(session):
    for name in ("clients-oddities.csv", "services-oddities.csv", "addons-oddities.csv"):
        imported(session, DATA / name)
    assert numbers(imported(session, DATA / "services-oddities.csv"))["unchanged"] == 4
    assert numbers(imported(session, DATA / "addons-oddities.csv")) == {"unchanged": 2, "refused": 2}
    assert [count(session, table) for table in (Product, Addon)] == [3, 2]


def test_a_dry_run_counts_and_changes_nothing(session):
    run = checked(session, DATA / "clients-oddities.csv")
    assert (run.state, run.rows_seen) == (ImportState.CHECKED, 14)
    assert numbers(run) == {"new": 10, "refused": 4, "repaired": 6}
    assert count(session, Client) == 0
    assert count(session, WAITING[ImportKind.CLIENTS]) == 0
    assert len(issues(session, run)) > 10


def test_changed_rows_are_changed_and_columns_that_are_not_mapped_stay(session, tmp_path):
    imported(session, clients_file(tmp_path / "a.csv", 3))
    session.execute(text("UPDATE client SET city = 'Ulm'"))
    session.commit()
    update = written(
        tmp_path / "b.csv", "Client ID,Last Name,Status", "1,Nováková,Active", "2,Lovelace,Active", "9,New,Active"
    )
    assert numbers(imported(session, update)) == {"new": 1, "changed": 1, "unchanged": 1}
    second = session.scalars(select(Client).where(Client.number == "2")).one()
    assert (second.last_name, second.city, second.address, second.country) == (
        "Lovelace",
        "Ulm",
        "a2@example.com",
        "DE",
    )
    assert second.search_text == "2 ada lovelace a2@example.com"


def test_what_is_not_understood_leaves_what_is_stored(sqlite_session, tmp_path):
    imported(sqlite_session, clients_file(tmp_path / "a.csv", 1))
    run = imported(sqlite_session, clients_file(tmp_path / "b.csv", 1, country="Atlantis", language=""))
    assert numbers(run) == {"changed": 1, "repaired": 1}
    assert sqlite_session.execute(select(Client.country, Client.language)).one() == ("DE", None)


def test_a_service_that_goes_over_to_another_client_takes_its_addons_along(session, tmp_path):
    for name in ("clients-oddities.csv", "services-oddities.csv", "addons-oddities.csv"):
        imported(session, DATA / name)
    moved = written(tmp_path / "a.csv", "Service ID,Client ID,Product,Status", "5001,1003,VPS-1,Inactive")
    assert numbers(imported(session, moved)) == {"changed": 1}
    holder = session.scalar(select(Client.id).where(Client.number == "1003"))
    service = session.scalars(select(Service).where(Service.number == "5001")).one()
    assert (service.client_id, service.status, service.domain) == (
        holder,
        HoldingStatus.INACTIVE,
        "ada5001.example.net",
    )
    assert (service.product.group_name, service.product.name) == ("Cloud Servers", "VPS-1")
    assert [row.client_id for row in service.addons] == [holder]


def test_a_product_without_group_is_the_only_one_of_its_name(sqlite_session, tmp_path):
    for name in ("clients-oddities.csv", "services-oddities.csv"):
        imported(sqlite_session, DATA / name)
    new = written(tmp_path / "a.csv", "Service ID,Client ID,Product,Status", '77,1003,"Web Pro, 50 GB",Active')
    assert numbers(imported(sqlite_session, new)) == {"new": 1}
    assert (
        sqlite_session.scalar(select(Product.group_name).join(Service).where(Service.number == "77"))
        == "Shared Hosting"
    )


def test_a_number_that_stands_in_the_file_twice_is_taken_once_also_over_chunks(sqlite_session, tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Status", *(f"{n % 5},Active" for n in range(11)))
    run = imported(sqlite_session, path, rows=3)
    assert numbers(run) == {"new": 5, "refused": 6}
    assert count(sqlite_session, Client) == 5


def test_dates_are_read_in_the_order_that_the_file_gives_away(sqlite_session, tmp_path):
    rows = ["1,03/07/2021,Active", "2,04/28/2021,Active"]
    run = imported(sqlite_session, written(tmp_path / "a.csv", "Client ID,Client since,Status", *rows))
    assert (run.date_order, numbers(run)) == ("month", {"new": 2})
    assert sqlite_session.scalar(select(Client.client_since).where(Client.number == "1")) == date(2021, 3, 7)
    contradictory = ["3,03/07/2021,Active", "4,04/28/2021,Active", "5,28/04/2021,Active"]
    path = written(tmp_path / "b.csv", "Client ID,Client since,Status", *contradictory)
    with pytest.raises(Conflict, match="whether the day or the month comes first in 03/07/2021"):
        imported(sqlite_session, path)
    run = imported(sqlite_session, path, answers=Answers(order=DateOrder.DAY))
    assert (run.date_order, numbers(run)) == ("unknown", {"new": 3})


def test_nothing_is_taken_over_when_a_worker_fails_in_the_middle(session, tmp_path, monkeypatch):
    path = clients_file(tmp_path / "a.csv", 9)
    run = checked(session, path)
    runs.begin(session, run.id, "run", NOW)
    session.commit()

    def broken(*_):
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(running, "take_over", broken)
    with pytest.raises(RuntimeError):
        work(session, run.id, "run", path, ticking())
    run = runs.get(session, run.id)
    assert (run.state, count(session, Client)) == (ImportState.FAILED, 0)
    assert "Nothing was imported" in run.error
    monkeypatch.undo()
    session.rollback()
    assert numbers(imported(session, path)) == {"new": 9}


class Killed(BaseException):
    """Stands for a process that ends without a word."""


def test_an_import_whose_worker_was_killed_goes_on_where_it_was(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 9)
    run = checked(session, path)
    import_id = run.id
    runs.begin(session, import_id, "run", NOW)
    session.commit()
    looks = iter(range(100))

    def clock():
        if next(looks) == 12:
            raise Killed
        return NOW

    with pytest.raises(Killed):
        work(session, import_id, "run", path, clock, rows=2)
    session.rollback()
    half = runs.get(session, import_id)
    assert 0 < half.rows_seen < 9
    assert count(session, WAITING[ImportKind.CLIENTS]) == half.rows_seen
    assert count(session, Client) == 0

    assert work(session, import_id, "run", path, ticking(NOW), rows=2) is None, "the worker is not yet known to be dead"
    later = NOW + IMPORT_SILENT + timedelta(seconds=1)
    assert runs.asking(session, later) == [(import_id, "run")]
    session.rollback()
    run = work(session, import_id, "run", path, ticking(later), rows=2)
    assert (run.state, numbers(run), run.rows_seen) == (ImportState.DONE, {"new": 9}, 9)
    assert count(session, Client) == 9
    assert count(session, WAITING[ImportKind.CLIENTS]) == 0


def test_a_worker_that_was_taken_for_dead_changes_nothing_when_it_comes_back(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 9)
    run = checked(session, path)
    import_id = run.id
    runs.begin(session, import_id, "run", NOW)
    session.commit()
    looks = iter(range(100))

    def stopped_for_long():
        if next(looks) == 12:  # meanwhile another worker does it all
            with Session(session.get_bind()) as other:
                done = work(other, import_id, "run", path, ticking(NOW + timedelta(hours=1)), rows=2)
                assert done.state is ImportState.DONE
        return NOW

    session.rollback()
    found = work(session, import_id, "run", path, stopped_for_long, rows=2)
    assert (found.state, numbers(found)) == (ImportState.DONE, {"new": 9})
    assert count(session, Client) == 9


def test_asking_for_a_run_twice_runs_it_once(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 3)
    import_id = checked(session, path).id
    assert runs.begin(session, import_id, "run", NOW) is True
    session.commit()
    assert runs.begin(session, import_id, "run", NOW) is False
    session.commit()
    assert work(session, import_id, "run", path, ticking()).state is ImportState.DONE
    assert work(session, import_id, "run", path, ticking()) is None
    assert runs.begin(session, import_id, "run", NOW) is False
    assert count(session, Client) == 3


def test_only_the_reading_that_was_seen_is_imported(session, tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,First Name,Last Name,Status", "1,Ada,Lovelace,Active")
    run = checked(session, path)
    import_id, seen = run.id, runs.digest(run)
    other = run.mapping | {"first_name": run.mapping["last_name"], "last_name": run.mapping["first_name"]}
    runs.remap(session, import_id, run.kind, other, runs.layout_of(run))
    runs.begin(session, import_id, "check", NOW)
    session.commit()
    assert work(session, import_id, "check", path, ticking()).state is ImportState.CHECKED
    session.commit()
    with pytest.raises(runs.Reassigned, match="assigned differently since you looked"):
        runs.begin(session, import_id, "run", NOW, seen=seen)
    session.rollback()
    assert runs.get(session, import_id).state is ImportState.CHECKED
    session.rollback()
    assert runs.begin(session, import_id, "run", NOW, seen=runs.digest(runs.get(session, import_id))) is True


def test_columns_assigned_at_the_same_instant_are_not_imported_unseen(postgresql_url, tmp_path):
    where = create_engine(postgresql_url)
    path = clients_file(tmp_path / "a.csv", 3)
    refused: list[Exception] = []

    def press(import_id: int, seen: str) -> None:
        with Session(where) as session, pytest.raises(runs.Reassigned) as raised:
            runs.begin(session, import_id, "run", NOW, seen=seen)
        refused.append(raised.value)

    with Session(where) as session:
        run = checked(session, path)
        thread = threading.Thread(target=press, args=(run.id, runs.digest(run)))
        session.execute(update(ImportRun).where(ImportRun.id == run.id).values(mapping={**run.mapping, "company": 0}))
        thread.start()
        wait_until(lambda: is_somebody_blocked(where), 60, "the button waits for the other one's change")
        session.commit()
        thread.join()
    where.dispose()
    assert len(refused) == 1


def is_somebody_blocked(where: Engine) -> bool:
    with where.connect() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_only_one_import_runs_at_a_time(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 3)
    first, second = checked(session, path).id, checked(session, path).id
    runs.begin(session, first, "run", NOW)
    session.commit()
    with pytest.raises(Conflict, match="Another import is running"):
        runs.begin(session, second, "run", NOW)
    session.rollback()
    runs.take(session, first, "run", NOW)
    later = NOW + IMPORT_SILENT + timedelta(seconds=1)
    assert runs.begin(session, second, "run", later) is True
    session.commit()
    assert runs.get(session, first).state is ImportState.FAILED


def test_a_run_wants_a_checked_file(sqlite_session, tmp_path):
    run = uploaded(sqlite_session, clients_file(tmp_path / "a.csv", 1))
    with pytest.raises(Conflict, match="checked first"):
        runs.begin(sqlite_session, run.id, "run", NOW)


def test_an_import_can_be_stopped_and_leaves_nothing(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 9)
    import_id = checked(session, path, rows=2).id
    runs.begin(session, import_id, "run", NOW)
    session.commit()
    looks = iter(range(100))

    def stopped_in_the_middle():
        if next(looks) == 12:
            with Session(session.get_bind()) as other:
                runs.stop(other, import_id)
                other.commit()
        return NOW

    found = work(session, import_id, "run", path, stopped_in_the_middle, rows=2)
    assert (found.state, found.rows_seen) == (ImportState.UPLOADED, 0)
    assert count(session, Client) == 0
    assert numbers(imported(session, path, rows=2)) == {"new": 9}


def test_work_is_laid_down_when_others_wait_and_goes_on_later(sqlite_session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 9)
    import_id = checked(sqlite_session, path).id
    runs.begin(sqlite_session, import_id, "run", NOW)
    sqlite_session.commit()
    rounds = 0
    while (
        run := work(sqlite_session, import_id, "run", path, ticking(), lay_down=lambda busy: True, rows=2)
    ).state is ImportState.RUNNING:
        rounds += 1
        assert runs.asking(sqlite_session, NOW) == [(import_id, "run")]
        assert count(sqlite_session, Client) == 0
    assert rounds >= 2
    assert numbers(run) == {"new": 9}
    assert count(sqlite_session, Client) == 9


def test_a_file_of_which_all_rows_are_refused_is_not_read_to_its_end(sqlite_session, tmp_path):
    run = checked(sqlite_session, clients_file(tmp_path / "a.csv", 20, status="gold"), rows=2, most_refused=4)
    assert (run.state, run.error) == (ImportState.FAILED, "4 of the first 4 rows were refused. Is the mapping right?")


def test_a_file_that_is_gone_is_told(sqlite_session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 1)
    run = uploaded(sqlite_session, path)
    runs.begin(sqlite_session, run.id, "check", NOW)
    sqlite_session.commit()
    path.unlink()
    run = work(sqlite_session, run.id, "check", path, ticking())
    assert (run.state, run.error) == (
        ImportState.FAILED,
        "The uploaded file cannot be read: No such file or directory.",
    )


def test_old_imports_forget_files_and_rows_but_not_their_numbers(session, tmp_path):
    path = clients_file(tmp_path / "a.csv", 2, country="Germany")
    run = imported(session, path)
    abandoned = uploaded(session, path).id
    assert run.stored_as == "", "a file that is imported is not needed any more"
    before, after = NOW - timedelta(days=1), NOW + timedelta(days=1)
    runs.forget_old(session, files_before=before, issues_before=before)
    assert runs.get(session, abandoned).stored_as == path.name
    runs.forget_old(session, files_before=after, issues_before=before)
    session.commit()
    assert runs.get(session, abandoned).stored_as == ""
    assert len(issues(session, run)) == 2
    runs.forget_old(session, files_before=after, issues_before=after)
    session.commit()
    assert (issues(session, run), numbers(runs.get(session, run.id))) == ([], {"new": 2, "repaired": 2})


if SHARED.is_dir():  # beside a clone elsewhere they do not lie; our own files cover each oddity

    def test_the_larger_exports_go_in_as_they_are(sqlite_session):
        expected = {
            "clients.csv": {"new": 3995, "refused": 5, "repaired": 101},
            "services.csv": {"new": 6296, "refused": 10},
            "addons.csv": {"new": 3726, "refused": 3},
            "clients-cp1252.csv": {"new": 50, "refused": 1, "repaired": 1},
        }
        assert {name: numbers(imported(sqlite_session, SHARED / name)) for name in expected} == expected


def test_a_null_character_deep_in_a_file_stops_nobody(session, tmp_path):
    rows = [f"{n},Ada,Nováková,a{n}@example.com,DE,german,Active" for n in range(1, 3001)]
    rows[2500] = "2501,A\x00da,Nová\x00ková,a\x002501@example.com,DE,german,Active"
    rows[2600] = "2601\x00,Ada,Nováková,a2601@example.com,D\x00E,german\x00,Act\x00ive"
    run = imported(session, written(tmp_path / "clients.csv", HEADER, *rows))
    assert run.state == ImportState.DONE
    assert sum(numbers(run).get(name, 0) for name in ("new", "changed", "unchanged", "refused")) == 3000
    assert {line for line, _field, _refused in issues(session, run)} == {2502, 2602}
    stored = session.execute(select(Client.first_name, Client.last_name, Client.email)).all()
    assert not any("\x00" in (cell or "") for row in stored for cell in row)
