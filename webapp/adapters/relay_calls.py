"""One call of a relay, from its body to what is committed; and the same with a sample, of which nothing is kept."""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from webapp.adapters.amazon import Amazon, Unreachable
from webapp.adapters.database import will_write, writes_from_here
from webapp.core.consent import event_sources
from webapp.core.consent.event_sources import KnownSource, Record, TakenEvents
from webapp.core.errors import NotFound
from webapp.core.rules.relay_event import RelayEvent
from webapp.core.rules.relay_events import sns
from webapp.core.rules.relay_events.providers import MAKERS, Provider, reported
from webapp.core.rules.relay_events.reading import Refused
from webapp.core.rules.relay_events.samples import Sample, sample

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """How a call is answered: a status, and what is said for whoever reads it at the relay."""

    status: int
    words: str


NOT_HERE = CallAnswer(404, "There is nothing at this address.")


def receive(
    session: Session,
    provider: Provider,
    secret: str,
    raw: bytes,
    headers: Mapping[str, str],
    now: Callable[[], datetime],
    amazon: Amazon,
    record: Record,
) -> CallAnswer:
    """Take a call and commit what it reports; 2xx only then. No transaction is open while a signature is checked or Amazon is asked.

    A refusal that may be due to us, such as a key that does not fit, is answered so that the relay tries again where it does that at all:
    once the key is right, nothing is lost. What can never be taken is answered so that it stops.
    """
    known = event_sources.called(session, provider, secret, now())
    session.rollback()
    if known is None:
        return NOT_HERE
    maker = MAKERS[provider]
    try:
        events = reported(provider, raw, headers, known.key, now(), amazon.certificate)
        about = _subscription(known, raw, amazon)
        writes_from_here(session)
        taken = event_sources.take(session, known, events, now(), record)
        if about is not None:
            event_sources.was_subscribed(session, known.id, now(), ended=about is sns.Kind.END)
        session.commit()
    except Refused as refusal:
        writes_from_here(session)
        event_sources.was_refused(session, known.id, str(refusal), now())
        session.commit()
        told = {"event": "relay_call_refused", "source": known.id, "provider": provider.value}
        log.info("source %s: a call of %s was refused", known.id, provider.label, extra=told)
        return CallAnswer(maker.refused if refusal.is_final else maker.doubted, str(refusal))
    except Unreachable as trouble:
        return CallAnswer(maker.comes_again, f"Amazon could not be asked: {trouble}.")
    except NotFound:
        session.rollback()
        return NOT_HERE
    told = {"event": "relay_call", "source": known.id, "provider": provider.value} | asdict(taken)
    log.info("source %s: %s events recorded", known.id, taken.recorded, extra=told)
    return CallAnswer(200, "Taken.")


def _subscription(known: KnownSource, raw: bytes, amazon: Amazon) -> sns.Kind | None:
    """Confirm a subscription that wants it; what a believed envelope says about one, None if it is about mails."""
    if known.provider is not Provider.SES:
        return None
    kind, told = sns.envelope(raw)
    if kind is sns.Kind.SUBSCRIPTION:
        amazon.confirm(told["SubscribeURL"], known.key)
    return None if kind is sns.Kind.NOTIFICATION else kind


@dataclass(frozen=True, slots=True)
class Trial:
    """What a sample met on the way of a call: whether it was believed by its own key, whether the source's key refused it, as it must, the
    event that was read, and what would have become of it. `trouble` is why it went no further."""

    provider: Provider
    believed: bool = False
    stranger_refused: bool = False
    event: RelayEvent | None = None
    taken: TakenEvents | None = None
    trouble: str = ""


def try_out(session: Session, source_id: int, now: datetime, record: Record) -> Trial:
    """Send a sample along the way of a call. Raises NotFound. Nothing that the session holds is kept."""
    source = event_sources.get(session, source_id)
    known, key = KnownSource(source.id, source.provider, source.key), source.key
    session.rollback()
    call = sample(known.provider, now, f"{secrets.randbelow(1 << 40)}.{secrets.token_hex(16)}")
    trial = Trial(known.provider, stranger_refused=_is_refused(known.provider, call, key, now))
    try:
        (event,) = reported(known.provider, call.raw, call.headers, call.key, now, lambda _url: call.certificate)
        trial = replace(trial, believed=True, event=event)
        will_write(session)
        return replace(trial, taken=event_sources.take(session, known, [event], now, record))
    except Refused as refusal:
        return replace(trial, trouble=str(refusal))
    finally:
        session.rollback()


def _is_refused(provider: Provider, call: Sample, key: str, now: datetime) -> bool:
    try:
        reported(provider, call.raw, call.headers, key, now, lambda _url: call.certificate)
    except Refused:
        return True
    return False
