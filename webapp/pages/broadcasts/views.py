"""All mass mails: the list, a new one, and what can be done with one from anywhere."""

from typing import Any

from flask import current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import BadRequest

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.broadcasts import listing, progress, purposes
from webapp.core.broadcasts.list_order import ListOrder, order_in
from webapp.core.broadcasts.listing import Tab
from webapp.core.designs import library, using
from webapp.core.designs.library import DesignText
from webapp.core.errors import Invalid, NotFound
from webapp.core.rules.lifecycle import BroadcastState
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.branding import DesignVersion
from webapp.extensions import db
from webapp.pages.broadcasts import draft, here, live, purpose, several, show, starting  # noqa: F401 - which add their routes
from webapp.pages.broadcasts.blueprint import bp
from webapp.pages.fragments import fragment
from webapp.pages.holding.views import sending_hold
from webapp.pages.settings.relay import refusing_relay, relay_health

bp.add_app_template_global(draft.press, "press")
bp.add_app_template_filter(draft.chips, "chips")
bp.add_app_template_filter(draft.title_chips, "title_chips")


@bp.get("/")
def index() -> str:
    """The list; with htmx only its card with tabs, rows and pager."""
    context = _list_context()
    if request.headers.get("HX-Target") == "broadcast-list":
        return fragment("broadcasts/_broadcast_list.html", **context)
    return render_template("broadcasts/index.html", hold=sending_hold(), refusing=refusing_relay(), **context)


def _list_context() -> dict[str, Any]:
    choice = request.args.get("tab", "all")
    tab = Tab(choice) if choice in set(Tab) else Tab.ALL
    search = request.args.get("q", "").strip()[:200]
    at, number = now(), request.args.get("page", 1, type=int)
    missed = broadcasts.is_missed(at, current_app.config["MISSED_START"])
    relay_health()
    order, turned = order_in(request.args.get("order", ""))
    page = listing.listing(db.session, tab=tab, search=search, page=number, order=order, turned=turned, missed=missed)
    return {
        "page": page,
        "tab": tab,
        "search": search,
        "order": order,
        "turned": turned,
        "orders": ListOrder,
        "tabs": Tab,
        "progress": {
            row.broadcast.id: progress.read(db.session, row.broadcast, at)
            for row in page.rows
            if row.broadcast.state == BroadcastState.SENDING
        },
        "title_of": draft.title,
        "watched": live.watched(
            [row.broadcast for row in page.rows], {row.broadcast.id: row.counts for row in page.rows}
        ),
    }


@bp.get("/<int:broadcast_id>/row-progress")
def row_progress(broadcast_id: int) -> str:
    """The moving parts of a row of the list: the progress, and beside it state and time. Polls only while there is something to see."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    relay_health()
    return fragment(
        "broadcasts/_moving_row.html",
        broadcast=broadcast,
        progress=progress.read(db.session, broadcast, now()),
        beside=True,
    )


@bp.get("/moving-rows")
def moving_rows() -> ResponseReturnValue:
    """Asks for all rows of the list together what others did: of each that differs from what `seen` stands for, the moving parts."""
    seen = live.seen_rows(request.args.get("seen", ""))
    counts = progress.counts_of(db.session, seen)
    found = broadcasts.some(db.session, seen)
    changed = [one for one in found if live.row_fingerprint(one, counts[one.id]) != seen[one.id]]
    if not changed and len(found) == len(seen):
        return "", 204
    at, _ = now(), relay_health()
    rows = [
        (one, counts[one.id], progress.read(db.session, one, at) if one.state == BroadcastState.SENDING else None)
        for one in changed
    ]
    still = [live.row_fingerprint(one, counts[one.id]) for one in found if one.state not in live.OVER]
    return fragment("broadcasts/_moving_rows.html", rows=rows, watched=still)


@bp.get("/<int:broadcast_id>/recipient-number")
def recipient_number(broadcast_id: int) -> str:
    """How many would get a draft, for the list: counted when its row comes into sight, not before."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    count = audience.count(db.session, audience.audience_of(broadcast), now().date())
    return fragment("broadcasts/_number.html", count=count.will_receive)


@bp.get("/new")
def new() -> str:
    wanted, version = request.args.get("type", ""), _template()
    fitting = DesignText.of(version).message_type if version else MessageType.GENERAL
    return _new(purpose.asked(), MessageType(wanted) if wanted in set(MessageType) else fitting)


def _new(choice: purpose.PurposeChoice, chosen: MessageType = MessageType.GENERAL, name: str = "") -> str:
    version = _template()
    template = version and library.get(db.session, version.design_id).design
    return render_template(
        "broadcasts/new.html",
        types=MessageType,
        chosen=chosen,
        choice=choice,
        name=name,
        version=version,
        template=template,
    )


def _template() -> DesignVersion | None:
    """The version of a template that a new one is to be made from."""
    wanted = request.values.get("template", type=int)
    return library.version(db.session, wanted) if wanted else None


@bp.post("/new")
def create() -> ResponseReturnValue:
    """A draft from the start: every step after this has an address, and Back works."""
    try:
        message_type = MessageType(request.form.get("message_type", ""))
    except ValueError:
        raise BadRequest("Choose a message type.") from None
    choice, name = purpose.asked(request.form), _name()
    try:
        decided = purpose.checked(choice)
    except Invalid as error:
        return _new(purpose.refused(choice, error), message_type, name), 422
    press = draft.press_in(request.form, "new")
    broadcast = broadcasts.create(db.session, message_type, current_user.id, now(), press=press)
    if broadcast.version == 1:
        broadcast = purposes.choose(db.session, broadcast, decided, now())
        broadcasts.edit(db.session, broadcast.id, None, {"name": name, "time_zone": current_user.time_zone}, now())
        if version := _template():
            using.start(db.session, broadcast.id, version.id, now())
    db.session.commit()
    return draft.redirect(url_for("audience.index", broadcast_id=broadcast.id))


def _name() -> str:
    return " ".join(request.form.get("name", "").split())[:200]


@bp.post("/<int:broadcast_id>/name")
def rename(broadcast_id: int) -> ResponseReturnValue:
    """Save the name from the head of a draft. An unchanged name is not a save, so that Enter after a change does no harm."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    name = _name()
    if name != broadcast.name:
        version = request.form.get("version", type=int)
        broadcast = broadcasts.edit(db.session, broadcast_id, version, {"name": name}, now())
        db.session.commit()
    if request.headers.get("HX-Request"):
        return fragment("broadcasts/_renamed.html", broadcast=broadcast, title=draft.title(broadcast))
    flash("The name is saved.", "ok")
    room = request.args.get("step", "")
    return draft.redirect(
        url_for(f"{room if room in dict(draft.STEPS) else 'review'}.index", broadcast_id=broadcast_id)
    )


@bp.post("/<int:broadcast_id>/duplicate")
def duplicate(broadcast_id: int) -> ResponseReturnValue:
    press = draft.press_in(request.form, str(broadcast_id))
    copy = broadcasts.duplicate(db.session, broadcast_id, current_user.id, now(), press=press)
    db.session.commit()
    flash("This is a copy, as a new draft. It starts when you say so.", "ok")
    return draft.redirect(url_for("audience.index", broadcast_id=copy.id))


@bp.get("/<int:broadcast_id>/delete")
def ask_delete(broadcast_id: int) -> str:
    """The question before deleting, for browsers without JavaScript; elsewhere it is a dialog."""
    broadcast = broadcasts.named(db.session, broadcast_id)
    return render_template("broadcasts/delete.html", broadcast=broadcast, title=draft.title(broadcast))


@bp.post("/<int:broadcast_id>/delete")
def delete(broadcast_id: int) -> ResponseReturnValue:
    try:
        name = draft.title(broadcasts.named(db.session, broadcast_id))
    except NotFound:
        flash("This draft is deleted already.", "ok")
        return draft.redirect(url_for("broadcasts.index"))
    broadcasts.delete_draft(db.session, broadcast_id)
    db.session.commit()
    flash(f"The draft “{name}” is deleted.", "ok")
    return draft.redirect(url_for("broadcasts.index"))
