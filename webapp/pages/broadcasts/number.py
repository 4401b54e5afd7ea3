"""The number of recipients as it is confirmed: the one that was shown, and above a set number the one that somebody typed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import current_app

from webapp.pages.broadcasts.blueprint import bp


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing is sent yet: another number than `seen` would get it, or the number was not typed as `typed`."""

    status: int
    seen: int | None = None
    typed: str | None = None


@bp.app_template_global()
def types_number(count: int) -> bool:
    """Whether so many are so many that the number is typed."""
    return count > int(current_app.config["TYPE_NUMBER_ABOVE"])


def problem_of(form: Mapping[str, str], count: int) -> Problem | None:
    """What keeps a form with `count` (as it was shown) and `number` (as it was typed) from sending to `count`; None where nothing does."""
    seen = form.get("count", "")
    if seen != str(count):
        return Problem(409, seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 12 else 0)
    typed = form.get("number", "")
    if types_number(count) and re.sub(r"[\s.,'’_\u00a0\u202f]", "", typed) != str(count):
        return Problem(422, typed=typed[:40])
    return None
