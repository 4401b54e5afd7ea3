"""What no request may bring: letters that the database cannot keep, and numbers that it cannot count to.

The one place in which they are refused: paths, query strings, forms, names of files, JSON, cookies and the headers that pages read. A NUL
cannot stand in a text of PostgreSQL (https://www.postgresql.org/docs/current/datatype-character.html), half of a surrogate pair in no
UTF-8 at all (RFC 3629 section 3).
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter

from webapp.pages import errors

TAKE_NOTHING = frozenset({"sign_in.sign_out", "relay_events.receive"})
"""Endpoints for everybody of whose body nothing is read here: the first takes none, the other reads it as it came, to prove a signature."""

LONG_NUMBER = re.compile(r"\d{1000}")
"""No number of ours has so many digits; Python does not read one of more than 4,300 (sys.set_int_max_str_digits)."""

UNKEPT = re.compile("[\x00\ud800-\udfff]")
LARGEST_ID = 2**63 - 1
READ_HEADERS = ("HX-Current-URL", "HX-Target", "HX-Prompt", "Referer", "User-Agent")
"""Headers of which pages take more than whether they are there. Their addresses are looked at decoded."""

COMPLAINT = "holds a character that cannot be kept (NUL, or half of a pair)"


class Id(IntegerConverter):
    """`<int:…>` in an address, of any length; what is larger than a key can be is answered 404 before anything
    else. A converter that refuses it would have other rules answer, with 405."""

    regex = r"[0-9]+"

    def to_python(self, value: str) -> int:
        return int(value) if len(value) < 20 else LARGEST_ID + 1


class Unkept(BadRequest):
    """Something in the request cannot be kept; the description says what. `is_form` where the form alone is at fault."""

    def __init__(self, where: str, *, is_form: bool = False):
        super().__init__(f"{where} {COMPLAINT}. Nothing was changed.")
        self.is_form = is_form


def install_first(app: Flask) -> None:
    """Bind what is looked at before anybody is asked for a name. Comes before the routes, whose numbers it bounds."""
    app.url_map.converters["int"] = Id
    app.before_request(_look_at_head)
    app.register_error_handler(Unkept, _refuse)


def install(app: Flask) -> None:
    """Bind what is looked at once the body may be read. Comes before a writing transaction begins."""
    app.before_request(_look_at_body)


def _look_at_head() -> None:
    if any(isinstance(value, int) and value > LARGEST_ID for value in (request.view_args or {}).values()):
        abort(404)
    if _any_unkept([request.path, *_pairs(request.args.items(multi=True))]):
        raise Unkept("The address")
    if any(LONG_NUMBER.search(text) for text in _pairs(request.args.items(multi=True))):
        raise BadRequest("The address holds a number that is too long.")
    if _any_unkept(_pairs(request.cookies.items(multi=True))):
        raise Unkept("A cookie")
    for name in READ_HEADERS:
        value = request.headers.get(name, "")
        if _any_unkept([value, unquote(value)]):
            raise Unkept(f"The header {name}")


def _look_at_body() -> None:
    if request.method in errors.READING or request.endpoint in TAKE_NOTHING:
        return
    for name, value in request.form.items(multi=True):
        if value.isdecimal() and LONG_NUMBER.match(value):
            raise BadRequest(
                f"The field “{UNKEPT.sub('', name)}” holds a number that is too long. Nothing was changed."
            )
        if _any_unkept([name, value]):
            raise Unkept(f"The field “{UNKEPT.sub('', name)}”", is_form=True)
    if _any_unkept(text for field, file in request.files.items(multi=True) for text in (field, file.filename or "")):
        raise Unkept("The name of the file")
    if request.is_json and _any_unkept(_texts(request.get_json(silent=True))):
        raise Unkept("The JSON")


def _refuse(error: Unkept) -> ResponseReturnValue:
    """For a form sent as a page of its own, what was typed comes back, to be sent without what cannot be kept."""
    kept = [(UNKEPT.sub("", name), UNKEPT.sub("", value)) for name, value in errors.typed()] if error.is_form else []
    return errors.said(400, error.description or "", kept, "Send it without")


def _pairs(items: Iterable[tuple[str, str]]) -> list[str]:
    return [text for pair in items for text in pair]


def _any_unkept(texts: Iterable[str]) -> bool:
    return any(UNKEPT.search(text) for text in texts)


def _texts(value: object) -> Iterator[str]:
    """Every text in a document of JSON, keys included."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case list(items):
                waiting += items
            case dict(fields):
                waiting += [*fields.keys(), *fields.values()]
