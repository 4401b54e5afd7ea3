"""Whatever happens, no line of the log speaks of people: sign-ins, an import, and a broadcast with refusals and faults are played, and all
that was said meanwhile, at every level, is searched for what they were given."""

import io
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from jobs.import_list import import_list
from jobs.run_import import run_import
from jobs.send_batch import send_batch
from jobs.sweep import sweep
from tests import engine, factories
from tests.engine import TAKEN, PlainMailer
from tests.spoken import Spoken, spoken
from tests.visitors import sign_in
from webapp.adapters import clock
from webapp.core import broadcasts, sending, users
from webapp.core.imports import runs
from webapp.core.ports import Mail, Reply, Stage
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.tables.imports import ImportRun, ImportState
from webapp.core.users import links

FIRST, LAST, COMPANY = "Sentinella", "Sentinov", "Sentinel Works"
PERSON = "ada.sentinel@clients.example"
USER, USER_NAME, PASSWORD = "uma.sentinel@house.example", "Uma Sentinelsen", "sentinel horse battery"
SUBJECT, WORDS = "Sentinel news for {{ first_name }}", "<p>Sentinel text for {{ first_name }} {{ last_name }}</p>"
REPLY = "5.1.1 <ada.sentinel@clients.example>: Sentinella is unknown here"
SENTINEL = re.compile(r"sentin|clients\.example|house\.example", re.IGNORECASE)
"""Every value that people gave has one of these in it."""


@pytest.fixture(params=["text", "json"])
def heard(request: pytest.FixtureRequest) -> Iterator[Spoken]:
    with spoken("debug", as_json=request.param == "json") as heard:
        yield heard


def found(heard: Spoken, *more: str) -> list[str]:
    return [line for line in heard.lines() if SENTINEL.search(line) or any(one in line for one in more)]


def test_the_search_finds_what_it_is_for(heard: Spoken):
    logging.getLogger("webapp.somewhere").info("hello %s", FIRST)
    assert len(found(heard)) == 1


def test_signing_in_and_being_refused(sqlite_app: Flask, sqlite_session: Session, heard: Spoken):
    user = users.create(sqlite_session, USER, PASSWORD, clock.now(), name=USER_NAME)
    token = links.make_link(sqlite_session, user.id, clock.now())
    sqlite_session.commit()
    client = sqlite_app.test_client()

    def post(where: str, **data: str) -> int:
        answer = client.post(where, data=data, buffered=True, environ_base={"REMOTE_ADDR": "198.51.100.77"})
        cookies.extend(said.partition("=")[2].partition(";")[0] for said in answer.headers.getlist("Set-Cookie"))
        return answer.status_code

    cookies: list[str] = []
    assert post("/sign-in/link/", token="sentinel-of-nobody") == 302
    assert post("/sign-in", email=USER, password="sentinel wrong") == 422
    assert post("/sign-in?next=/sentinel", email=USER, password=PASSWORD) == 302
    client.get("/sentinel/of/no/page", buffered=True)
    assert post("/sign-in/link/", token=token) == 302
    for _ in range(10):
        last = sqlite_app.test_client().post(
            "/sign-in", data={"email": USER, "password": "sentinel wrong"}, buffered=True
        )
    assert last.status_code == 429
    said = heard.getvalue()
    assert "signed in by password" in said and "signed in by link" in said and "too many attempts" in said
    secrets = [cookie for cookie in cookies if len(cookie) > 20]
    assert secrets and found(heard, token, *secrets, "198.51.100.77") == []


CLIENTS = f"""Client ID,First Name,Last Name,Company Name,Email,Country,Language,Status\r
1,{FIRST},{LAST},{COMPANY},{PERSON},DE,german,Active\r
2,{FIRST},{LAST},{COMPANY},not-sentinel-at-all,DE,german,Active\r
3,{FIRST},{LAST},{COMPANY},{PERSON},Sentinelland,german,sentinelled\r
"""


def test_importing_clients(sqlite_app: Flask, sqlite_session: Session, heard: Spoken):
    client = sign_in(sqlite_app, sqlite_session)
    file = io.BytesIO(CLIENTS.encode()), "sentinel-export.csv"
    answer = client.post("/clients/import/", data={"file": file}, content_type="multipart/form-data", buffered=True)
    assert answer.status_code == 303
    key = int(answer.headers["Location"].rstrip("/").rpartition("/")[2])
    for step, state in (("check", ImportState.CHECKED), ("run", ImportState.DONE)):
        sqlite_session.rollback()
        run = sqlite_session.get_one(ImportRun, key, populate_existing=True)
        if step == "run":
            assert run.state is ImportState.CHECKED
        runs.begin(sqlite_session, key, step, clock.now(), unchecked=True)
        sqlite_session.commit()
        with sqlite_app.app_context():
            run_import(key, step)
        sqlite_session.rollback()
        assert sqlite_session.get_one(ImportRun, key, populate_existing=True).state is state
    client.get(f"/clients/?q={PERSON}", buffered=True)
    assert "imported" in heard.getvalue() and found(heard) == []


def test_importing_a_list_of_suppressions(sqlite_app: Flask, sqlite_session: Session, heard: Spoken):
    client = sign_in(sqlite_app, sqlite_session)
    file = io.BytesIO(f"email,reason\n{PERSON},{WORDS}\nsentinel,\n".encode()), "sentinel-list.csv"
    answer = client.post("/clients/suppressions/import", data={"file": file}, buffered=True)
    key = int(answer.headers["Location"].rpartition("/")[2])
    with sqlite_app.app_context():
        import_list(key, "check")
        client.post(f"/clients/suppressions/import/{key}/run", buffered=True)
        import_list(key, "run")
    assert "list_taken_over" in heard.getvalue() and found(heard) == []


def broadcast_to(session: Session, count: int, **content: str) -> int:
    for number in range(count):
        address = PERSON.replace("@", f"+{number}@")
        factories.client(session, address, first_name=FIRST, last_name=LAST, company=COMPANY)
    given = {
        "subject": SUBJECT,
        "html": WORDS,
        "from_address": f"{USER_NAME} <{USER}>",
        "batch_size": 0,
        "interval_s": 0,
    }
    broadcast = factories.broadcast(session, name="Sentinel campaign", **given | content)
    broadcasts.schedule(session, broadcast.id, None, clock.now(), by=USER)
    session.commit()
    return broadcast.id


def some_unknown(mail: Mail) -> Reply:
    return Reply(Stage.RCPT, 550, REPLY) if "+1@" in mail.rcpt_to else TAKEN


def nobody(_mail: Mail) -> Reply:
    return Reply(Stage.DOT, 550, f"5.7.1 {PERSON} sends Sentinel spam")


def away(_mail: Mail) -> Reply:
    return Reply(Stage.MAIL, 421, f"4.3.2 not now, {PERSON}")


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (some_unknown, {"freeze_begun", "freeze_done", "sender_begun", "sender_ended"}),
        (nobody, {"breaker", "sender_ended"}),
        (away, {"relay_waiting", "sender_ended"}),
    ],
)
def test_sending_to_those_who_take_it_and_those_who_do_not(
    sqlite_app: Flask, sqlite_session: Session, tmp_path: Path, answer: Callable[[Mail], Reply], events: set[str]
):
    key = broadcast_to(sqlite_session, 30)
    where = engine.engine_of(sqlite_app)
    with spoken("debug") as heard:
        assert sending.begin(engine.runtime(where), key, ask_after=None).is_ready
        engine.send(where, key, tmp_path, lambda: PlainMailer(answer))
        with sqlite_app.app_context():
            sweep()
    assert events <= {one.get("event") for one in heard.events()}
    assert found(heard) == []


def test_a_mail_that_cannot_be_made_and_a_mistake_of_the_program(
    sqlite_app: Flask, sqlite_session: Session, tmp_path: Path, heard: Spoken
):
    key = broadcast_to(sqlite_session, 3)
    where = engine.engine_of(sqlite_app)

    def breaks(_mail: Mail) -> Reply:
        raise ValueError(f"cannot do this for {FIRST} <{PERSON}>")

    assert sending.begin(engine.runtime(where), key, ask_after=None).is_ready
    with pytest.raises(ValueError, match="cannot do this"):
        engine.send(where, key, tmp_path, lambda: PlainMailer(breaks))
    assert engine.state_of(sqlite_session, broadcasts.get(sqlite_session, key)) is BroadcastState.PAUSED
    assert "ValueError" in heard.getvalue() and found(heard) == []


def test_a_request_that_breaks_over_what_somebody_typed(sqlite_app: Flask, heard: Spoken):
    sqlite_app.testing = False
    sqlite_app.config["PROPAGATE_EXCEPTIONS"] = False
    sqlite_app.add_url_rule("/sign-in/broken", "sign_in.broken", lambda: {}[FIRST])
    assert sqlite_app.test_client().get(f"/sign-in/broken?q={FIRST}", buffered=True).status_code == 500
    assert "KeyError" in heard.getvalue() and found(heard) == []


def test_a_job_that_breaks_over_somebodys_data(sqlite_app: Flask, sqlite_session: Session, heard: Spoken, monkeypatch):
    key = broadcast_to(sqlite_session, 3)

    def breaks(*_arguments: object, **_options: object) -> None:
        raise LookupError(FIRST)

    monkeypatch.setattr("jobs.runtime.own_app", lambda: sqlite_app)
    monkeypatch.setattr("webapp.core.sending.look", breaks)
    with pytest.raises(LookupError):
        send_batch(key)
    said = heard.getvalue()
    assert "this job broke off" in said and "LookupError" in said and found(heard) == []
