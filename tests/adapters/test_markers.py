"""Markers outside the database, and the pulse that writes them: read back, never older, and no hindrance."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tests import engine
from webapp.adapters import pulse
from webapp.adapters.markers import KEY, Markers
from webapp.adapters.pulse import Pulse
from webapp.core.settings import installation
from webapp.core.settings.installation import HighWaterMark
from webapp.core.tables.installation import Installation

AT = datetime(2026, 11, 14, 2, 30, tzinfo=UTC)


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def markers(tmp_path: Path, redis: Redis) -> Markers:
    return Markers(tmp_path, lambda: redis)


@pytest.fixture
def where(session: Session) -> Engine:
    return session.get_bind()


def away() -> Redis:
    return Redis(host="127.0.0.1", port=1)


def test_what_was_written_is_read_from_both_places(markers: Markers, tmp_path: Path, redis: Redis):
    mark = HighWaterMark("abc", 5, AT)
    markers.write(mark)
    assert markers.read() == [mark, mark]
    redis.delete(KEY)
    assert markers.read() == [mark]
    markers.write(mark)
    (tmp_path / "sent" / "abc.json").unlink()
    assert markers.read() == [mark]


def test_an_older_mark_never_replaces_a_newer_one(markers: Markers):
    newer = HighWaterMark("abc", 7, AT)
    markers.write(newer)
    markers.write(HighWaterMark("abc", 6, AT))
    assert markers.read() == [newer, newer]


def test_each_database_has_a_marker_of_its_own(markers: Markers):
    markers.write(HighWaterMark("abc", 7, AT))
    markers.write(HighWaterMark("def", 1, None))
    assert set(markers.read()) == {HighWaterMark("abc", 7, AT), HighWaterMark("def", 1, None)}


def test_a_marker_that_was_cut_off_says_nothing_and_is_written_anew(markers: Markers, tmp_path: Path, redis: Redis):
    (tmp_path / "sent").mkdir()
    for broken in ('{"generation": 4', "", "[]", '{"generation": 3, "at": "never"}'):
        (tmp_path / "sent" / "abc.json").write_text(broken)
        redis.hset(KEY, "abc", broken)
        assert markers.read() == []
    markers.write(HighWaterMark("abc", 1, AT))
    assert len(markers.read()) == 2


def test_a_redis_that_is_away_and_a_folder_that_cannot_be_written_hinder_nobody(tmp_path: Path):
    markers = Markers(tmp_path, away)
    markers.write(HighWaterMark("abc", 1, AT))
    assert markers.read() == [HighWaterMark("abc", 1, AT)]
    (tmp_path / "file").touch()
    Markers(tmp_path / "file", away).write(HighWaterMark("abc", 1, AT))


def test_a_pulse_beats_at_the_beginning_while_it_lasts_and_at_the_end(
    where: Engine, session: Session, markers: Markers, monkeypatch
):
    grown = threading.Event()
    write = markers.write

    def watched(mark: HighWaterMark) -> None:
        write(mark)
        if mark.generation >= 4:
            grown.set()

    monkeypatch.setattr(markers, "write", watched)
    with Pulse(where, markers, 1, beat_s=0.02, look_s=0.01) as beating:
        assert markers.read()[0].generation == 1
        assert grown.wait(30)
        assert not beating.must_stop()
    session.rollback()
    generation = session.get_one(Installation, 1).generation
    assert {mark.generation for mark in markers.read()} == {generation} and generation >= 5


def test_a_marker_is_written_after_its_commit_and_not_if_that_fails(where: Engine, session: Session, markers: Markers):
    drop = "ALTER TABLE installation RENAME TO away"
    session.execute(text(drop))
    session.commit()
    with pytest.raises(Exception, match="installation"), Pulse(where, markers, 1):
        pass
    assert markers.read() == []


def test_a_pulse_says_that_everything_is_held(where: Engine, session: Session, markers: Markers):
    with Pulse(where, markers, 1, look_s=0.01) as beating:
        engine.elsewhere(where, lambda s: installation.hold(s, "Uma", "", AT))
        held = threading.Event()
        while not beating.must_stop():
            assert not held.wait(0.01)
    with Pulse(where, markers, 1) as beating:
        assert beating.must_stop()


def test_a_database_that_is_older_than_a_marker_is_held_for_good(where: Engine, session: Session, markers: Markers):
    with Pulse(where, markers, 1):
        pass
    assert not pulse.is_held(where, markers, 1)
    session.rollback()
    session.get_one(Installation, 1).generation = 0
    session.commit()
    assert pulse.is_held(where, markers, 1)
    assert pulse.is_held(where, Markers(Path("/nonexistent"), away), 1)
