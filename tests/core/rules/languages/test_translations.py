"""What of an original its translation does not know yet."""

from webapp.core.rules.languages import translations

THEN = {
    "subject": "Hello",
    "html": "<h1>News</h1><p>One</p><p>Two <a href='https://example.com/a'>here</a></p>",
    "text": "",
}


def changed(now: dict[str, str]) -> dict[str, tuple[list[str], int]]:
    """By field the new paragraphs, and how many are gone."""
    found = translations.since(now, translations.seen(THEN))
    return {one.name: ([p.text for p in one.paragraphs if p.is_new], one.gone) for one in found if one.has_changed}


def test_what_was_translated_as_it_is_now_is_not_marked():
    assert changed(THEN) == {}


def test_each_changed_paragraph_and_field_is_marked_and_no_other():
    now = THEN | {"subject": "Hello you", "html": "<h1>News</h1><p>One</p><p>Three</p>"}
    assert changed(now) == {"subject": (["Hello you"], 1), "html": (["Three"], 1)}


def test_another_look_is_no_change_and_another_link_is():
    looks = (
        "<h1 style='color:red'>News</h1>\n<p>One</p>\n<div>Two <b><a href='https://example.com/a'>here</a></b></div>"
    )
    assert changed(THEN | {"html": looks}) == {}
    assert changed(THEN | {"html": THEN["html"].replace("/a'", "/b'")}) == {"html": (["Two here"], 1)}


def test_a_paragraph_written_twice_is_new_the_second_time():
    assert changed(THEN | {"html": THEN["html"] + "<p>One</p>"}) == {"html": (["One"], 0)}


def test_what_nobody_has_translated_has_no_marks():
    assert not any(one.has_changed for one in translations.since(THEN, None))
