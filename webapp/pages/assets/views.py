"""Third-party scripts, served by ourselves from the wheels they come in, so that none is committed and none is fetched elsewhere."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.pages.assets import wheels

bp = Blueprint("assets", __name__, url_prefix="/assets")

FOREVER = "public, max-age=31536000, immutable"


@bp.app_template_global()
def asset_url(name: str) -> str:
    """The URL of a script, `name` being one of `wheels.SCRIPTS`; it changes with the script's version."""
    return url_for(f"assets.{name}", version=wheels.version(name))


@bp.get("/htmx-<version>.js")
def htmx(version: str) -> Response:
    return _script("htmx", version)


@bp.get("/editor-<version>.js")
def editor(version: str) -> Response:
    return _script("editor", version)


def _script(name: str, version: str) -> Response:
    """The script, for ever cacheable; an outdated URL leads to the present one, so that it is never cached under a wrong version."""
    if version != wheels.version(name):
        return redirect(asset_url(name))
    script = wheels.load(name)
    compressed = request.accept_encodings["gzip"] > 0
    response = Response(script.gzipped if compressed else script.plain, mimetype="text/javascript")
    if compressed:
        response.content_encoding = "gzip"
    response.headers["Cache-Control"] = FOREVER
    response.vary.add("Accept-Encoding")
    return response
