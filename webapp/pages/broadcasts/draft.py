"""The frame around the four steps of a draft: Audience, Message, Schedule, Review.

The first page of a step is the endpoint `<room>.index`. It calls `load(broadcast_id, "<room>")` and hands the result to its
template as `draft`; that extends `broadcasts/draft.html`. `saving.py` says how a step is saved. Every other form that changes the draft
carries `broadcasts/_version.html`; every htmx answer after a save has `broadcasts/_draft_saved.html` with `oob=true`, which renews the
version in all forms of the page and the time of saving.
"""

import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from urllib.parse import parse_qsl

from flask import abort, g, request, url_for
from flask import redirect as plain_redirect
from flask_login import current_user
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.adapters.clock import now
from webapp.core import broadcasts
from webapp.core.broadcasts import presence, review
from webapp.core.rules import titles
from webapp.core.rules.lifecycle import CHANGEABLE, BroadcastState
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db

STEPS = (("audience", "Audience"), ("content", "Message"), ("schedule", "Schedule"), ("review", "Review"))
NEXT_WORDS = {"content": "Compose message", "schedule": "Schedule", "review": "Review"}


@dataclass(frozen=True, slots=True)
class StepLink:
    """One step as a link. `room` is its blueprint; `done` when nothing is missing in it."""

    room: str
    label: str
    url: str
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What `broadcasts/draft.html` shows. `previous` and `next` are the steps around the present one, None at the ends; `others` are the
    names of who else has it open."""

    broadcast: Broadcast
    steps: tuple[StepLink, ...]
    previous: StepLink | None
    next: StepLink | None
    next_words: str
    others: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        return title(self.broadcast)

    @property
    def still_to_do(self) -> list[StepLink]:
        """The steps before Review, but for the present one, in which something is missing."""
        return [step for step in self.steps[:-1] if not step.done and not step.current]

    def without_done(self, rooms: Collection[str]) -> "Draft":
        """The same with these steps not done: what only a count shows is no part of `load`, which every page waits for."""
        return replace(
            self, steps=tuple(replace(step, done=step.done and step.room not in rooms) for step in self.steps)
        )


def title(broadcast: Broadcast) -> str:
    """What a broadcast is called in the console: its name, else its subject in words."""
    return broadcast.name or titles.title("", broadcast.content.subject)  # texts are read where there is no name


def title_chips(broadcast: Broadcast) -> Markup:
    """The same for a page, where the tags of a subject are chips."""
    return Markup(escape(broadcast.name)) if broadcast.name else chips(broadcast.content.subject or titles.UNTITLED)


def chips(line: str) -> Markup:
    """A subject with its tags as chips."""
    words = (
        Markup('<span class="tag">{}</span>').format(piece.words) if piece.is_tag else escape(piece.words)
        for piece in titles.pieces(line)
    )
    return Markup("").join(words)


def load(broadcast_id: int, room: str, *, shows: Collection[BroadcastState] = CHANGEABLE) -> Draft:
    """The draft for the page of a step. Raises NotFound. Looking at a broadcast in a state that it does not show, any but a draft, leads
    to its page."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    if broadcast.state not in shows and request.method == "GET":
        abort(redirect(url_for("broadcasts.show", broadcast_id=broadcast_id)))
    unfinished = review.unfinished_steps(broadcast, now())
    steps = tuple(
        StepLink(name, label, url_for(f"{name}.index", broadcast_id=broadcast_id), name not in unfinished, name == room)
        for name, label in STEPS
    )
    after = {step.room: following for step, following in pairwise(steps)}
    before = {step.room: earlier for earlier, step in pairwise(steps)}
    following = after.get(room)
    others = tuple(presence.others(db.session, broadcast_id, current_user.id, now()))
    next_words = NEXT_WORDS.get(following.room, "") if following else ""
    return Draft(broadcast, steps, before.get(room), following, next_words, others)


def first_unfinished(broadcast: Broadcast) -> str:
    """The URL of the first step in which something is missing; Review when nothing is."""
    unfinished = review.unfinished_steps(broadcast, now())
    room = next((name for name, _label in STEPS if name in unfinished), "review")
    return url_for(f"{room}.index", broadcast_id=broadcast.id)


def press() -> str:
    """Stands for one press of the buttons of this page that make something new."""
    made: str = g.setdefault("press", secrets.token_hex(8))
    return made


def press_in(form: Mapping[str, str], what: str) -> str | None:
    """The press that sent a form, of the button that makes `what`; None for a form that names none."""
    sent = form.get("press", "")
    return f"{sent}-{what}" if re.fullmatch("[0-9a-f]{16}", sent) else None


def lost() -> MultiDict[str, str] | None:
    """The fields of an earlier request of this page whose answer never came; None where it knows of none. What the server made of them
    is no change by somebody else."""
    body = request.form.get("lost", "")
    return MultiDict(parse_qsl(body, keep_blank_values=True)) if body else None


def redirect(url: str) -> Response:
    """A redirect that also htmx follows as a whole page."""
    if request.headers.get("HX-Request"):
        return Response(status=204, headers={"HX-Redirect": url})
    return plain_redirect(url, 303)
