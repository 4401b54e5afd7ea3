"""The pulse of a sending process: a sign of life every few seconds, and a look whether everything is held meanwhile."""

import logging
import threading
from contextlib import suppress

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from webapp.adapters import clock
from webapp.adapters.database import will_write
from webapp.adapters.markers import Markers
from webapp.core.cadence import HELD_LOOK_S, PULSE_S
from webapp.core.settings import installation

log = logging.getLogger(__name__)


def is_held(engine: Engine, markers: Markers, broadcast_id: int) -> bool:
    """Whether nothing of this broadcast may leave. A database that is found to be older than what was sent holds everything from now on."""
    notice(engine, markers)
    with Session(engine) as session:
        return installation.is_held(session, broadcast_id)


def notice(engine: Engine, markers: Markers) -> None:
    """Hold everything if the database is older than what was sent."""
    marks = markers.read()
    with Session(engine) as session:  # begun after the markers were read, so that it knows whatever they know
        if not installation.is_behind(session, marks):
            return
        session.rollback()
        will_write(session)
        if installation.notice(session, marks, clock.now()):
            log.error(
                "This database is older than what this installation has sent: everything is held. See the console."
            )
        session.commit()


class Pulse(threading.Thread):
    """Beats from the start of sending to its end; a context manager. Entering it gives the first sign of life, before anything leaves, and
    leaving it the last. Faults of the database in between are the sender's to notice."""

    def __init__(
        self,
        engine: Engine,
        markers: Markers,
        broadcast_id: int,
        *,
        beat_s: float = PULSE_S,
        look_s: float = HELD_LOOK_S,
    ) -> None:
        super().__init__(name="pulse", daemon=True)
        self._engine, self._markers, self._broadcast_id = engine, markers, broadcast_id
        self._beat_s, self._look_s = beat_s, look_s
        self._is_over = threading.Event()
        self._is_held = False

    def __enter__(self) -> "Pulse":
        self._beat()
        self._look()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()
        with suppress(SQLAlchemyError):
            self._beat()

    def must_stop(self) -> bool:
        """Whether everything is held by now."""
        return self._is_held

    def run(self) -> None:
        last = clock.ticks()
        while not self._is_over.wait(self._look_s):
            try:
                self._look()
                if clock.ticks() - last >= self._beat_s:
                    self._beat()
                    last = clock.ticks()
            except SQLAlchemyError as error:
                log.warning("No sign of life could be given: %s", type(error).__name__)

    def _beat(self) -> None:
        with Session(self._engine) as session:
            will_write(session)
            mark = installation.sign_of_life(session, clock.now())
            session.commit()
        self._markers.write(mark)

    def _look(self) -> None:
        with Session(self._engine) as session:
            self._is_held = installation.is_held(session, self._broadcast_id)
