"""What is asked about a file, what the answers do, what they change in the tables, and that the next file asks nothing again."""

import csv
import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.core.imports.steps import CASES, NOW, checked, imported, numbers, ticking, uploaded, written
from webapp.core.errors import Conflict
from webapp.core.imports import asking, changes, mapping, memory, runs
from webapp.core.imports.answers import KIND, Answers
from webapp.core.imports.reading import look, samples
from webapp.core.imports.running import work
from webapp.core.rules.normalise import DateOrder, DecimalMark
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Client, Service
from webapp.core.tables.imports import ImportKind, ImportState

SERVICES = "Service ID,Client ID,Product,Domain,Status,Price"


@pytest.fixture
def two_clients(sqlite_session: Session, tmp_path):
    imported(
        sqlite_session,
        written(tmp_path / "c.csv", "Client ID,Email,Status", "7,a@example.com,Active", "8,b@example.com,Active"),
    )
    return sqlite_session


def services(tmp_path, *rows: str, name: str = "s.csv"):
    return written(tmp_path / name, SERVICES, *rows)


def shown(session: Session, run) -> list[tuple[str, str, str, str]]:
    found = changes.listing(session, run.id).changes
    return [(one.number, changes.name(run.kind, one.field), one.old, one.new) for one in found]


def test_orders_are_not_taken_for_clients_and_it_is_asked_what_they_are(sqlite_session: Session):
    imported(sqlite_session, CASES / "11-clients-before.csv")
    path = CASES / "11-orders-taken-for-clients.csv"
    layout = look(path)
    proposed = mapping.propose(layout.header, samples(path, layout))
    assert proposed.open == (KIND,) and "“id” beside “client_id”" in proposed.why_kind
    assert proposed.kind is ImportKind.SERVICES
    run = uploaded(sqlite_session, path, answers=Answers(open=proposed.open))
    with pytest.raises(Conflict, match="Say first what the rows of this file are"):
        runs.begin(sqlite_session, run.id, "check", NOW)
    assert set(sqlite_session.scalars(select(Client.status))) == {ClientStatus.ACTIVE}


def test_a_field_in_doubt_has_to_be_said_first(sqlite_session: Session, tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Email,Status", "1,a@example.com,Active")
    run = uploaded(sqlite_session, path, answers=Answers(open=("number",)))
    with pytest.raises(Conflict, match="which column is Client ID"):
        runs.begin(sqlite_session, run.id, "check", NOW)


def test_an_unknown_status_word_is_asked_with_its_rows_and_a_proposal(two_clients: Session, tmp_path):
    rows = ["1,7,Web,a.example,Pending Transfer,5", "2,7,Web,b.example,pending_transfer,5", "3,8,Web,c.example,Odd,5"]
    run = checked(two_clients, services(tmp_path, *rows, "4,8,Web,d.example,Active,5"))
    asked = asking.questions(run)
    assert [(word.text, word.count, word.proposed) for word in asked.words] == [
        ("Pending Transfer", 2, "inactive"),
        ("Odd", 1, ""),
    ]
    assert not asked.must
    assert numbers(run) == {"new": 1, "refused": 3}


def test_words_that_were_given_a_meaning_are_taken_and_remembered_for_the_next_file(two_clients: Session, tmp_path):
    answers = Answers(statuses={"grace": "active", "odd": "refuse"})
    run = imported(
        two_clients, services(tmp_path, "1,7,Web,a.example,Grace,5", "2,7,Web,b.example,odd,5"), answers=answers
    )
    assert numbers(run) == {"new": 1, "refused": 1, "repaired": 1}
    assert not asking.questions(run).are_open
    assert two_clients.scalar(select(Service.status)) is HoldingStatus.ACTIVE
    known = memory.recall(two_clients, ["service id", "Client-ID", "Product", "Domain", "Status", "Price"])
    assert known is not None
    assert (known.kind, known.mapping["status"], known.answers.statuses) == (ImportKind.SERVICES, 4, answers.statuses)
    assert memory.recall(two_clients, ["Client ID", "Service ID", "Product", "Domain", "Status", "Price"]) is None
    memory.forget(two_clients, run.header)
    assert memory.recall(two_clients, run.header) is None


def test_what_was_only_tried_is_not_remembered(two_clients: Session, tmp_path):
    run = checked(two_clients, services(tmp_path, "1,7,Web,a.example,Active,5"))
    assert memory.recall(two_clients, run.header) is None


@pytest.mark.parametrize(
    ("price", "answers", "words"),
    [
        ("1.234", Answers(), "what stands before the decimals in 1.234"),
        ("1.234", Answers(mark=DecimalMark.COMMA), None),
    ],
)
def test_prices_with_two_meanings_are_asked_before_anything_is_imported(
    two_clients: Session, tmp_path, price, answers, words
):
    path = services(tmp_path, f"1,7,Web,a.example,Active,{price}")
    if words:
        with pytest.raises(Conflict, match=words):
            imported(two_clients, path, answers=answers)
        assert two_clients.scalar(select(Service.id)) is None
    else:
        assert numbers(imported(two_clients, path, answers=answers))["new"] == 1
        assert two_clients.scalar(select(Service.price)) == 1234


def test_a_step_that_was_not_looked_at_does_not_guess_either(sqlite_session: Session, tmp_path):
    path = written(tmp_path / "a.csv", "Client ID,Email,Status,Created", "1,a@example.com,Active,03/07/2021")
    run = uploaded(sqlite_session, path)
    runs.begin(sqlite_session, run.id, "run", NOW, unchecked=True)
    sqlite_session.commit()
    done = work(sqlite_session, run.id, "run", path, ticking())
    assert done is not None and done.state is ImportState.FAILED
    assert "the day or the month comes first" in (done.error or "")
    assert sqlite_session.scalar(select(Client.id)) is None
    sqlite_session.rollback()


def test_a_dry_run_shows_what_would_change_field_by_field(two_clients: Session, tmp_path):
    imported(two_clients, services(tmp_path, "1,7,Web,a.example,Active,5", "2,8,Mail,b.example,Active,5"))
    run = checked(
        two_clients,
        services(tmp_path, "1,8,Web Pro,a.example,Suspended,5.50", "2,8,Mail,b.example,Active,5", name="t.csv"),
    )
    assert numbers(run) == {"changed": 1, "unchanged": 1}
    assert shown(two_clients, run) == [
        ("1", "Client ID", "7", "8"),
        ("1", "Product", "Web", "Web Pro"),
        ("1", "Status", "Active", "Suspended"),
        ("1", "Price", "5.00", "5.50"),
    ]
    page = changes.listing(two_clients, run.id, field="status")
    assert (page.total, len(page.changes)) == (1, 1)
    assert dict(page.by_field) == {"client_number": 1, "product": 1, "status": 1, "price": 1}


def test_a_client_that_changes_shows_what_people_read(session: Session, tmp_path):
    header = "Client ID,First name,Email,Country,Client since,Marketing opt-in,Status"
    imported(session, written(tmp_path / "a.csv", header, "7,Ada,a@example.com,DE,2020-01-02,1,Active"))
    run = checked(session, written(tmp_path / "b.csv", header, "7,=1+1,b@example.com,,2021-01-05,no,Closed"))
    assert shown(session, run) == [
        ("7", "First name", "Ada", "=1+1"),
        ("7", "E-mail", "a@example.com", "b@example.com"),
        ("7", "Country", "DE", ""),
        ("7", "Status", "Active", "Terminate"),
        ("7", "Client since", "2020-01-02", "2021-01-05"),
        ("7", "Marketing opt-in", "Yes", "No"),
    ]
    lines = list(csv.reader(io.StringIO("".join(changes.as_csv(session, run)).removeprefix("\ufeff"))))
    assert lines[0] == ["Line", "Client ID", "Field", "Now", "After the import"]
    assert lines[1] == ["2", "7", "First name", "Ada", "'=1+1"]
    session.rollback()


def test_checking_again_forgets_the_changes_that_were_shown(two_clients: Session, tmp_path):
    path = written(tmp_path / "d.csv", "Client ID,Email,Status", "7,a@example.com,Suspended")
    run = checked(two_clients, path)
    assert len(shown(two_clients, run)) == 1
    runs.begin(two_clients, run.id, "run", NOW)
    two_clients.commit()
    work(two_clients, run.id, "run", path, ticking())
    assert shown(two_clients, run) == [("7", "Status", "Active", "Suspend")]
    assert shown(two_clients, checked(two_clients, path)) == []


def test_answers_come_back_as_they_were_kept():
    answers = Answers({"status": "Active"}, {"odd": "refuse"}, DateOrder.MONTH, DecimalMark.COMMA, ("number",))
    assert Answers.of_json(answers.as_json()) == answers
    assert Answers.of_json({}) == Answers()
