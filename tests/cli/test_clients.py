"""`flask clients import`: it asks on a terminal, takes options elsewhere, and never guesses."""

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.core.imports.steps import CASES, written
from webapp.cli import import_questions
from webapp.core.rules.statuses import ClientStatus, HoldingStatus
from webapp.core.tables.clients import Client, Service


@pytest.fixture
def flask(app: Flask):
    """Call `flask clients import …`; its result."""

    def call(*words: object, typed: str | None = None):
        return app.test_cli_runner().invoke(args=["clients", "import", *map(str, words)], input=typed)

    return call


@pytest.fixture
def terminal(monkeypatch):
    """Somebody sits there who can answer."""
    monkeypatch.setattr(import_questions, "is_asked", lambda: True)


@pytest.fixture
def clients(flask, tmp_path) -> None:
    path = written(
        tmp_path / "c.csv", "Client ID,Email,Status", "76001,a@example.com,Active", "76002,b@example.com,Active"
    )
    assert flask(path).exit_code == 0


def statuses(session: Session) -> list[ClientStatus]:
    session.rollback()
    return list(session.scalars(select(Client.status).order_by(Client.number)))


def test_orders_are_no_clients_and_it_says_which_option_tells_what_they_are(flask, clients, session: Session):
    result = flask(CASES / "11-orders-taken-for-clients.csv")
    assert result.exit_code == 2
    assert "“id” beside “client_id”" in result.output and "--kind: clients, services, addons" in result.output
    result = flask(CASES / "11-orders-taken-for-clients.csv", "--kind", "clients")
    assert result.exit_code == 2 and "Client ID:" in result.output
    assert statuses(session) == [ClientStatus.ACTIVE, ClientStatus.ACTIVE]


def test_a_column_in_doubt_has_to_be_said(flask, clients, session: Session):
    file = CASES / "11-orders-taken-for-clients.csv"
    result = flask(file, "--kind", "services")
    assert result.exit_code == 2
    assert (
        "Product: “title” could be it, but often is something else. Say it with --map product=COLUMN" in result.output
    )
    result = flask(file, "--kind", "services", "--map", "product=title")
    assert result.exit_code == 0, result.output
    assert session.scalars(select(Service.number).order_by(Service.number)).all() == ["901", "902"]


def test_on_a_terminal_it_asks_what_is_not_certain_and_remembers_it(
    flask, clients, terminal, tmp_path, session: Session
):
    header = "id,client_id,title,status,price"
    path = written(tmp_path / "o.csv", header, "1,76001,Hosting,Grace,1.234")
    result = flask(path, typed="services\n3\npoint\nactive\n")
    assert result.exit_code == 0, result.output
    assert "What does the status “Grace” mean, in 1 rows?" in result.output
    service = session.scalars(select(Service)).one()
    assert (service.status, float(service.price or 0)) == (HoldingStatus.ACTIVE, 1.234)
    again = flask(written(tmp_path / "p.csv", header, "2,76001,Hosting,grace,2.345"))
    assert again.exit_code == 0, again.output
    assert "Read as you said for o.csv" in again.output and "1 new" in again.output


def test_constants_and_meanings_are_options(flask, tmp_path, session: Session):
    path = written(tmp_path / "c.csv", "Client ID,Email", "1,a@example.com")
    assert flask(path).exit_code == 2
    assert flask(path, "--all", "status=Active", "--dry-run").exit_code == 0
    assert flask(path, "--all", "status=Odd", "--meaning", "odd=freeze").exit_code == 0
    assert statuses(session) == [ClientStatus.FREEZE]
    assert flask(path, "--all", "status=Odd", "--meaning", "odd=nonsense").exit_code == 2


def test_a_date_with_two_meanings_needs_its_option(flask, tmp_path, session: Session):
    path = written(tmp_path / "c.csv", "Client ID,Email,Status,Created", "1,a@example.com,Active,03/07/2021")
    result = flask(path)
    assert result.exit_code == 2 and "Say it with --dates day or month" in result.output
    assert flask(path, "--dates", "month").exit_code == 0
    session.rollback()
    assert str(session.scalar(select(Client.client_since))) == "2021-03-07"


def test_a_dry_run_prints_what_would_change(flask, clients, tmp_path, session: Session):
    path = written(tmp_path / "d.csv", "Client ID,Email,Status", "76001,a@example.com,Suspend")
    result = flask(path, "--dry-run")
    assert "Would change:\n  76001, Status: Active -> Suspend" in result.output
    assert statuses(session) == [ClientStatus.ACTIVE, ClientStatus.ACTIVE]
