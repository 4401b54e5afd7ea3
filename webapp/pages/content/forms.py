"""What the compose page sends: read, checked, and compared with what is stored."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webapp.core.content.fields import LABELS
from webapp.core.content.languages import content_of
from webapp.core.rules.addresses import Unusable, usable
from webapp.core.rules.likeness import words
from webapp.core.rules.message.parts import NO_REPLIES
from webapp.core.tables.broadcasts import Broadcast
from webapp.pages.broadcasts.saving import Difference, different

MOST_REPLY_TO = 400
DERIVED = "made from the body"
_BRACES = re.compile(r"\{\{[^{}]*\}\}|\{%[^{}]*%\}")


@dataclass(frozen=True, slots=True)
class ContentForm:
    """The fields as `broadcasts.edit` takes them. `text` None: the text part is derived from the HTML.

    `language` is that of the text, "" for the main one. `reply_to_problem` says why the Reply-To cannot be used; `reply_to` is then as it
    was typed, and not saved.
    """

    from_address: str
    reply_to: str
    subject: str
    preheader: str
    html: str
    text: str | None
    reply_to_problem: str | None = None
    language: str = ""

    @classmethod
    def of(cls, broadcast: Broadcast, language: str = "") -> "ContentForm":
        """The fields as they are stored, with the text in this language."""
        content = content_of(broadcast, language)
        return cls(
            broadcast.from_address,
            broadcast.reply_to,
            content.subject,
            content.preheader,
            content.html,
            content.text,
            language=language,
        )

    @classmethod
    def sent(cls, form: Mapping[str, str], language: str = "") -> "ContentForm":
        """The fields as a browser sends them: CR LF between lines, and `text` only where `own_text` is ticked."""
        reply_to, problem = _reply_to(form.get("reply_to", ""))
        return cls(
            from_address=form.get("from_address", "")[:MOST_REPLY_TO],
            reply_to=reply_to,
            subject=" ".join(form.get("subject", "").splitlines()),
            preheader=" ".join(form.get("preheader", "").splitlines()),
            html=_lines(form.get("html", "")),
            text=_lines(form.get("text", "")) if form.get("own_text") else None,
            reply_to_problem=problem,
            language=language,
        )

    def changes_to(self, broadcast: Broadcast) -> dict[str, Any]:
        """What differs from what is stored; a Reply-To that cannot be used is left out."""
        stored = ContentForm.of(broadcast, self.language)
        names = [name for name in LABELS if name != "reply_to" or not self.reply_to_problem]
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(stored, name)}

    @property
    def tag_sources(self) -> frozenset[str]:
        """Everything that stands in braces; when it changes, so does what must be known of the recipients."""
        return frozenset(_BRACES.findall(f"{self.subject}\n{self.preheader}\n{self.html}\n{self.text or ''}"))

    def differences_to(self, broadcast: Broadcast) -> list[Difference]:
        """Each field that was typed otherwise than it is stored, in the order of the page."""
        stored = ContentForm.of(broadcast, self.language)
        found = []
        for field in self.changes_to(broadcast):
            theirs, mine = getattr(stored, field), getattr(self, field)
            if field == "html" and words(theirs) != words(mine):
                theirs, mine = words(theirs), words(mine)
            found += different(LABELS[field], *(DERIVED if text is None else text for text in (theirs, mine)))
        return found


def _reply_to(text: str) -> tuple[str, str | None]:
    """The address alone, and None, or what was typed and why it cannot be used. Empty is allowed: replies then go to the sender."""
    text = " ".join(text.split())[:MOST_REPLY_TO]
    if not text:
        return "", None
    found = usable(text)
    if isinstance(found, Unusable):
        return text, f"This is not an address for replies: {found.problem}."
    if found.repair:
        return text, f"Write one address and nothing else, for example {found.text}."
    if not found.address.isascii():
        return text, f"This is not an address for replies: {NO_REPLIES}."
    return found.address, None


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
