"""What is wrong with a message: its tags first, then what cannot work in a mail. And what taking the name that was meant does to it."""

import re

from sqlalchemy.orm import object_session

from webapp.core.content.fields import LABELS, sources
from webapp.core.content.languages import content_of
from webapp.core.rules import tags
from webapp.core.rules.consent import Purpose
from webapp.core.rules.preflight import left_out
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags import TagProblem
from webapp.core.settings import tag_links
from webapp.core.tables.broadcasts import Broadcast


def of_tags(broadcast: Broadcast, language: str = "") -> list[TagProblem]:
    """What is wrong with the tags of subject, preheader, body and plain text part, in this order, of the text in a language."""
    written = sources(content_of(broadcast, language))
    may_decline = broadcast.purpose is not Purpose.IMPORTANT
    session = object_session(broadcast)
    links = tag_links.known_of(session, broadcast, written) if session else ()
    return [
        problem
        for field, source in written.items()
        for problem in tags.check(
            source, broadcast.message_type, field=field, may_decline=may_decline, links=tuple(links)
        )
    ]


def of_message(broadcast: Broadcast, language: str = "") -> list[TagProblem]:
    """What is wrong with the tags, and then what of the content cannot work in a mail or goes from it: links, pictures, tags of other
    systems."""
    content = content_of(broadcast, language)
    return [
        *of_tags(broadcast, language),
        *left_out.complaints(content.subject, content.html, content.text, content.preheader),
    ]


def place(problem: TagProblem, source: str) -> str:
    """Where a problem stands in its field, whose text is `source`: "Subject", or "Body, line 3" where there is more than one line."""
    label = LABELS[problem.field]
    return f"{label}, line {problem.line}" if "\n" in source else label


def mended_tag(problem: TagProblem, source: str) -> str | None:
    """What to write instead of the problem's piece of `source`, with the name that was meant; None where nobody knows that. Braces that
    are no tag yet become one."""
    piece = source[problem.start : problem.end]
    if not problem.suggestion or not problem.name:
        return None
    if not piece.startswith(("{{", "{%")):
        return f"{{{{ {problem.suggestion} }}}}"
    whole = re.compile(rf"(?<![\w.]){re.escape(problem.name)}(?!\w)")
    return whole.sub(lambda _: problem.suggestion or "", piece, count=1) if whole.search(piece) else None


def mended(field: str, source: str, start: int, message_type: MessageType) -> str:
    """The text of a field with the problem mended that begins at the offset `start`; unchanged if there is none there (any more)."""
    others = left_out.of_html(source) if field == "html" else left_out.of_text(source, field)
    for problem in (*tags.check(source, message_type, field=field), *others):
        instead = mended_tag(problem, source)
        if problem.start == start and instead:
            return source[: problem.start] + instead + source[problem.end :]
    return source
