"""The second step of a draft: the message. Every change is saved as it is made, and shown as a recipient will see it."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from flask import Response, current_app, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.adapters.clock import now
from webapp.core import audience, broadcasts
from webapp.core.branding import brands
from webapp.core.broadcasts import languages as language_tabs
from webapp.core.broadcasts import steps
from webapp.core.broadcasts.steps import Changes, Step
from webapp.core.content import previews, trial_sends
from webapp.core.content.languages import content_of
from webapp.core.content.tag_catalogue.gaps import gaps, sides
from webapp.core.errors import Conflict
from webapp.core.rules import tags
from webapp.core.rules.blocks.document import TextColour
from webapp.core.rules.blocks.sheet import colour
from webapp.core.rules.media import names
from webapp.core.rules.message import marks
from webapp.core.rules.tags import Tag, TagGroup
from webapp.core.settings import from_addresses, tag_links
from webapp.core.tables.broadcasts import Broadcast
from webapp.extensions import db
from webapp.pages.attachments import views as attached_files
from webapp.pages.audience import sums
from webapp.pages.broadcasts import draft, saving
from webapp.pages.content import problems, tag_rows, testing  # noqa: F401 - testing adds its routes
from webapp.pages.content.blueprint import bp, language
from webapp.pages.content.forms import ContentForm
from webapp.pages.content.languages import shown, tabs
from webapp.pages.content.people import chosen
from webapp.pages.designs.drafts import origin_of
from webapp.pages.fragments import fragment

PICTURES, NO_PICTURES = "img-src https: http: data:;", "img-src 'none';"
MAIL_POLICY = (
    f"sandbox allow-same-origin; default-src 'none'; {PICTURES} style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)
"""Content-Security-Policy of a previewed mail: nothing runs, also where it is opened without its frame; pictures and inline styles are what
a mail consists of. The page measures the mail, therefore it stays of the same origin."""

NO_HTML = "<!doctype html><html><head><title>No HTML</title></head><body></body></html>"
"""Shown for a mail of text only."""


@bp.get("/")
def index(broadcast_id: int) -> ResponseReturnValue:
    frame = draft.load(broadcast_id, "content")
    form = ContentForm.of(frame.broadcast, language())
    rows = _tag_rows(frame.broadcast) if "count" in request.args else None
    return _page(frame, form, tag_rows=rows)


@bp.post("/")
def save(broadcast_id: int) -> ResponseReturnValue:
    """Save what changed. With htmx all that follows comes back, without it the next page (or this one: `stay`, `keep_mine`, `mend`)."""
    form = ContentForm.sent(request.form, language())
    broadcast = broadcasts.get(db.session, broadcast_id)
    before = ContentForm.of(broadcast, language())
    if "mend" in request.form:
        form = problems.mended(form, broadcast.message_type, request.form["mend"])
    try:
        saved = _save(broadcast_id, form)
    except Conflict:
        return _conflict(broadcast_id, form)
    if request.headers.get("HX-Request"):
        return _saved(saved, form, before)
    if form.reply_to_problem or "mend" in request.form:
        page = _page(draft.load(broadcast_id, "content"), form, base=saved.base)
        return page, 422 if form.reply_to_problem else 200
    if {"stay", "keep_mine"} & request.form.keys():
        flash("The message is saved.", "ok")
        return draft.redirect(url_for("content.index", broadcast_id=broadcast_id))
    return draft.redirect(url_for("schedule.index", broadcast_id=broadcast_id))


@bp.get("/person")
def person(broadcast_id: int) -> str:
    """Another recipient, and the preview for them."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    return fragment("content/_person_chosen.html", **_preview(broadcast))


@bp.get("/mail")
def html(broadcast_id: int) -> ResponseReturnValue:
    """The HTML of the mail alone, for the frame of the preview."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    amend = marks.marked if "marks" in request.args else None
    at, url = now(), current_app.config["PUBLIC_URL"]
    found = previews.preview(db.session, broadcast, chosen(broadcast), at, url, amend=amend, text=language())
    page = found.mail.html if found.mail and found.mail.html else NO_HTML
    page = marks.shown(page) if amend else page
    # The mail itself leaves it to the mail program; this preview is asked for one of the two, and the first word counts.
    scheme = "dark" if "dark" in request.args else "light"
    page = names.shown(page, url_for("media.index"), current_app.config["PUBLIC_URL"])
    page = page.replace("<head>", f'<head><meta name="color-scheme" content="{scheme}">', 1)
    policy = MAIL_POLICY.replace(PICTURES, NO_PICTURES) if request.args.get("images") == "off" else MAIL_POLICY
    return Response(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


@bp.get("/people")
def people(broadcast_id: int) -> str:
    """Recipients to preview the mail as, found by name or address."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    of = audience.audience_of(broadcast)
    found = previews.search(db.session, of, now().date(), request.args.get("q", ""), text=language())
    return fragment("content/_people.html", broadcast=broadcast, people=found)


@bp.get("/extremes")
def extremes(broadcast_id: int) -> str:
    """Recipients with whom a text shows what it cannot take."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    found = previews.extremes_of(db.session, broadcast, text=language())
    return fragment("content/_extremes.html", broadcast=broadcast, extremes=found)


@bp.get("/tag-gaps")
def tag_gaps(broadcast_id: int) -> str:
    """For how many recipients each tag of the message has no value."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    total = language_tabs.count(db.session, broadcast).numbers.get(language(), 0)
    rows = _tag_rows(broadcast)
    return fragment("content/_tag_gaps.html", broadcast=broadcast, tag_rows=rows, total=total)


@bp.get("/tag-sides")
def tag_sides(broadcast_id: int) -> str:
    """How many recipients have a value for a tag, and how many have none: whom each side of a condition reaches."""
    broadcast = broadcasts.get(db.session, broadcast_id)
    of, name = audience.audience_of(broadcast), request.args.get("tag", "")
    known, unknown, exact = sides(db.session, of, name, now().date(), text=language())
    return fragment("content/_tag_sides.html", broadcast=broadcast, tag=name, known=known, unknown=unknown, exact=exact)


def _save(broadcast_id: int, form: ContentForm) -> saving.Saved:
    def read_lost(fields: Mapping[str, str], _broadcast: Broadcast) -> Changes:
        return ContentForm.sent(fields, form.language).changes_to

    return saving.save(broadcast_id, Step.CONTENT, form.changes_to, read_lost, language=form.language)


def _saved(saved: saving.Saved, form: ContentForm, before: ContentForm) -> Response:
    """What follows from a message that is stored."""
    broadcast = saved.broadcast
    context = {"form": form, "base": saved.base, "title": draft.title(broadcast), **_preview(broadcast)}
    if broadcast.other_languages:
        context["shown"] = shown(broadcast)
    response = Response(fragment("content/_saved.html", **context))
    if ContentForm.of(broadcast, form.language).tag_sources != before.tag_sources:
        response.headers["HX-Trigger"] = "tags-changed"
    return response


def _conflict(broadcast_id: int, form: ContentForm) -> ResponseReturnValue:
    def page(clash: saving.Clash) -> str:
        return _page(draft.load(broadcast_id, "content"), form, conflict=clash)

    return saving.conflict(broadcast_id, Step.CONTENT, form.differences_to, page, language=form.language)


def _page(frame: draft.Draft, form: ContentForm, **extra: Any) -> str:
    broadcast = frame.broadcast
    own = [
        Tag(link.name, link.label, TagGroup.LINKS, link.pattern)
        for link in tag_links.known(db.session, broadcast.started_at).values()
    ]
    known = [*tags.tags_for(broadcast.message_type), *own]
    senders = [from_addresses.as_header(sender) for sender in from_addresses.listing(db.session)]
    context = {
        "draft": frame,
        "form": form,
        "base": steps.digest(broadcast, Step.CONTENT, form.language),
        "senders": senders,
        "tags": known,
        "service_fields": tags.FIELDS,
        "tag_groups": [(group.value, list(members)) for group, members in groupby(known, lambda tag: tag.group)],
        "tag_rows": None,
        "recipients": sums.sum_of(broadcast),
        "to": current_user.email,
        "tests": trial_sends.listing(db.session, broadcast.id),
        "hosted": f"{current_app.config['PUBLIC_URL']}/{names.PLACE}/",
        "attached": attached_files.sum_of(broadcast, broadcast.content),
        "origin": origin_of(broadcast),
        "colours": _colours(broadcast),
        **_preview(broadcast),
        **tabs(broadcast),
    }
    return render_template("content/index.html", **context | extra)


def _colours(broadcast: Broadcast) -> str:
    """The colours of words that the broadcast's brand decides, by light and by dark, as the editor takes them; "" without a brand."""
    brand = brands.of_broadcast(db.session, broadcast)
    if brand is None:
        return ""
    look = brands.values_of(brand)
    own = (TextColour.BRAND, TextColour.MUTED)
    return " ".join(f"{name}={colour(name, look.light)}/{colour(name, look.dark)}" for name in own)


def _tag_rows(broadcast: Broadcast) -> list[tag_rows.TagRow]:
    of = audience.audience_of(broadcast)
    content = content_of(broadcast, language())
    found = gaps(db.session, of, content, now().date(), from_address=broadcast.from_address, text=language())
    return tag_rows.rows(content, found)


def _preview(broadcast: Broadcast) -> dict[str, Any]:
    """What the preview's fragments show."""
    person, url = chosen(broadcast), current_app.config["PUBLIC_URL"]
    found = previews.preview(db.session, broadcast, person, now(), url, text=language())
    form = ContentForm.of(broadcast, language())
    client_id = person.client_id if person else None
    return {
        "broadcast": broadcast,
        "person": person,
        "total": person.total if person else 0,
        "preview": found,
        "preview_url": url_for(
            "content.html",
            broadcast_id=broadcast.id,
            client=client_id,
            state=steps.digest(broadcast, Step.CONTENT, language()),
        ),
        "problems": [problems.shown(problem, getattr(form, problem.field) or "") for problem in found.problems],
    }
