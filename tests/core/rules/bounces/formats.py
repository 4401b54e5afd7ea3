"""The forms of notifications.toml and own_forms.toml, as mails."""

import tomllib
from pathlib import Path
from typing import Any

from tests.core.rules.bounces import building
from tests.core.rules.bounces.building import WHO, Format
from webapp.core.rules.relay_event import EventKind

HERE = Path(__file__).parent


def _notification(name: str, read_as: list[str], **others: Any) -> Format:
    raw = building.notification(**{"status": "", **others})
    return Format(name, EventKind(read_as[0]), read_as[1], raw, is_marked=others.get("returned") != "")


def _own_form(name: str, made_by: str, read_as: list[str], address: str | None = None, **others: Any) -> Format:
    kind = EventKind(read_as[0])
    raw = getattr(building, made_by)(**others)
    names_nobody = made_by == "answer" or kind in (EventKind.ANSWERED, EventKind.CHALLENGED)
    known = "" if names_nobody else WHO if address is None else address
    return Format(name, kind, read_as[1], raw, known, is_marked=others.get("quoted") != "")


def _table(file: str, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tomllib.loads((HERE / file).read_text())[name]
    return rows


FORMATS = [_notification(**one) for one in _table("notifications.toml", "notification")] + [
    _own_form(**one) for one in _table("own_forms.toml", "form")
]
