"""Parts to fill: found, filled with text, and recognised again."""

from hypothesis import given
from hypothesis import strategies as st

from webapp.core.rules import fills

TEMPLATE = '<p>On <mark class="fill">day &amp; time</mark> we <mark class="fill">do <b>this</b></mark>.</p>'


def test_prompts_are_words_and_other_marks_are_none():
    assert fills.prompts(TEMPLATE + "<mark>mine</mark>" + TEMPLATE) == ["day & time", "do this"]


def test_what_is_written_is_text_with_lines_strong_words_and_links():
    values = {"day & time": "Mon <1>\n{{ date }}", "do this": '**move** [you](https://example.com/?a="b")'}
    assert fills.filled(TEMPLATE, values) == (
        "<p>On Mon &lt;1&gt;<br>\n{{ date }} we <strong>move</strong> "
        '<a href="https://example.com/?a=&quot;b&quot;">you</a>.</p>'
    )
    assert fills.filled(TEMPLATE, {"day & time": "  "}) == TEMPLATE


@given(st.text("ab \n{}.", min_size=1).filter(str.strip), st.text("cd", min_size=1))
def test_a_template_knows_its_mail_again(day: str, what: str):
    html = fills.filled(TEMPLATE, {"day & time": day, "do this": what})
    found = fills.written(TEMPLATE, html)
    assert found is not None and fills.carried_over(TEMPLATE, found) == html


def test_a_mail_that_was_changed_besides_is_not_the_template_filled():
    html = fills.filled(TEMPLATE, {"day & time": "Monday"})
    assert fills.written(TEMPLATE, html) == {"day & time": "Monday"}
    assert fills.written(TEMPLATE, html.replace("we", "they")) is None
    assert fills.written(TEMPLATE, html + "<p>More</p>") is None
    assert fills.written("<p>Fixed</p>", "<p>Fixed</p>") == {} and fills.written("<p>Fixed</p>", "<p>fixed</p>") is None
