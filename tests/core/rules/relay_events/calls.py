"""Calls of relays for tests: a sample that is right, and ways to spoil it."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from webapp.core.rules.relay_event import RelayEvent
from webapp.core.rules.relay_events.providers import MAKERS, Provider, reported
from webapp.core.rules.relay_events.samples import Sample, sample

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MAIL_ID = "17.0123456789abcdef0123456789abcdef"


@cache
def right(provider: Provider) -> Sample:
    """A sample of NOW; made once, since keys take time."""
    return sample(provider, NOW, MAIL_ID)


def verify(provider: Provider, call: Sample, now: datetime = NOW) -> None:
    """As the endpoint does it; the certificate is the sample's, whatever the address."""
    reported(provider, call.raw, call.headers, call.key, now, lambda _url: call.certificate)


def events(provider: Provider, raw: bytes) -> list[RelayEvent]:
    return MAKERS[provider].events(raw)


def told(provider: Provider) -> Any:
    """The sample's body, to be changed."""
    return json.loads(right(provider).raw)


def one(provider: Provider, body: object) -> RelayEvent:
    """The one event of a body."""
    (event,) = events(provider, json.dumps(body).encode())
    return event


def with_header(call: Sample, name: str, change: Callable[[str], str]) -> Sample:
    headers: Mapping[str, str] = {**call.headers, name: change(call.headers[name])}
    return call._replace(headers=headers)
