from typing import Any

from flask import Blueprint, g, request

bp = Blueprint("content", __name__, url_prefix="/mass-mail/<int:broadcast_id>/content")


def language() -> str:
    """The language of the text that this request is about, as its address says it; "" for the main one."""
    return request.args.get("language", "")[:20]


@bp.url_value_preprocessor
def keep_language(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    g.text_language = language()


@bp.url_defaults
def with_language(_endpoint: str, values: dict[str, Any]) -> None:
    """Addresses of this room that a page about one text shows are about the same text, unless they say which."""
    if (kept := g.get("text_language")) and "language" not in values:
        values["language"] = kept
