"""A Redis that cannot be used at present: which answers pass by themselves or by somebody's hand, what they mean, and saying so once.

A client library tells some of these from a lost connection and some from a mistake of ours by the class of the error; what they have in
common is the first word of the server's answer (https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors).
"""

import logging
import time

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

PASSING = {
    "READONLY": "it is a replica, as after a failover; REDIS_URL has to name the primary, or the Sentinels that know it",
    "UNBLOCKED": "it has just become a replica",
    "MASTERDOWN": "it is a replica that has lost its primary",
    "LOADING": "it is still reading its data from the disk",
    "OOM": "it has used all the memory it may use; raise its maxmemory",
    "MISCONF": "it cannot save its data to the disk; its own log says why",
    "NOREPLICAS": "too few replicas follow it",
    "BUSY": "a script keeps it busy",
    "CLUSTERDOWN": "a part of its cluster is missing",
    "TRYAGAIN": "its cluster is being rearranged",
    "EXECABORT": "it changed its role in the middle of a transaction",
    "NOPERM": "the rights of its user do not suffice; docs/operating.md lists the commands and keys",
    "NOAUTH": "it asks for a password, and REDIS_URL has none",
    "WRONGPASS": "it does not take the user name or the password of REDIS_URL",
}
"""First words of answers that say nothing against the command, and what they mean."""

IN_A_SCRIPT = "ACL failure in script"
"""What Lua says in place of NOPERM."""

FORGOTTEN_S = 60.0
"""A reason that has not been met for so long is news again."""


def code(error: BaseException) -> str:
    """The first word of the server's answer, also of one to a command in a pipeline; empty where there was no answer."""
    status = getattr(error, "status_code", None)
    if status and status != "ERR":
        return str(status)
    answer = str(error).rpartition("caused error: ")[2]
    if IN_A_SCRIPT in answer:
        return "NOPERM"
    word = answer.split(" ", 1)[0]
    return word if word.isupper() and word.isalpha() else ""


def passes(error: BaseException) -> bool:
    """Whether the same command may well succeed later."""
    return isinstance(error, RedisConnectionError | RedisTimeoutError | OSError) or (
        isinstance(error, RedisError) and code(error) in PASSING
    )


def reason(error: BaseException) -> str:
    """Why Redis cannot be used, in words, with its own."""
    known = PASSING.get(code(error))
    return f"{known} ({error})" if known else str(error)


class Outage:
    """Says once a reason that Redis cannot be used, however often it is met, and once that it can be used again. From any thread."""

    def __init__(self, log: logging.Logger, meanwhile: str) -> None:
        """`meanwhile` says in a whole sentence what happens until Redis can be used again."""
        self._log, self._meanwhile = log, meanwhile
        self._met: dict[str, float] = {}
        self._since: float | None = None

    def failed(self, error: BaseException) -> None:
        """Redis could not be used."""
        now, kind = time.monotonic(), code(error) or type(error).__name__
        if self._since is None or now - max(self._met.values(), default=now) > FORGOTTEN_S:
            self._since = now
        is_news = now - self._met.get(kind, float("-inf")) > FORGOTTEN_S
        self._met[kind] = now
        if is_news:
            self._log.warning("Redis cannot be used: %s. %s", reason(error).rstrip("."), self._meanwhile)

    def well(self) -> None:
        """What could not be done before has been done."""
        if self._since is not None:
            self._log.warning("Redis can be used again, after %.1f s.", self.lasts_s)
            self._since = None
            self._met.clear()

    @property
    def lasts_s(self) -> float:
        """Seconds since it was noticed; 0 when there is no outage."""
        return 0.0 if self._since is None else time.monotonic() - self._since
