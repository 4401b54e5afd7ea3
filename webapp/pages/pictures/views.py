"""The pictures of brands and templates: for everybody, under names that nobody can guess, and the same for ever."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from webapp.core.branding import pictures
from webapp.extensions import db
from webapp.pages.assets.views import FOREVER

bp = Blueprint("pictures", __name__)


@bp.get("/picture/<name>")
def picture(name: str) -> ResponseReturnValue:
    found = pictures.by_name(db.session, name)
    if found is None:
        abort(404)
    data, media_type = found
    response = Response(data, mimetype=media_type)
    response.headers["Cache-Control"] = FOREVER
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
