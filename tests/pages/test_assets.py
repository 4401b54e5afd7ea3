"""The scripts out of the wheels: served as they are, cacheable for ever, without Django."""

import gzip
import re
import subprocess
import sys

import pytest
from flask import Flask

from webapp.pages.assets import wheels
from webapp.pages.assets.views import asset_url, bp


@pytest.fixture
def app():
    app = Flask(__name__)
    app.register_blueprint(bp)
    return app


@pytest.mark.parametrize("name", ["htmx", "editor"])
def test_a_script_is_served_under_its_versions_url_and_may_be_kept_for_ever(app, name):
    with app.test_request_context():
        url = asset_url(name)
    assert wheels.version(name) in url
    answer = app.test_client().get(url)
    assert answer.status_code == 200
    assert answer.mimetype == "text/javascript"
    assert answer.cache_control.immutable and answer.cache_control.max_age >= 31_000_000
    assert "accept-encoding" in answer.vary
    assert len(answer.data) > 50_000


def test_the_face_has_a_style_sheet_and_both_may_be_kept_for_ever(app):
    with app.test_request_context():
        sheet = app.test_client().get(asset_url("face"))
    assert sheet.mimetype == "text/css" and sheet.cache_control.immutable
    font = app.test_client().get(re.search(r'url\("([^"]+)"\)', sheet.text)[1], headers={"Accept-Encoding": "gzip;q=0"})
    assert font.mimetype == "font/ttf" and font.cache_control.immutable
    assert font.data[:4] == b"\x00\x01\x00\x00"
    assert app.test_client().get("/assets/face-0.css").location == f"/assets/face-{wheels.version('face')}.css"


def test_htmx_is_version_2(app):
    with app.test_request_context():
        url = asset_url("htmx")
    assert b'version:"2.0.' in app.test_client().get(url).data


def test_the_editor_exports_what_the_compose_page_imports():
    source = wheels.load("editor").plain.decode()
    exports = source[source.rindex("export{") :]
    for name in ("Editor", "Node", "Document", "Paragraph", "Text", "Link", "UndoRedo", "BulletList", "Heading"):
        assert f" as {name}," in exports or f",{name}," in exports


def test_a_browser_that_takes_gzip_gets_the_same_script_in_a_third_of_the_bytes(app):
    with app.test_request_context():
        url = asset_url("editor")
    client = app.test_client()
    plain = client.get(url, headers={"Accept-Encoding": "gzip;q=0"})
    small = client.get(url, headers={"Accept-Encoding": "br, gzip"})
    assert small.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(small.data) == plain.data
    assert len(small.data) * 3 < len(plain.data) * 1.1


def test_an_outdated_url_leads_to_the_present_script(app):
    answer = app.test_client().get("/assets/htmx-0.0.1.js")
    assert answer.status_code == 302
    assert answer.location == f"/assets/htmx-{wheels.version('htmx')}.js"
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_finding_the_scripts_imports_neither_their_packages_nor_django():
    code = (
        "import sys; from webapp.pages.assets import wheels; [wheels.load(n) for n in wheels.SCRIPTS];"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'django_htmx', 'django_prose_editor')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
