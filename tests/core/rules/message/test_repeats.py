"""A loop around a whole list or table is one list or table."""

import pytest

from tests.core.rules.message.mails import compiled, rendered
from tests.core.rules.message.readers import READERS

SERVICES = [{"product": "Web Pro", "domain": "a.example"}, {"product": "Mail", "domain": "b.example"}]
FOR, END = "<p>{% for service in services %}</p>\n", "\n<p>{% endfor %}</p>"


def html_of(source: str, services=SERVICES) -> str:
    html = READERS[0](rendered(compiled(f"<p>-</p>{source}<p>-</p>"), {"services": services})).html
    return html.partition("<p>-</p>")[2].partition("<p>-</p>")[0].replace("\n", "")


def test_a_list_of_one_item_has_an_item_for_each_service():
    source = FOR + "<ul>\n<li>{{ service.product }}, <b>{{ service.domain }}</b></li>\n</ul>" + END
    assert html_of(source) == "<ul><li>Web Pro, <b>a.example</b></li><li>Mail, <b>b.example</b></li></ul>"


@pytest.mark.parametrize(
    ("heads", "begins"),
    [
        ("<tbody><tr><th>Name</th></tr>", "<tbody><tr><th>Name</th></tr>"),
        ("<thead><tr><th>Name</th></tr></thead><tbody>", "<thead><tr><th>Name</th></tr></thead><tbody>"),
    ],
)
def test_a_table_has_its_heads_once_and_a_row_for_each_service(heads: str, begins: str):
    source = f"{FOR}<table>{heads}<tr><td>{{{{ service.product }}}}</td></tr></tbody></table>{END}"
    assert html_of(source) == f"<table>{begins}<tr><td>Web Pro</td></tr><tr><td>Mail</td></tr></tbody></table>"


@pytest.mark.parametrize(
    "one",
    [
        "<ul><li>{{ service.product }}</li><li>{{ service.domain }}</li></ul>",
        "<ul><li>{{ service.product }}<ul><li>{{ service.domain }}</li></ul></li></ul>",
        "<table><tbody><tr><td>{{ service.product }}</td></tr></tbody></table>",
        "<table><tbody><tr><th>Name</th><td>{{ service.product }}</td></tr></tbody></table>",
        "<ul><li>{{ service.product }}</li></ul><p>{{ service.domain }}</p>",
    ],
)
def test_what_is_a_group_of_its_own_stays_one_for_each_service(one: str):
    filled = [
        one.replace("{{ service.product }}", said["product"]).replace("{{ service.domain }}", said["domain"])
        for said in SERVICES
    ]
    assert html_of(FOR + one + END) == "".join(filled)


def test_a_condition_around_a_list_is_no_loop():
    source = (
        "<p>{% if service_count %}</p><ul><li>one</li></ul><p>{% endif %}</p>{% for service in services %}.{% endfor %}"
    )
    mail = rendered(compiled(source), {"services": SERVICES, "service_count": ""})
    assert "<ul>" not in READERS[0](mail).html


def test_the_text_made_from_it_has_a_line_for_each_service():
    source = FOR + "<ul><li>{{ service.product }}</li></ul>" + END
    text = READERS[0](rendered(compiled(source), {"services": SERVICES})).text
    assert [line.strip() for line in text.strip().split("\n")] == ["* Web Pro", "* Mail"]
