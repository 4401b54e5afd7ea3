"""The translations of the pages for everybody are whole, and compiled as they are written."""

from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from webapp import paths
from webapp.pages.unsubscribe.languages import LANGUAGES

OTHERS = [code for code in LANGUAGES if code != "en"]
TEMPLATES = [("unsubscribe/**.html", "jinja2")]


def file(code: str, ending: str) -> Path:
    return paths.TRANSLATIONS / code / "LC_MESSAGES" / f"messages.{ending}"


@pytest.fixture(scope="module")
def said() -> set[str]:
    """All that the templates say."""
    options = {"unsubscribe/**.html": {"silent": "false"}}
    found = extract_from_dir(str(paths.TEMPLATES), TEMPLATES, options)
    return {str(message) for _file, _line, message, *_ in found}


@pytest.mark.parametrize("code", OTHERS)
def test_every_sentence_has_its_translation_and_none_is_left_over(said: set[str], code: str):
    with file(code, "po").open("rb") as written:
        catalogue = read_po(written, locale=code, abort_invalid=True)
    translated = {str(message.id): message for message in catalogue if message.id}
    assert translated.keys() == said
    assert all(message.string and not message.fuzzy and not list(message.check()) for message in translated.values())


@pytest.mark.parametrize("code", OTHERS)
def test_what_is_compiled_is_what_is_written(code: str):
    """`pybabel compile -d translations` compiles them anew."""
    with file(code, "po").open("rb") as written, file(code, "mo").open("rb") as compiled:
        texts = [
            {str(one.id): one.string for one in found if one.id} for found in (read_po(written), read_mo(compiled))
        ]
    assert texts[0] == texts[1]
