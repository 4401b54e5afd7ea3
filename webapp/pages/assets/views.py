"""Third-party scripts and the face, served by ourselves from the wheels they come in, so that none is committed and none is fetched
elsewhere."""

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


@bp.get("/face-<version>.css")
def face(version: str) -> Response:
    """The style sheet of the face: its only address that pages name."""
    if version != wheels.version("face"):
        return redirect(asset_url("face"))
    source = url_for("assets.face_file", version=version)
    sheet = f'@font-face{{font-family:"Inter";font-weight:100 900;font-display:fallback;src:url("{source}") format("truetype")}}'
    return _for_ever(Response(sheet, mimetype="text/css"))


@bp.get("/face-<version>.ttf")
def face_file(version: str) -> Response:
    return _script("face", version, mimetype="font/ttf", endpoint="face_file")


def _script(name: str, version: str, *, mimetype: str = "text/javascript", endpoint: str = "") -> Response:
    """The script, for ever cacheable; an outdated URL leads to the present one, so that it is never cached under a wrong version."""
    if version != wheels.version(name):
        return redirect(url_for(f"assets.{endpoint or name}", version=wheels.version(name)))
    script = wheels.load(name)
    compressed = request.accept_encodings["gzip"] > 0
    response = Response(script.gzipped if compressed else script.plain, mimetype=mimetype)
    if compressed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    return _for_ever(response)


def _for_ever(response: Response) -> Response:
    response.headers["Cache-Control"] = FOREVER
    return response
