"""Whatever the values are: every parser reads what Liquid says, and nothing can break out of its place."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.core.rules.message.mails import compiled, rendered, stamp
from tests.core.rules.message.readers import READERS, fit_for_the_wire
from tests.core.rules.tags.reference import render_nodes
from webapp.core.rules.message import RenderError
from webapp.core.rules.message.headers import one_line
from webapp.core.rules.tags.values import clean

LATIN = """<h1>Hello {{ first_name | default: "there" }}</h1>
<p title="{{ company }}">Dear {{ full_name }},{{ first_name }}{{ company }}.{{ email }} —
<a href="https://x.example/{{ client_id }}/a?n={{ full_name | upcase }}&amp;c={{ company | default: first_name }}">go {{ status }}</a></p>
<p>.{{ first_name }}.<br>From {{ first_name }}</p>"""
CONDITIONS = """<p>{% if company %}For <b>{{ company }}</b>{% elsif first_name == full_name %}one name{% else %}nobody{% endif %}</p>
<table><tbody>{% unless status contains "a" %}<tr><td>{{ status }}</td></tr>{% endunless %}
<tr><td>{{ email | downcase }}</td></tr></tbody></table>
<p><a href="https://x.example/{% if company == "x" or status %}{{ client_id }}{% else %}0{% endif %}">go</a></p>"""
CYRILLIC = """<p>Здравствуйте, {{ first_name }}{{ full_name }}! В этом году цены остаются прежними. {{ company }}</p>
<p>{% if status %}Ваш статус сегодня и всегда, пока вы с нами и мы с вами: {{ status }}.{% else %}Вы.{% endif %}
<a href="https://x.example/{{ client_id }}">Дальше</a>{{ email }}</p>"""
FILTERS = """<p title="{{ company | truncate: 9, '&' }}">{{ first_name | replace: "a", "&lt;b&gt;" | upcase | default: "a > b" }}
{{ email }}
<a href="https://x.example/{{ client_id | replace: '/', '&' }}?n={{ full_name | truncate: 12 | downcase }}">go</a>
{{ status | capitalize }}</p>"""
LIST = """<p>{{ first_name }}:</p><ul>{% for service in services %}<li title="{{ service.domain }}">{{ forloop.index }}
{{ service.product | truncate: 20 }} of {{ company }}{% unless forloop.last %},{% endunless %}</li>{% else %}
<li>{{ status }}</li>{% endfor %}</ul>
<table><tr><th>Name</th></tr>{% for service in services limit: 2 %}{% if service.domain %}<tr><td>{{ service.domain }}</td>
<td><a href="https://x.example/{{ service.domain }}?c={{ client_id }}">go {{ full_name }}</a></td></tr>{% endif %}
{% endfor %}</table>{{ email }}"""
CYRILLIC_LIST = """<p>Здравствуйте, {{ first_name }}! {{ email }}{{ company }} В этом году цены остаются прежними, и вот ваши услуги:</p>
<ol>{% for service in services %}<li>Ваша услуга {{ forloop.index }} из {{ forloop.length }}:
{{ service.product | upcase }} и {{ service.domain }}
</li>{% else %}<li>У вас нет услуг, {{ status }}</li>{% endfor %}</ol><p>{{ client_id }}{{ full_name }}</p>"""

MESSAGES = {
    "with filters": compiled(FILTERS, "{{ first_name | truncate: 5 }} {{ company | replace: 'a', 'b' }}"),
    "with a list": compiled(LIST, "{{ service_count }}"),
    "with a list, base64": compiled(CYRILLIC_LIST, "{{ full_name }}"),
    "text alone, with a list": compiled(text="{{ first_name }}{{ full_name }}{{ status }}{{ client_id }}{{ email }}\n"
        "{% for service in services %}\n- {{ service.product }} {{ company }}\n{% endfor %}\nBye"),
    "quoted-printable": compiled(LATIN, "{{ first_name }}, news for {{ company }}"),
    "with conditions": compiled(CONDITIONS, "{% if company %}{{ company }}: {% endif %}news {{ status }}"),
    "base64": compiled(CYRILLIC, "Новости для {{ full_name }}"),
    "text alone": compiled(text="{{ first_name }}\n.{{ full_name }}. \n{{ company }} {{ status }}\nFrom {{ email }}{{ client_id }}"),
}  # fmt: skip
TAGS = ("full_name", "first_name", "company", "email", "client_id", "status")

everything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
awkward = st.sampled_from(
    [
        "",
        " ",
        ".",
        "..",
        "From x",
        "=",
        "=?utf-8?q?x?=",
        "a" * 75,
        "a" * 76,
        "a" * 77,
        "x" * 900,
        "é" * 900,
        "." * 200,
        "a. " * 60,
        "a ",
        "שלום עולם",
        "مرحبا بالعالم",
        "नमस्ते दुनिया",
        "👩‍👩‍👧‍👦" * 20,
        "é̀̂" * 30,
        "<b>&amp;",
        "\"'`",
        "\r\nBcc: x@y.z",
        "\0",
        "a\tb",
        "\u2028",
        "--=_x",
        "}}{{ first_name }}",
        "{% if %}",
        "\N{RIGHT-TO-LEFT OVERRIDE}abc",
        "\ufffe\uffff\U0010ffff",
        ", <a@b.c>",
        "王小明",
    ]
)
services = st.lists(
    st.fixed_dictionaries({"product": st.one_of(everything, awkward), "domain": everything}), max_size=3
)
values = st.fixed_dictionaries(
    {name: st.one_of(everything, awkward) for name in TAGS}
    | {"services": services, "service_count": st.sampled_from(["0", "3"])}
)


@pytest.mark.parametrize("kind", MESSAGES)
@settings(deadline=None, max_examples=80)
@given(values=values)
def test_every_parser_reads_what_liquid_says(kind, values):
    message = MESSAGES[kind]
    mail = rendered(message, values)
    assert fit_for_the_wire(mail)
    said = {name: render_nodes(nodes, values) for name, nodes in message.trees.items()}
    for read in READERS:
        found = read(mail)
        assert found.subject == one_line(said["subject"])
        assert found.to == (one_line(clean(values["full_name"])), "zoe@example.net")
        assert found.text == said["plain"].removesuffix("\n") + "\n"
        assert found.html == (said["html"].removesuffix("\n") + "\n" if "html" in said else None)


@pytest.mark.parametrize("kind", MESSAGES)
@settings(deadline=None, max_examples=40)
@given(values=values)
def test_no_value_adds_or_takes_a_header_field(kind, values):
    message = MESSAGES[kind]
    usual = rendered(message, dict.fromkeys(TAGS, "x"))
    mail = rendered(message, values)
    for read in READERS:
        assert read(mail).fields == read(usual).fields


class Outline(HTMLParser):
    """Elements and the names of their attributes, and links."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_comment(self, data):
        self.elements.append(("!--", ()))


@settings(deadline=None, max_examples=100)
@given(values=values)
def test_no_value_opens_an_element_or_an_attribute_or_turns_a_link(values):
    message = MESSAGES["quoted-printable"]
    usual = Outline(READERS[0](rendered(message, dict.fromkeys(TAGS, "x"))).html)
    found = Outline(READERS[0](rendered(message, values)).html)
    assert found.elements == usual.elements
    (link,) = found.links
    assert re.fullmatch(r"https://x\.example/[\w.~%-]*/a\?n=[\w.~%-]*&c=[\w.~%-]*", link, re.ASCII)


@settings(deadline=None, max_examples=40)
@given(values=values, number=st.integers(0, 2**63))
def test_the_same_arguments_give_the_same_bytes(values, number):
    for message in MESSAGES.values():
        to = stamp(number)
        assert rendered(message, values, to=to) == rendered(message, dict(values), to=stamp(number))


@settings(deadline=None, max_examples=40)
@given(before=everything, half=st.characters(categories=["Cs"]), after=everything, name=st.sampled_from(TAGS))
def test_half_a_surrogate_pair_fails_this_mail_alone_and_names_the_tag(before, half, after, name):
    message = MESSAGES["text alone"]
    with pytest.raises(RenderError, match=name):
        rendered(message, {name: before + half + after})


@settings(deadline=None, max_examples=40)
@given(address=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_an_address_that_is_none_fails_this_mail_alone(address):
    assume(not re.fullmatch(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+", address, re.ASCII))
    with pytest.raises(RenderError):
        rendered(MESSAGES["text alone"], {}, to=stamp(address=address))
