"""What a tagged source means."""

import pytest

from tests.core.rules.tags import reference
from webapp.core.errors import Invalid
from webapp.core.rules import tags
from webapp.core.rules.tags.uses import TagUse, uses

VALUES = {
    "first_name": "Zoë",
    "company": "Acme",
    "status": "Active",
    "email": "",
    "client_id": "10/01",
    "last_name": "",
    "services": [{"domain": "a.example", "name": "Acme"}, {"domain": "b.example", "name": "VPS"}],
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hi {{ first_name }}!", "Hi Zoë!"),
        ("{{first_name|upcase}}", "ZOË"),
        ("{{ company | downcase | capitalize }}", "Acme"),
        ('{{ email | default: "none" }}', "none"),
        ("{{ email | default: company }}", "Acme"),
        ('{{ email | default: last_name | default: "x" | upcase }}', "X"),
        ("{% if company %}a{% else %}b{% endif %}", "a"),
        ("{% if email %}a{% else %}b{% endif %}", "b"),
        ("{% unless email %}a{% endunless %}", "a"),
        ('{% if status == "Active" %}a{% endif %}', "a"),
        ('{% if status != "Active" %}a{% elsif company contains "cm" %}b{% endif %}', "b"),
        ("{% if email == blank %}a{% endif %}", "a"),
        ("{% if email or company %}a{% endif %}", "a"),
        ("{% if email and company %}a{% endif %}", ""),
        ("{% unless email and company %}a{% endunless %}", "a"),
        ("{% if first_name == company %}a{% else %}b{% endif %}", "b"),
        ("a {{- first_name -}} b", "aZoëb"),
        ("{ } }} %} stays, {a} too", "{ } }} %} stays, {a} too"),
        ('{{ company | replace: "c", "kk" | truncate: 4, "…" }}', "Akk…"),
        ("{% for service in services %}{{ service.domain }}{% unless forloop.last %}, {% endunless %}{% endfor %}", "a.example, b.example"),
        ("{% for service in services limit: 1 %}{{ forloop.index }}/{{ forloop.length }}{% endfor %}", "1/1"),
        ("{% for service in services %}{% if service.name == company %}{{ company }}{% endif %}{% else %}none{% endfor %}", "Acme"),
        ("https://x.example/{{ client_id }}?c={{ client_id }} {{ client_id }}", "https://x.example/10%2F01?c=10%2F01 10/01"),
    ],
)  # fmt: skip
def test_liquid_renders_our_cut_of_it(source, text):
    assert reference.render(source, VALUES) == text


def test_a_line_that_holds_only_conditions_is_no_line_of_the_text():
    source = "Dear {{ first_name }},\n{% if company %}\nfor {{ company }}\n{% else %}\nfor you\n{% endif %}\nBye\n"
    assert reference.render(source, VALUES) == "Dear Zoë,\nfor Acme\nBye\n"
    assert reference.render(source, VALUES | {"company": ""}) == "Dear Zoë,\nfor you\nBye\n"


def test_a_line_that_holds_only_the_ends_of_a_list_is_no_line_of_the_text():
    source = "Yours:\n{% for service in services %}\n- {{ service.domain }}\n{% else %}\nnone\n{% endfor %}\nBye\n"
    assert reference.render(source, VALUES) == "Yours:\n- a.example\n- b.example\nBye\n"
    assert reference.render(source, VALUES | {"services": []}) == "Yours:\nnone\nBye\n"


def test_a_source_with_problems_is_refused_with_the_first_of_them():
    with pytest.raises(Invalid, match=r"Line 2, column 1: There is no tag nme\.") as refusal:
        reference.render("Hi\n{{ nme }} {{", VALUES)
    assert refusal.value.field == "text"


def test_values_lose_control_characters_before_they_are_written():
    assert reference.render("[{{ first_name }}]", {"first_name": " a\r\nBcc: x\x00\x1b "}) == "[a  Bcc: x]"


def test_used_names_every_tag_once_and_leaves_out_what_cannot_be_read():
    source = "{{ a b }} {{ company | default: last_name }}{% if status == email %}{{ company }}{% endif %}{{ fir"
    assert tags.used(source) == ("company", "last_name", "status", "email")


def test_used_reads_what_an_editor_makes_of_a_tag():
    assert tags.used("{{&nbsp;first_name | default: &quot;there&quot; }}") == ("first_name",)


@pytest.mark.parametrize(
    ("source", "covered"),
    [
        ("{{ company }}", False),
        ('{{ company | default: "you" }}', True),
        ('{{ company | default: "" }}', False),
        ("{% if company %}{{ company }}{% endif %}", True),
        ('{% if company and status == "Active" %}{{ company }}{% endif %}', True),
        ("{% if company or status %}{{ company }}{% endif %}", False),
        ("{% unless company %}{{ company }}{% endunless %}", False),
        ("{% unless company %}x{% else %}{{ company }}{% endunless %}", True),
        ("{% if company == blank %}x{% else %}{{ company }}{% endif %}", True),
        ('{% if company contains "a" %}{{ company }}{% endif %}', True),
        ('{{ company | replace: "a", "b" | truncate: 5 }}', False),
    ],
)
def test_a_use_is_covered_by_a_text_or_by_a_condition_that_asks_for_the_value(source, covered):
    assert uses(source, field="text") == (TagUse(("company",), covered),)


def test_a_list_is_covered_by_what_stands_there_without_any_or_by_a_condition():
    rows = "{% for service in services limit: 5 %}{{ company }}{% endfor %}"
    company = TagUse(("company",), False)
    assert uses(rows, field="text") == (TagUse(("services",), False, 5), company)
    assert uses(f"{{% if services %}}{rows}{{% endif %}}", field="text") == (TagUse(("services",), True, 5), company)
    assert uses(rows.replace("{% endfor", "{% else %}none{% endfor"), field="text")[0].covered


def test_a_tag_that_stands_in_for_another_is_part_of_its_chain():
    assert uses("{{ company | default: full_name }}", field="html") == (TagUse(("company", "full_name"), False),)
