import pytest

from webapp.core.rules.tags.parser import parse
from webapp.core.rules.tags.unparse import source_of


@pytest.mark.parametrize(
    "source",
    [
        "",
        "Hello",
        "Hi {{ first_name }},",
        'Hi {{ first_name | default: "there" }},',
        """Hi {{ first_name | default: '"you"' }},""",
        'Hi {{ first_name | default: company | default: "there" | upcase }}',
        "{% if company %}Dear {{ company }}{% endif %}",
        '{% if country == "DE" or country == "AT" %}a{% elsif company %}b{% else %}c{% endif %} end',
        "{% unless company %}a{% else %}b{% endunless %}",
        '{% if company contains "GmbH" and status != "Active" %}{% if email %}x{% endif %}{% endif %}',
    ],
)
def test_a_tree_is_written_as_the_source_it_was_read_from(source: str):
    assert source_of(parse(source, field="text")) == source


@pytest.mark.parametrize(
    ("source", "tidy"),
    [
        ("Hi {{first_name|default:'there'}}", 'Hi {{ first_name | default: "there" }}'),
        ("{%if company%}x{%endif%}", "{% if company %}x{% endif %}"),
    ],
)
def test_spellings_become_one(source: str, tidy: str):
    assert source_of(parse(source, field="text")) == tidy
