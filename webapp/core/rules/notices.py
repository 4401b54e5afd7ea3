"""What people hear of without asking: the kinds of notices, their words, and when a mail or a call of one is tried again."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

QUIET = timedelta(minutes=15)
"""A mass mail that pauses for the same reason again and again, or a relay that comes and goes, is told of once in so long."""

RELAY_WAITS = timedelta(minutes=10)
"""A relay that takes nothing for so long is worth a notice; most come back before."""

NO_WORKER = timedelta(seconds=30)
"""A worker says that it lives far more often than this."""

BY_A_PERSON = "by "
"""What the reason of a pause begins with when somebody pressed the button; nobody needs to hear of that."""


class NoticeKind(StrEnum):
    """What happened. `event` is its name for other programs; a notice of the site is about no mass mail alone."""

    PAUSED_ITSELF = "paused_itself"
    NEEDS_DECISION = "needs_decision"
    MISSED_START = "missed_start"
    WAITS_FOR_RELAY = "waits_for_relay"
    NO_WORKER = "no_worker"
    FINISHED = "finished"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def event(self) -> str:
        return _EVENTS[self]

    @property
    def is_of_the_site(self) -> bool:
        return self in (NoticeKind.WAITS_FOR_RELAY, NoticeKind.NO_WORKER)

    @property
    def tone(self) -> str:
        """How urgent it looks: "ok" for good news, else "warn" or "bad"."""
        return {NoticeKind.FINISHED: "ok", NoticeKind.NO_WORKER: "bad", NoticeKind.PAUSED_ITSELF: "bad"}.get(
            self, "warn"
        )


_LABELS = {
    NoticeKind.PAUSED_ITSELF: "Paused",
    NoticeKind.NEEDS_DECISION: "Needs a decision",
    NoticeKind.MISSED_START: "Start missed",
    NoticeKind.WAITS_FOR_RELAY: "Waiting for the relay",
    NoticeKind.NO_WORKER: "No worker",
    NoticeKind.FINISHED: "Finished",
}
_EVENTS = {
    NoticeKind.PAUSED_ITSELF: "broadcast.paused",
    NoticeKind.NEEDS_DECISION: "broadcast.needs_attention",
    NoticeKind.MISSED_START: "broadcast.start_missed",
    NoticeKind.WAITS_FOR_RELAY: "relay.waiting",
    NoticeKind.NO_WORKER: "workers.missing",
    NoticeKind.FINISHED: "broadcast.finished",
}


class Scope(StrEnum):
    """Whose mass mails somebody hears of."""

    OWN = "own"
    ALL = "all"

    @property
    def label(self) -> str:
        return {Scope.OWN: "Their own mass mails", Scope.ALL: "All mass mails"}[self]


class Channel(StrEnum):
    """How a notice leaves the console."""

    MAIL = "mail"
    WEBHOOK = "webhook"


class DispatchState(StrEnum):
    """Where one mail or call is: still to be made, done, not taken at any attempt, or not wanted any more."""

    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given_up"
    DROPPED = "dropped"


def paused_itself(reason: str | None) -> bool:
    """Whether a broadcast with this pause reason was stopped by the program, not by a person."""
    return reason is not None and not reason.startswith(BY_A_PERSON)


def same_reason(one: str, other: str) -> bool:
    """Whether two reasons are the same but for the numbers, times and ids in them."""
    return _without_numbers(one) == _without_numbers(other)


def _without_numbers(words: str) -> str:
    return " ".join("#" if any(letter.isdigit() for letter in word) else word.lower() for word in words.split())


def without_addresses(words: str) -> str:
    """`words` without the addresses of people: a relay repeats those of recipients, and they concern nobody outside the console."""
    return re.sub(r"<?[^\s<>()\",;:=]+@[^\s<>()\"',;:]+>?", "(an address)", words)


_PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600)
)  # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
_MAIL_GOES_ON, _MAIL_LASTS = timedelta(hours=2), timedelta(days=3)


def next_try(channel: Channel, attempts: int, age: timedelta) -> timedelta | None:
    """How long to wait after so many attempts at a notice of this age; None when it is given up. A call is tried six times within three
    hours; a mail for three days, because the relay that is away is the one that it goes by."""
    if channel is Channel.MAIL and age >= _MAIL_LASTS:
        return None
    if attempts <= len(_PAUSES):
        return _PAUSES[attempts - 1]
    return _MAIL_GOES_ON if channel is Channel.MAIL else None


def title(kind: NoticeKind, facts: Mapping[str, Any]) -> str:
    """One line, as a mail's subject has it: "Paused: Autumn news"."""
    if kind.is_of_the_site:
        number = facts["number"]
        return f"{kind.label}: {facts['broadcasts'][0]['name'] if number == 1 else f'{number:,} mass mails'}"
    return f"{kind.label}: {facts['name']}"


def sentence(kind: NoticeKind, facts: Mapping[str, Any]) -> str:
    """What happened and what it means, in one or two sentences without times, which each reader has in a zone of their own."""
    match kind:
        case NoticeKind.PAUSED_ITSELF:
            return f"Sending has paused by itself. {_ended(facts['reason'])} Nothing leaves until somebody resumes it."
        case NoticeKind.NEEDS_DECISION:
            return f"{_mails(facts['counts']['uncertain'])} uncertain: no answer came after the mail was sent. Somebody has to decide."
        case NoticeKind.MISSED_START:
            return "Its start has passed and nothing was sent. It waits until somebody says whether it still shall be."
        case NoticeKind.WAITS_FOR_RELAY:
            minutes = RELAY_WAITS // timedelta(minutes=1)
            return f"The relay has taken nothing for more than {minutes} minutes. It is tried again and again; sending goes on by itself."
        case NoticeKind.NO_WORKER:
            return "No worker has been seen, so nothing is sent. Start one: RQ_CONFIG=jobs.worker rq worker"
        case NoticeKind.FINISHED:
            return f"All mails are accounted for: {counted(facts['counts'])}."


def counted(counts: Mapping[str, int]) -> str:
    """Counts in words: "1,200 accepted, 3 failed"."""
    return ", ".join(f"{counts[name]:,} {name}" for name in counts if counts[name]) or "none"


def payload(kind: NoticeKind, facts: Mapping[str, Any], happened_at: datetime, public_url: str) -> dict[str, Any]:
    """What a webhook is told; nothing in it is about a client."""
    if kind.is_of_the_site:
        those = [one | {"url": broadcast_url(public_url, one["id"])} for one in facts["broadcasts"]]
        data = {"broadcast_count": facts["number"], "broadcasts": those, "url": f"{public_url}/mass-mail/"}
    else:
        data = {name: facts[name] for name in ("id", "name", "state", "reason", "counts")}
        data["url"] = broadcast_url(public_url, facts["id"])
    return {"type": kind.event, "timestamp": happened_at.isoformat(), "data": data}


def broadcast_url(public_url: str, broadcast_id: int) -> str:
    return f"{public_url}/mass-mail/{broadcast_id}/"


def _mails(number: int) -> str:
    return "1 mail is" if number == 1 else f"{number:,} mails are"


def _ended(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "?", "…")) else f"{words}."
