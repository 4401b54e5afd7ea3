"""The logos in mails: for everybody, under names that nobody can guess, and the same for ever."""

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from webapp.core.branding import logos
from webapp.extensions import db
from webapp.pages.assets.views import FOREVER

bp = Blueprint("logos", __name__)


@bp.get("/logo/<token>.png")
def logo(token: str) -> ResponseReturnValue:
    data = logos.by_token(db.session, token)
    if data is None:
        abort(404)
    response = Response(data, mimetype="image/png")
    response.headers["Cache-Control"] = FOREVER
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    return response
