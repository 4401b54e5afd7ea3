"""Problems of a message as its page shows them."""

import html
from dataclasses import dataclass, replace

from webapp.core.content import problems
from webapp.core.content.fields import sources
from webapp.core.rules.statuses import MessageType
from webapp.core.rules.tags import TagProblem
from webapp.pages.content.forms import ContentForm


@dataclass(frozen=True, slots=True)
class ShownProblem:
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


def shown(problem: TagProblem, text: str) -> ShownProblem:
    """A problem of a field whose content is `text`."""
    source, mended = text[problem.start : problem.end], problems.mended_tag(problem, text)
    if problem.field == "html":
        # The editor knows its text, not its spelling in HTML.
        source, mended = html.unescape(source), html.unescape(mended) if mended else None
    return ShownProblem(
        problem.field,
        problems.place(problem, text),
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
    source = sources(form).get(field)
    if source is None or not start.isdigit():
        return form
    text = problems.mended(field, source, int(start), message_type)
    return form if text == source else replace(form, **{field: text})
