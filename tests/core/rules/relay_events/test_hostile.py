"""Whatever is sent, nothing is raised but a refusal, and what is kept can be kept."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.rules.relay_events.calls import NOW, events, right, told
from webapp.core.rules.relay_event import LARGEST_RAW, LONGEST_KEY, LONGEST_STATUS, LONGEST_WORDS
from webapp.core.rules.relay_events import reading
from webapp.core.rules.relay_events.providers import Provider, reported
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import TOPIC

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=20)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, one in inner for place in places(one, (*path, name)))]


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], by)
    return copy


def read(provider: Provider, raw: bytes) -> None:
    """Read a body as one that was believed, and look whether a database could keep what it says."""
    try:
        found = events(provider, raw)
    except Refused as refusal:
        assert str(refusal)
        return
    for event in found:
        texts = (event.event_key, event.words, event.status, event.address, event.message_id, event.mail_id)
        "".join(texts).encode()
        assert "\x00" not in "".join(texts)
        most = (LONGEST_KEY, LONGEST_WORDS, LONGEST_STATUS, reading.LONGEST_ADDRESS, LONGEST_KEY, LONGEST_KEY)
        assert all(len(text) <= length for text, length in zip(texts, most, strict=True))
        assert event.event_key and len(event.raw) <= LARGEST_RAW and (event.at is None or event.at.tzinfo)


@pytest.mark.parametrize("provider", Provider)
@settings(max_examples=30)
@given(data=st.data())
def test_any_part_of_a_report_may_be_anything(provider: Provider, data: st.DataObject):
    body = told(provider)
    if provider is Provider.SES and data.draw(st.booleans()):
        message = json.loads(body["Message"])
        path = data.draw(st.sampled_from(places(message)))
        body["Message"] = json.dumps(replaced(message, path, data.draw(VALUES)))
    else:
        body = replaced(body, data.draw(st.sampled_from(places(body))), data.draw(VALUES))
    read(provider, json.dumps(body).encode())


@pytest.mark.parametrize("provider", Provider)
@settings(max_examples=30)
@given(
    raw=st.binary(max_size=300),
    headers=st.dictionaries(st.sampled_from(["Authorization", "X-Amz-Sns-Rawdelivery"]), st.text(max_size=30)),
)
def test_octets_that_are_no_report_are_refused(provider: Provider, raw: bytes, headers: dict[str, str]):
    with pytest.raises(Refused):
        reported(provider, raw, headers, right(provider).key, NOW, lambda _url: right(provider).certificate)
    read(provider, raw)


DEEP = 100_000
MONSTERS = {
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "not too deep to be read": b'[{"event":' + b"[" * 900 + b"]" * 900 + b"}]",
    "a long number": b'{"timestamp": ' + b"9" * 5_000 + b"}",
    "a number without end": b'[{"timestamp": NaN, "event": Infinity}]',
    "half a pair": b'[{"event": "bounce", "email": "\\ud800@example.com", "reason": "\\u0000"}]',
    "utf-16": '{"event": "bounce"}'.encode("utf-16"),
    "nothing": b"",
    "too many events": b"[" + b"1," * 5_000 + b"1]",
    "ten megabytes": b'{"a": "' + b"x" * 10_000_000 + b'"}',
}


@pytest.mark.parametrize("provider", Provider)
@pytest.mark.parametrize("raw", MONSTERS.values(), ids=MONSTERS.keys())
def test_monsters_are_refused_or_read(provider: Provider, raw: bytes):
    read(provider, raw)
    message = {
        "Type": "Notification",
        "MessageId": "1",
        "TopicArn": TOPIC,
        "Timestamp": "",
        "Message": raw.decode("latin-1")[:1_000_000],
    }
    read(Provider.SES, json.dumps(message).encode())


def test_ten_megabytes_are_refused_before_they_are_read():
    with pytest.raises(Refused, match="larger"):
        reported(Provider.BREVO, MONSTERS["ten megabytes"], {}, "k", NOW, lambda _url: b"")
