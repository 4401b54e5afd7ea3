"""`flask suppressions`: add, import, export, lift and forget, as an operator calls them."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from webapp.core.consent import suppressions

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def flask(sqlite_app: Flask):
    """Call `flask suppressions …`; its result."""
    return lambda *words: sqlite_app.test_cli_runner().invoke(args=["suppressions", *words])


def kinds(session: Session, key: str) -> list[tuple[str, str]]:
    session.rollback()
    return [(row.kind.value, row.scope.value) for row in suppressions.holding(session, [key])]


def test_addresses_are_added_and_what_cannot_be_read_is_said(flask, sqlite_session: Session):
    result = flask("add", "Ada@Example.com", BOB, "nobody", "--kind", "unsubscribed", "--reason", "a letter")
    assert result.exit_code == 1 and "2 added" in result.output and "nobody" in result.output
    assert kinds(sqlite_session, ADA) == [("unsubscribed", "marketing")]
    result = flask("add", ADA, "--kind", "unsubscribed", "--scope", "everything")
    assert result.exit_code == 0 and "1 widened" in result.output


def test_lifting_names_what_is_lifted(flask, sqlite_session: Session):
    flask("add", ADA)
    flask("add", ADA, "--kind", "bounced")
    assert flask("lift", ADA).exit_code == 2  # no reason
    assert "not bounced any more" in flask("lift", ADA, "--kind", "bounced", "--reason", "mended").output
    assert kinds(sqlite_session, ADA) == [("by_hand", "everything")]
    assert flask("lift", ADA, "--reason", "they called").exit_code == 0
    result = flask("lift", ADA, "--reason", "they called")
    assert result.exit_code == 1 and "is not suppressed" in result.output


def test_a_list_is_tried_taken_over_and_exported(flask, sqlite_session: Session, tmp_path: Path):
    file = tmp_path / "suppression_bounces.csv"
    file.write_text("status,reason,email,created\n5.1.1,550 gone,ada@example.com,1714979289\n5.1.1,550,nonsense,1\n")
    result = flask("import", str(file), "--dry-run")
    assert "SendGrid, bounces" in result.output and "1 added" in result.output and "dry run" in result.output
    assert kinds(sqlite_session, ADA) == []
    result = flask("import", str(file))
    assert result.exit_code == 1 and "line 3" in result.output
    assert kinds(sqlite_session, ADA) == [("bounced", "everything")]
    assert "1 known already" in flask("import", str(file)).output
    out = tmp_path / "out.csv"
    assert flask("export", "--to", str(out), "--kind", "bounced").exit_code == 0
    written = out.read_text(encoding="utf-8-sig")
    assert "ada@example.com,bounced,everything" in written and "2024-05-06T07:08:09Z" in written
    assert "ada@example.com" not in flask("export", "--kind", "imported").output
    flask("lift", ADA, "--reason", "moved")
    assert "Mass Mail" in flask("import", str(out)).output
    [row] = suppressions.holding(sqlite_session, [ADA])
    assert (row.evidence, row.created_at.year) == ("550 gone", 2024)


def test_what_is_no_list_is_refused(flask, tmp_path: Path):
    file = tmp_path / "clients.csv"
    file.write_text("name,city\nAda,Bonn\n")
    result = flask("import", str(file))
    assert result.exit_code == 1 and "No column of this file holds e-mail addresses" in result.output


def test_who_is_forgotten_stays_suppressed(flask, sqlite_session: Session):
    flask("add", ADA)
    assert "2 kept under a hash" in flask("forget", ADA).output
    assert kinds(sqlite_session, ADA) == [("by_hand", "everything")]
    assert ADA not in flask("export").output
    assert flask("forget", BOB).exit_code == 1
