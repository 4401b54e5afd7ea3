"""A test client that reads pages as a browser does."""

import re
from typing import Any

from flask.testing import FlaskClient

VERBATIM = re.compile(r"(<(pre|textarea)\b.*?</\2>)", re.S)
BROKEN_LINE = re.compile(r"(?<=[^>\s])[ \t]*\n\s*")


class AsSeen:
    """An answer whose text is the page as a browser reads it: where a template breaks a line between attributes or words, there is one
    blank. Mixed in before werkzeug's answer."""

    @property
    def text(self) -> str:
        text: str = super().text  # type: ignore[misc]
        return one_line_each(text) if self.mimetype == "text/html" else text  # type: ignore[attr-defined]


class Visitor(FlaskClient):
    """The client of all tests of pages; see AsSeen."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.response_wrapper = type("AsSeenResponse", (AsSeen, self.response_wrapper), {})


def one_line_each(html: str) -> str:
    """`html` with each tag and each sentence in one line; what stands in <pre> and <textarea> is left as it is."""
    parts = VERBATIM.split(html)
    return "".join(BROKEN_LINE.sub(" ", part) if at % 3 == 0 else part for at, part in enumerate(parts) if at % 3 != 2)
