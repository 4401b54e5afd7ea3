"""The form of what is logged: text and JSON, levels, ids, and nothing in it that speaks of people."""

import ast
import json
import logging
import re
import smtplib
import threading

import pytest

from tests import source
from tests.spoken import spoken
from webapp.adapters import logs


@pytest.fixture(autouse=True)
def no_request_before() -> None:
    """What was asked in this thread before belongs to nobody here."""
    logs.begin()


OURS = logging.getLogger("webapp.core.something")


def tells_its_event(function: ast.AST, call: ast.Call) -> bool:
    """Whether the fields of a line have an `event`: they are written in the call, or in the function around it."""
    extra = next((keyword.value for keyword in call.keywords if keyword.arg == "extra"), None)
    if extra is None:
        return False
    keys = [key for part in ast.walk(function) if isinstance(part, ast.Dict) for key in part.keys]
    return any(isinstance(key, ast.Constant) and key.value == "event" for key in keys)


def test_every_line_at_info_names_its_event():
    """Whoever counts lines does so by `event`; a message may change its words."""
    silent = []
    for name in source.python_files("webapp", "jobs"):
        for function in ast.walk(source.tree(name)):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for call in ast.walk(function):
                is_line = isinstance(call, ast.Call) and re.search(r"\blog(ger)?\.info$", ast.unparse(call.func))
                if is_line and not tells_its_event(function, call):
                    silent.append(f"{name}:{call.lineno}")
    assert silent == []


def test_a_line_of_text_has_its_instant_level_logger_and_request():
    with spoken(as_json=False) as heard, logs.belonging_to("4f2a"):
        OURS.info("broadcast %s: begun", 17, extra={"event": "begun"})
    (line,) = heard.lines()
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    assert re.fullmatch(rf"{instant} INFO webapp\.core\.something \[4f2a\] broadcast 17: begun", line), line


def test_a_line_of_json_has_the_fields_of_its_event_beside_the_message():
    with spoken() as heard, logs.belonging_to("4f2a"):
        OURS.info("broadcast %s: begun", 17, extra={"event": "begun", "broadcast": 17})
    (told,) = map(json.loads, heard.lines())
    assert told.pop("at").endswith("Z")
    assert told == {
        "level": "INFO",
        "logger": "webapp.core.something",
        "request": "4f2a",
        "message": "broadcast 17: begun",
        "event": "begun",
        "broadcast": 17,
    }


def test_a_line_break_in_a_message_begins_no_line():
    for as_json in (False, True):
        with spoken(as_json=as_json) as heard:
            OURS.warning("given: %s", "a\r\n2026-01-01 INFO forged")
        assert len(heard.lines()) == 1


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_ours_is_heard_from_the_level_that_is_set(level: str, count: int):
    with spoken(level) as heard:
        for number in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
            OURS.log(number, "said")
    assert len(heard.lines()) == count


def test_others_are_heard_from_warning_on():
    with spoken() as heard:
        logging.getLogger("alembic.runtime").info("chatter")
        logging.getLogger("alembic.runtime").warning("said")
    assert [told["message"] for told in heard.events()] == ["said"]


def test_rq_is_heard_from_warning_on_whatever_level_it_gives_itself():
    chatter = logging.getLogger("rq.worker")
    before = chatter.level
    try:
        with spoken() as heard:
            chatter.setLevel("INFO")
            chatter.info("job 7 begins")
            chatter.error("job 7: exception raised\n%s", "Traceback: ValueError: Ada Sentinel")
        with spoken("debug") as all_of_it:
            chatter.info("job 7 begins")
    finally:
        chatter.setLevel(before)
    assert [told["message"] for told in heard.events()] == ["job 7: exception raised"]
    assert [told["message"] for told in all_of_it.events()] == ["job 7 begins"]


def test_a_second_set_up_says_nothing_twice():
    with spoken(), spoken() as heard:
        OURS.info("said")
    assert len(heard.lines()) == 1


@pytest.mark.parametrize("given", ["4f2a9c", "a.b_c-D9", "x" * 64])
def test_the_id_that_a_proxy_gave_is_taken(given: str):
    assert logs.id_from(given) == given


@pytest.mark.parametrize("given", [None, "", "x" * 65, "a b", "a\nb", "ada@example.com", "ä", '"}', "a/b"])
def test_an_id_that_is_none_is_replaced_by_a_new_one(given: str | None):
    made = logs.id_from(given)
    assert re.fullmatch(r"[0-9a-f]{32}", made) and made != logs.id_from(given)


def test_what_another_thread_says_does_not_belong_to_this_request():
    with spoken() as heard:
        with logs.belonging_to("one"):
            assert logs.current_id() == "one"
            thread = threading.Thread(target=OURS.info, args=["beside"])
            thread.start()
            thread.join()
            OURS.info("inside")
        assert logs.current_id() is None
    assert {told["message"]: told["request"] for told in heard.events()} == {"beside": "-", "inside": "one"}


def raised(error: Exception) -> str:
    with spoken(as_json=False) as heard:
        try:
            raise error
        except Exception:
            OURS.exception("it broke")
    return heard.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        ValueError("invalid literal for int(): 'Sentinel'"),
        KeyError("Sentinel"),
        smtplib.SMTPResponseException(550, b"no such user Sentinel"),
    ],
)
def test_an_error_whose_words_may_be_about_people_is_told_by_its_kind_and_place(error: Exception):
    told = raised(error)
    assert "Sentinel" not in told and "raise error" in told and told.rstrip().endswith(type(error).__name__)


def test_an_error_that_speaks_of_machines_is_told_in_its_own_words():
    assert raised(FileNotFoundError(2, "No such file", "journal-7")).rstrip().endswith("No such file: 'journal-7'")


def test_what_led_to_an_error_is_told_before_it():
    name = "Sentinel"
    with spoken(as_json=False) as heard:
        try:
            try:
                raise KeyError(name)
            except KeyError as first:
                raise OSError("disk full") from first
        except OSError:
            OURS.exception("it broke")
    told = heard.getvalue()
    assert "Sentinel" not in told and told.index("KeyError") < told.index("which led to") < told.index("disk full")


@pytest.mark.parametrize("as_json", [False, True])
def test_an_address_that_slips_into_a_line_is_taken_out(as_json: bool):
    with spoken(as_json=as_json) as heard:
        OURS.warning("refused: <%s>", "ada.sentinel@exämple.com", extra={"to": "bob_sentinel@example.com"})
    assert "sentinel" not in heard.getvalue() and "(address)" in heard.getvalue()
