"""An audience page open in a browser, and reading what it answers."""

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import factories
from tests.pages.page import read
from webapp.core import audience, broadcasts
from webapp.core.rules.statuses import ClientStatus, MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind
from webapp.core.tables.clients import Client

HTMX = {"HX-Request": "true"}


class AudiencePage:
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
        found = read(text).all("#step-base")
        self.base = found[0]["value"] if found else self.base


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
    return read(text).words


def fragment(text: str, id_: str) -> str:
    """The element with this id, out of a page or an answer, without what makes it swap itself in and without tokens."""
    part = read(text).at(f"#{id_}")
    part.element.attrib.pop("hx-swap-oob", None)
    for token in part.all("*[@name='csrf_token']"):
        token.element.set("value", "")
    return part.markup


def number(text: str, criterion: str, value: str) -> str:
    return read(text).text(f"#n-{criterion}-{value}")
