"""The library of templates: kept, changed in versions, renamed, duplicated, put away. What was made from one is never touched."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapp.core.errors import Invalid, NotFound
from webapp.core.rules import fills
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags import lexer
from webapp.core.rules.tags.names import available
from webapp.core.tables.branding import Design, DesignKind, DesignVersion

LONGEST_NAME, LONGEST_NOTE = 120, 200


@dataclass(frozen=True, slots=True)
class DesignText:
    """What a template says. `text` None: the text part is made from the HTML."""

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str | None = None

    @classmethod
    def of(cls, version: DesignVersion) -> "DesignText":
        return cls(version.subject, version.preheader, version.html, version.text)

    @property
    def open_parts(self) -> list[str]:
        """What is to be filled in."""
        return fills.prompts(self.html)

    @property
    def message_type(self) -> MessageType:
        """The least special type of message that has all its tags."""
        sources = ((self.subject, False), (self.preheader, False), (self.html, True), (self.text or "", False))
        used = {
            token.inner.partition("|")[0].strip()
            for source, is_html in sources
            for token in lexer.tokens(source, is_html=is_html)
            if token.kind == "output"
        }
        known = [name for name in used if available(name, None)]
        types = (MessageType.GENERAL, MessageType.SERVICES, MessageType.ADDONS)
        return next((one for one in types if all(available(name, one) for name in known)), MessageType.GENERAL)


@dataclass(frozen=True, slots=True)
class Shelved:
    """A template with its newest version."""

    design: Design
    version: DesignVersion


def listing(session: Session, search: str = "", *, archived: bool = False) -> list[Shelved]:
    """The templates with `search` in their name, or what they are about: messages first, each kind in the order in which it came."""
    newest = select(func.max(DesignVersion.id)).group_by(DesignVersion.design_id)
    found = select(Design, DesignVersion).join(DesignVersion, DesignVersion.design_id == Design.id)
    found = found.where(DesignVersion.id.in_(newest))
    found = found.where(Design.archived_at.is_not(None) if archived else Design.archived_at.is_(None))
    for word in search.split():
        said = Design.name + " " + Design.about + " " + DesignVersion.subject
        found = found.where(func.lower(said).contains(word.lower(), autoescape=True))
    rows = session.execute(found.order_by(Design.kind.desc(), Design.comes_as.is_not(None), Design.id)).all()
    return [Shelved(design, version) for design, version in rows]


def get(session: Session, design_id: int) -> Shelved:
    """The template with its newest version. Raises NotFound."""
    design = session.get(Design, design_id)
    if design is None:
        raise NotFound("This template does not exist.")
    return Shelved(design, versions(session, design_id)[0])


def versions(session: Session, design_id: int) -> Sequence[DesignVersion]:
    """All versions of a template, the newest first."""
    found = select(DesignVersion).where(DesignVersion.design_id == design_id).order_by(DesignVersion.number.desc())
    return session.scalars(found).all()


def version(session: Session, version_id: int) -> DesignVersion:
    """One version of some template. Raises NotFound."""
    found = session.get(DesignVersion, version_id)
    if found is None:
        raise NotFound("This version of a template does not exist.")
    return found


def make(
    session: Session, name: str, kind: DesignKind, said: DesignText, by: str, now: datetime, *, about: str = ""
) -> Shelved:
    """A new template. Raises Invalid for a name that is empty or taken, or for a template that says nothing."""
    if not said.html.strip() and not (said.text or "").strip():
        raise Invalid("There is nothing in this template yet.", "html")
    design = Design(name=_free_name(session, name), about=about.strip()[:200], kind=kind, made_at=now)
    session.add(design)
    session.flush()
    return Shelved(design, _add(session, design, 1, said, by, now, ""))


def change(
    session: Session, design_id: int, seen: int, said: DesignText, note: str, by: str, now: datetime
) -> DesignVersion:
    """A new version, unless it says the same as the newest. `seen` is the number of the one that was looked at. Raises Invalid where
    somebody else has made one since."""
    shelved = get(session, design_id)
    session.refresh(shelved.design, with_for_update=True)
    newest = versions(session, design_id)[0]
    if DesignText.of(newest) == said:
        return newest
    if newest.number != seen:
        raise Invalid(
            f"{newest.made_by or 'Somebody'} has saved version {newest.number} meanwhile. Look at it first.", "html"
        )
    return _add(session, shelved.design, newest.number + 1, said, by, now, note)


def go_back(session: Session, design_id: int, version_id: int, by: str, now: datetime) -> DesignVersion:
    """What an earlier version said, as a new one. Raises NotFound."""
    old, newest = version(session, version_id), versions(session, design_id)[0]
    if old.design_id != design_id:
        raise NotFound("This version belongs to another template.")
    note = f"As version {old.number} was"
    return change(session, design_id, newest.number, DesignText.of(old), note, by, now)


def rename(session: Session, design_id: int, name: str) -> Design:
    """Raises NotFound, and Invalid for a name that is empty or taken."""
    design = get(session, design_id).design
    if " ".join(name.split()) != design.name:
        design.name = _free_name(session, name)
        session.flush()
    return design


def duplicate(session: Session, design_id: int, by: str, now: datetime) -> Shelved:
    """A new template that says the same as the newest version of this one."""
    shelved = get(session, design_id)
    stem = shelved.design.name[: LONGEST_NAME - 12]
    names = (f"{stem} (copy{f' {number}' if number > 1 else ''})" for number in count(1))
    name = next(one for one in names if not _is_taken(session, one))
    return make(session, name, shelved.design.kind, DesignText.of(shelved.version), by, now, about=shelved.design.about)


def put_away(session: Session, design_id: int, now: datetime) -> None:
    """Offer a template no more. What was made from it keeps it."""
    get(session, design_id).design.archived_at = now
    session.flush()


def bring_back(session: Session, design_id: int) -> None:
    """Offer a template again."""
    get(session, design_id).design.archived_at = None
    session.flush()


def _add(
    session: Session, design: Design, number: int, said: DesignText, by: str, now: datetime, note: str
) -> DesignVersion:
    row = DesignVersion(
        design_id=design.id,
        number=number,
        subject=said.subject,
        preheader=said.preheader,
        html=said.html,
        text=said.text,
        note=" ".join(note.split())[:LONGEST_NOTE],
        made_at=now,
        made_by=by,
    )
    session.add(row)
    session.flush()
    return row


def _free_name(session: Session, name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Invalid("Give it a name.", "name")
    if len(name) > LONGEST_NAME:
        raise Invalid(f"This is longer than {LONGEST_NAME} characters.", "name")
    if _is_taken(session, name):
        raise Invalid(f"There is a template named {name} already.", "name")
    return name


def _is_taken(session: Session, name: str) -> bool:
    return session.scalar(select(Design.id).where(func.lower(Design.name) == name.lower()).limit(1)) is not None
