"""From which side a language is written."""

import pytest

from webapp.core.rules.languages import direction


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("ar", "rtl"),
        ("he", "rtl"),
        ("fa-AF", "rtl"),
        ("de", "ltr"),
        ("pa-Arab", "rtl"),
        ("uz-Latn", "ltr"),
        ("", "auto"),
    ],
)
def test_the_direction_follows_the_script(tag: str, expected: str):
    assert direction(tag) == expected
