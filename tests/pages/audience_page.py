"""An audience page open in a browser, and reading what it answers."""

import html
import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import factories
from webapp.core import audience, broadcasts
from webapp.core.rules.statuses import ClientStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client

HTMX = {"HX-Request": "true"}


class Page:
    """A draft with its audience page open in a browser: what it would send, and what it gets back."""

    def __init__(self, browser: FlaskClient, session: Session, message_type: MessageType = MessageType.GENERAL):
        self.browser, self.session = browser, session
        self.draft = factories.broadcast(session, message_type=message_type, name="News")
        session.commit()
        self.url = f"/mass-mail/{self.draft.id}/audience/"
        self.base = ""
        self.reload()

    def reload(self, url: str = "") -> str:
        answer = self.browser.get(url or self.url)
        assert answer.status_code == 200, answer.status
        self._read(answer.text)
        return answer.text

    def choose(self, htmx: bool = True, **values: Any) -> TestResponse:
        """Send the form with these choices."""
        data = {"base": self.base, "message_type": self.stored().message_type.value} | values
        answer = self.browser.post(self.url, data=data, headers=HTMX if htmx else {})
        self._read(answer.text)
        return answer

    def stored(self) -> Broadcast:
        self.session.rollback()
        self.session.expire_all()
        return broadcasts.get(self.session, self.draft.id)

    def picks(self) -> dict[int, PickKind]:
        self.session.rollback()
        return audience.picks_of(self.session, self.draft.id)

    def _read(self, text: str) -> None:
        found = re.search(r'id="step-base" value="(\w+)"', text)
        self.base = found.group(1) if found else self.base


def some_clients(session: Session) -> list[Client]:
    """Four: Jana Nováková in Czechia, two in Germany of whom one has no address, one in Austria who is frozen."""
    made = [
        factories.client(session, first_name="Jana", last_name="Nováková", country="CZ", search_text="jana novakova"),
        factories.client(session, country="DE"),
        factories.client(session, None, country="DE", last_name="Silent"),
        factories.client(session, country="AT", status=ClientStatus.FREEZE),
    ]
    session.commit()
    return made


def words(text: str) -> str:
    """The visible text of HTML, in one line."""
    text = re.sub(r"<(script|style|template).*?</\1>", " ", text, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def fragment(text: str, id_: str) -> str:
    """The element with this id, out of a page or an answer, without what makes it swap itself in and without tokens."""
    text = re.sub(r'(name="csrf_token" value=)"[^"]*"', r"\1", text)
    start = re.search(rf'<(\w+)[^>]*\bid="{id_}"', text)
    assert start, f"no {id_}"
    depth, tag = 0, start.group(1)
    if tag == "input":
        return re.sub(r' hx-swap-oob="[^"]*"', "", text[start.start() : text.index(">", start.end())])
    for hit in re.finditer(rf"<(/?){tag}\b", text[start.start() :]):
        depth += -1 if hit.group(1) else 1
        if depth == 0:
            found = text[start.start() : start.start() + hit.end() + 1]
            return re.sub(r' hx-swap-oob="[^"]*"', "", found)
    raise AssertionError(f"{id_} is never closed")


def number(text: str, criterion: str, value: str) -> str:
    return words(fragment(text, f"n-{criterion}-{value}"))
