"""Problems of tags as the page shows them, and what taking the name that was meant does to the text."""

import html
from dataclasses import dataclass, replace

from webapp.core.rules import tags
from webapp.core.rules.message import preflight
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags import TagProblem
from webapp.pages.content.forms import ContentForm

PLACES = {"subject": "Subject", "html": "Body", "text": "Text part"}


@dataclass(frozen=True, slots=True)
class Shown:
    """One problem. `source` is the tag as it is written, `mended` the same with the name that was meant (None: nobody knows)."""

    field: str
    place: str
    message: str
    source: str
    mended: str | None
    suggestion: str | None
    start: int
    end: int
    blocking: bool


def shown(problem: TagProblem, text: str) -> Shown:
    """A problem of a field whose content is `text`."""
    source = text[problem.start : problem.end]
    mended = _mended(problem, source)
    if problem.field == "html":
        # The editor knows its text, not its spelling in HTML.
        source, mended = html.unescape(source), html.unescape(mended) if mended else None
    lines = text.count("\n") > 0
    place = f"{PLACES[problem.field]}, line {problem.line}" if lines else PLACES[problem.field]
    return Shown(
        problem.field,
        place,
        problem.message,
        source,
        mended,
        problem.suggestion,
        problem.start,
        problem.end,
        problem.blocking,
    )


def mended(form: ContentForm, message_type: MessageType, where: str) -> ContentForm:
    """The fields with the problem that begins at `where` ("html:120") mended; unchanged if there is none there (any more)."""
    field, _, start = where.partition(":")
    if field not in PLACES or not start.isdigit():
        return form
    text = getattr(form, field) or ""
    others = preflight.of_html(text) if field == "html" else preflight.of_text(text, field)
    for problem in (*tags.check(text, message_type, field=field), *others):
        replacement = _mended(problem, text[problem.start : problem.end])
        if problem.start == int(start) and replacement:
            return replace(form, **{field: text[: problem.start] + replacement + text[problem.end :]})
    return form


def _mended(problem: TagProblem, source: str) -> str | None:
    """The tag's source with the name that was meant. Braces that are no tag yet become one."""
    if not problem.suggestion or not problem.name:
        return None
    if not source.startswith(("{{", "{%")):
        return f"{{{{ {problem.suggestion} }}}}"
    return source.replace(problem.name, problem.suggestion, 1) if problem.name in source else None
