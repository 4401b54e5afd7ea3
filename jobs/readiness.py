"""A worker takes no job that it cannot do: started in a way that cannot work it ends and says why; while its database is away or not
upgraded it waits, says so once, and begins by itself when that is mended.
"""

import logging
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager

from rq.serializers import JSONSerializer
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.adapters import clock, schema
from webapp.core.cadence import READY_LOOK_S
from webapp.core.domains import keys
from webapp.core.domains.sealing import Seal
from webapp.core.sending.workers import START
from webapp.environ import EXIT_UNUSABLE

AWAY = "The database does not answer"
ANOTHER_SECRET = (
    "SECRET_KEY is not the one of the console: it does not open {names}, and mails would leave without a signature. Start this worker with "
    "the console's, or stop signing and make new keys in Settings, Domains"
)

log = logging.getLogger(__name__)


def refusal(queues: Iterable[str], serializer: object, ours: str) -> str | None:
    """Why a worker of these queues and this serializer is of no use where the work is in the queue `ours`, or None."""
    if list(queues) != [ours]:
        return (
            f"This worker would listen to {', '.join(queues)}, and the work is in {ours}: name no queue. Start {START}"
        )
    if serializer is not JSONSerializer:
        return f"This worker would not understand its jobs, which are JSON: name no serializer. Start {START}"
    return None


def demand_use(queues: Iterable[str], serializer: object, ours: str) -> None:
    """End this process, with one line, when its worker would be of no use; a supervisor that starts it again has it said again."""
    words = refusal(queues, serializer, ours)
    if words:
        print(words, file=sys.stderr, flush=True)
        raise SystemExit(EXIT_UNUSABLE)


class Readiness:
    """Whether this worker's database can be used by this program, and `seal` opens the keys in it that sign. `database` gives the engine,
    alone, for a moment."""

    def __init__(self, database: Callable[[], AbstractContextManager[Engine]], seal: Seal) -> None:
        self._database, self._seal = database, seal

    def problem(self) -> str | None:
        """What is wrong, as a sentence without its full stop, or None. It looks each time: a look takes a millisecond or a few, and nothing
        may be done to tables that were changed a moment ago."""
        try:
            with self._database() as engine, engine.connect() as connection:
                return schema.problem_of(connection) or self._of_secret(connection)
        except SQLAlchemyError:
            return AWAY

    def _of_secret(self, connection: Connection) -> str | None:
        with Session(connection) as session:
            sealed = keys.sealed_otherwise(session, self._seal, clock.now())
        names = ", ".join(f"{key.selector} of {key.domain}" for key in sealed)
        return ANOTHER_SECRET.format(names=names) if sealed else None

    def wait(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Until nothing is wrong; says what is, when that changes. `meanwhile` is called between two looks."""
        said = None
        while (problem := self.problem()) is not None:
            if problem != said:
                log.warning("%s. This worker takes no job until then.", problem)
                said = problem
            meanwhile()
            time.sleep(READY_LOOK_S)
        if said is not None:
            log.warning("The database is as it must be: this worker takes jobs.")
