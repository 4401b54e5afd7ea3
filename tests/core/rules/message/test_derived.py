"""The text part made from the HTML part."""

import re

import pytest

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS


def text_of(html: str, **values: str) -> str:
    return READERS[0](rendered(compiled(html), values)).text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree\n"),
        ("<h1>Head</h1><p>a   b\n c</p>", "Head\n\na b c\n"),
        ("<ul><li>a</li><li>b</li></ul>", "  * a\n  * b\n"),
        ("<p><a href='https://x.example/pay'>Pay now</a>.</p>", "Pay now <https://x.example/pay>.\n"),
        ("<p><a href='https://x.example/'>x.example</a></p>", "x.example\n"),
        ("<p><a href='https://x.example/a?b=1&amp;c=2'>https://x.example/a?b=1&amp;c=2</a></p>", "https://x.example/a?b=1&c=2\n"),
        ("<p><a href='mailto:a@b.example'>a@b.example</a></p>", "a@b.example\n"),
        ("<p><a href='mailto:a@b.example?subject=x'>write</a></p>", "write <a@b.example>\n"),
        ("<p><a href='https://x.example/'><img src='https://x.example/a.png' alt='Logo'></a></p>", "Logo <https://x.example/>\n"),
        ("<p><a href='https://x.example/'><img src='https://x.example/a.png'></a></p>", "https://x.example/\n"),
        ("<p><a href='#top'>up</a></p>", "up\n"),
        ("<div style='display:none'>hidden</div><p style='padding:40px'>shown</p>", "shown\n"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>long text</td><td>d</td></tr></table>", "a  b\nlong text  d\n"),
        ("<p>&nbsp;</p><p>a</p><p>&nbsp;</p><p>&nbsp;</p><p>b</p>", "a\n\nb\n"),
        ("<p>&lt;b&gt; &amp; &euro;</p>", "<b> & €\n"),
    ],
)  # fmt: skip
def test_it_reads_as_the_html_does(html, text):
    assert text_of(html) == text


FOR, END = "{% for service in services %}", "{% endfor %}"
TWO = [{"domain": "a.example", "product": "VPS"}, {"domain": "b.example", "product": "Shop"}]


@pytest.mark.parametrize(
    ("html", "two", "none"),
    [
        (
            f"<p>Yours:</p><ul>{FOR}<li>{{{{ service.domain }}}}</li>{END}<li>more</li></ul><p>Bye</p>",
            "Yours:\n\n  * a.example\n  * b.example\n  * more\n\nBye\n",
            "Yours:\n\n  * more\n\nBye\n",
        ),
        (
            f"<table><tr><th>Name</th><th>Plan</th></tr>{FOR}<tr><td>{{{{ service.domain }}}}</td>"
            f"<td>{{{{ service.product }}}}</td></tr>{END}</table><p>Bye</p>",
            "Name  Plan\na.example  VPS\nb.example  Shop\n\nBye\n",
            "Name  Plan\n\nBye\n",
        ),
        (f"{FOR}<p>{{{{ service.domain }}}}</p>{END}<p>Bye</p>", "a.example\n\nb.example\n\nBye\n", "Bye\n"),
        (
            f"<p>{FOR}{{{{ service.domain }}}}{{% unless forloop.last %}}, {{% endunless %}}{{% else %}}none{END} is due.</p>",
            "a.example, b.example is due.\n",
            "none is due.\n",
        ),
        (
            f"<ul>{FOR}<li>{{{{ service.domain }}}}</li>{{% else %}}<li>none</li>{END}</ul>",
            "  * a.example\n  * b.example\n",
            "  * none\n",
        ),
    ],
)  # fmt: skip
def test_each_service_of_a_list_has_lines_of_its_own(html, two, none):
    for services, text in ((TWO, two), ([], none)):
        found = READERS[0](rendered(compiled(html), {"services": services})).text
        assert re.sub("\n{3,}", "\n\n", found).rstrip("\n") + "\n" == text


def test_values_are_written_as_they_are_and_percent_encoded_in_addresses():
    html = "<p>{{ company }}: <a href='https://x.example/{{ company }}'>go</a></p><p>https://x.example/?c={{ company }}</p>"
    assert (
        text_of(html, company="M & S")
        == "M & S: go <https://x.example/M%20%26%20S>\n\nhttps://x.example/?c=M%20%26%20S\n"
    )


def test_a_paragraph_left_out_leaves_no_gap():
    html = "<p>a</p><p>{% if company %}</p><p>{{ company }}</p><p>{% endif %}</p><p>b</p>"
    assert text_of(html, company="Acme") == "a\n\nAcme\n\nb\n"
    assert text_of(html) == "a\n\nb\n"


def test_conditions_between_table_rows_choose_the_rows_of_the_text():
    html = (
        "<table>{% if company %}<tr><td>{{ company }}</td><td>1</td></tr>{% elsif email %}<tr><td>{{ email }}</td><td>2</td></tr>"
        "{% else %}<tr><td>none</td><td>3</td></tr>{% endif %}<tr><td>last</td></tr></table>"
    )
    assert text_of(html, company="Acme").split() == ["Acme", "1", "last"]
    assert text_of(html, email="a@b.c").split() == ["a@b.c", "2", "last"]
    assert text_of(html).split() == ["none", "3", "last"]


def test_a_condition_in_a_link_is_one_in_the_address_too():
    html = "<a href='https://x.example/{% if company %}{{ company }}{% else %}you{% endif %}'>go</a>"
    assert text_of(html, company="ü") == "go <https://x.example/%C3%BC>\n"
    assert text_of(html) == "go <https://x.example/you>\n"


def test_what_only_outlook_draws_is_not_read_aloud():
    assert (
        text_of("<!--[if mso]><p>old</p><![endif]--><p>a</p><!--[if !mso]><!--><p>b</p><!--<![endif]-->") == "a\n\nb\n"
    )


def test_a_text_that_is_written_by_hand_is_taken_as_it_is():
    mail = rendered(compiled("<p>html</p>", text="Dear {{ first_name }},\n\n  own   words"), {"first_name": "Zoë"})
    assert READERS[0](mail).text == "Dear Zoë,\n\n  own   words\n"
    assert READERS[0](rendered(compiled("<p>html</p>", text=""), {})).text == "\n"
