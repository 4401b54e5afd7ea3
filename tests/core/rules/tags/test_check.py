"""What the person who writes is told about their tags."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.core.rules import tags
from webapp.core.rules.statuses import MessageType

GENERAL, SERVICES, ADDONS = MessageType


MIXED = "A condition joins with either “and” or “or”, not both: put one {% if %} into another."
FILTERS = "default, date, money, plural, upcase, downcase, capitalize, truncate, replace"
FOR = "{% for service in services %}"
LIST = "{% for service in services %} … {% endfor %}"
ONE_HOME = "A list that begins inside an attribute must end in it, and one outside must end outside."
PERCENT = "A pattern of a date is written with signs of percent: "
NO_TIME = "%H cannot stand in a pattern of a date: a day has no time. There are: "
TWO_TO_SIX = 'The filter plural takes two to six texts: {{ service_count | plural: "service", "services" }}.'
DATES = "A date is written as short, medium, long or full or by a pattern such as “%-d %B %Y”, "
HALVES = [
    "{{", "{{ a ", "{%", "{<b>", "{% if company %}", "{{ first_name }}", "<a href='{{ a }}", '<a "', "<!--[if mso]>", "{{-",
    "<p title=\"{{ email | default: 'x' }}\" ",
]  # fmt: skip


def messages(source: str, message_type: MessageType = GENERAL, field: str = "html") -> list[str]:
    return [problem.message for problem in tags.check(source, message_type, field=field)]


@pytest.mark.parametrize("field", ["subject", "html", "text"])
def test_it_finds_nothing_wrong_with_every_tag_of_the_type(field):
    for message_type in MessageType:
        source = " ".join(f"{{{{ {tag.name} }}}}" for tag in tags.tags_for(message_type))
        assert messages(source, message_type, field) == []


def test_it_says_line_column_and_offsets_and_the_name_that_was_meant():
    source = "Hello\n  there {{ frist_name }}!"
    (problem,) = tags.check(source, GENERAL, field="text")
    assert (problem.field, problem.line, problem.column) == ("text", 2, 9)
    assert source[problem.start : problem.end] == "{{ frist_name }}"
    assert (problem.name, problem.suggestion) == ("frist_name", "first_name")
    assert problem.message == "There is no tag frist_name. Did you mean first_name?"
    assert problem.blocking


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("First_Name", "first_name"),
        ("first name", "first_name"),
        ("client.first_name", "first_name"),
        ("client_first_name", "first_name"),
        ("surname", "last_name"),
        ("name", "full_name"),
        ("e-mail", "email"),
        ("compnay", "company"),
    ],
)
def test_it_knows_what_other_programs_call_a_tag(written, meant):
    (problem,) = tags.check(f"{{{{ {written} }}}}", GENERAL, field="html")
    assert problem.suggestion == meant


def test_it_says_why_a_tag_is_not_for_this_type_of_message():
    (message,) = messages("{{ service_domain }}", GENERAL)
    assert "whatever they hold" in message
    assert messages("{{ service_domain }}", SERVICES) == messages("{{ service_domain }}", ADDONS) == []
    (message,) = messages("{{ addon_name }}", SERVICES)
    assert "Addons" in message


def test_a_name_of_another_type_is_explained_by_its_synonym_too():
    (message,) = messages("{{ domain }}", GENERAL)
    assert message.startswith("There is no tag domain. {{ service_domain }} is a tag of a client’s service.")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ fir", "This tag is not closed: }} is missing."),
        ("{% if company", "This tag is not closed: %} is missing."),
        ("{{}}", "There is no name between these braces."),
        ("{{{ first_name }}}", "There is a brace too many: a tag has two, {{ first_name }}."),
        ("{<b>{ first_name }}</b>", "Formatting stands between the braces of this tag. Delete it and insert the tag again."),
        ("{{ first_name | shout }}", f"There is no filter shout. There are: {FILTERS}."),
        ('{{ first_name | default "there" }}', 'A colon is missing after default: {{ first_name | default: "there" }}.'),
        ('{{ first_name | default: "there }}', 'A quote is missing in “first_name | default: "there”.'),
        ("{% if company %}x", "This condition has no end: {% endif %} is missing."),
        ("x{% endif %}", "{% endif %} stands here without an {% if … %} before it."),
        ("{% if company %}{% endunless %}", "{% endunless %} ends a condition that {% endif %} should end."),
        ("{% if company and email or status %}x{% endif %}", MIXED),
        ('{% if status = "Active" %}x{% endif %}', 'To compare, write two signs: status == "Active".'),
        ("{% include 'x' %}", "{% include %} cannot be used here. There are: if, elsif, else, endif, unless, endunless, for, endfor."),
        ("{{ first_name | uppercase }}", f"There is no filter uppercase. Did you mean upcase? There are: {FILTERS}."),
        ("{{ first_name | truncat: 5 }}", f"There is no filter truncat. Did you mean truncate? There are: {FILTERS}."),
        ('{{ first_name | truncate: "5" }}', 'The filter truncate takes a number and a text: {{ company | truncate: 30, "…" }}.'),
        ("{{ first_name | truncate: 0 }}", "The filter truncate keeps at least one character."),
        ('{{ email | replace: "" }}', 'The filter replace needs the text that it looks for: replace: "www.", "".'),
        ("{{ email | replace: 1 }}", 'The text after replace: stands in quotes: replace: "1".'),
        ("{{ email | replace: company }}", 'The text after replace: stands in quotes: replace: "company".'),
        ("{{ email | upcase: 1 }}", "The filter upcase takes nothing after it."),
        ('{{ date | upcase | date: "short" }}', "The filter date stands first, right behind the tag’s name."),
        ('{{ date | date: "shrot" }}', DATES + "not as “shrot”. Did you mean short?"),
        ('{{ date | date: "dd.MM.yyyy" }}', PERCENT + "“%d.%m.%Y”, not “dd.MM.yyyy”. Did you mean %d.%m.%Y?"),
        ('{{ date | date: "%H:%M" }}', NO_TIME + "%d %-d %m %-m %b %B %y %Y %a %A %%."),
        ('{{ email | date: "short" }}', "email is not a date, as the filter date needs it. It can follow client_since, date."),
        ("{{ client_since | money }}", "client_since is not an amount, as the filter money needs it."),
        ('{{ service_count | plural: "service" }}', TWO_TO_SIX),
        ("{{ first_name | upcase" + " | upcase" * 10 + " }}", "A tag has at most 10 filters."),
        ("{% for x in y %}", "Only services can be listed: {% for service in services %}."),
        ("{% for one in services %}", "In a list each service is called service: {% for service in services %}."),
        ("{% for service in services limit: 101 %}", "A list shows 1 to 100 services: {% for service in services limit: 10 %}."),
        ("{% for service in services %}x", "This list has no end: {% endfor %} is missing."),
        ("x{% endfor %}", "{% endfor %} stands here without a {% for … %} before it."),
        (f"{FOR}{FOR}x{{% endfor %}}{{% endfor %}}", "A list of services cannot stand in another one."),
        (f"{FOR}{{% if company %}}{{% endfor %}}", "{% endfor %} ends a condition that {% endif %} should end."),
        (f"{FOR}{{{{ service.domian }}}}{{% endfor %}}", "There is no service.domian. Did you mean service.domain?"),
        (f"{FOR}x{{% else %}}{{{{ service.number }}}}{{% endfor %}}", f"service.number stands in a list of services, {LIST}."),
        ("{{ services }}", f"services is a list: {LIST} writes one after another, {{{{ service_count }}}} how many there are."),
        (f"<p title='{FOR}'>{{% endfor %}}</p>", ONE_HOME),
    ],
)  # fmt: skip
def test_it_says_in_plain_words_what_is_wrong(source, message):
    assert message in messages(source)


def test_a_field_of_a_service_outside_of_a_list_is_taken_for_the_tag():
    (problem,) = tags.check("{{ service.domain }}", SERVICES, field="html")
    assert problem.suggestion == "service_domain"


def test_a_subject_has_no_room_for_a_list():
    assert messages(f"{FOR}x{{% endfor %}}", field="subject") == [
        "A list of services stands in the body: here is room for {{ service_count }}."
    ]


def test_conditions_stand_twenty_deep_in_each_other_and_no_deeper():
    for depth, problems in ((20, 0), (21, 1), (300, 1)):
        source = "{% if company %}" * depth + "x" + "{% endif %}" * depth
        assert len(messages(source)) == problems


def test_a_tag_typed_half_way_does_not_hide_the_others():
    found = messages("{{ fir <p>{{ last_nam }}</p> {{ | }}")
    assert len(found) == 3
    assert "Did you mean last_name?" in found[1]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ('<a href="{{ email }}">x</a>', "cannot begin with a tag"),
        ('<a href="java{{ email }}">x</a>', "cannot begin with a tag"),
        ("<img src={{ company }}>", "cannot begin with a tag"),
        ('<p style="color: {{ status }}">x</p>', "style attribute"),
        ("<style>p { color: {{ status }} }</style>", "style sheet"),
        ("<p {{ status }}>x</p>", "in quotes"),
        ('<td {% if company %}class="x"{% endif %}>', "in quotes"),
        ('<a href="https://x.example/{% if company %}">{% endif %}</a>', "must end in it"),
    ],
)
def test_it_refuses_tags_where_no_escaping_makes_them_safe(source, words):
    found = messages(source)
    assert found and all(words in message for message in found)


@pytest.mark.parametrize(
    "source",
    [
        '<a href="https://x.example/{{ client_id }}?n={{ full_name }}">x</a>',
        '<a href="mailto:{{ email }}">x</a>',
        '<img src="https://x.example/{{ client_id }}.png" alt="{{ company }}">',
        "<!-- {{ nonsense {% if -->",
        "{{&nbsp;first_name&nbsp;|&nbsp;default:&nbsp;&quot;there&quot;&nbsp;}}",
        "{{ first_name | default: “there” }}",
        "<style>@media(max-width:600px){p{color:red}}</style>",
        '<a href="https://x.example/{% if company %}a{% else %}b{% endif %}">x</a>',
        f'<ul>{FOR}<li>{{{{ service.price | money: "code" }}}}{{% unless forloop.last %}},{{% endunless %}}</li>{{% endfor %}}</ul>',
        '{% if services %}{{ service_count | plural: "#", "# all", "#" }}{% endif %}{{ date | date: "%-d. %B" | upcase }}',
    ],
)
def test_it_lets_pass_what_editors_and_designers_write(source):
    assert messages(source) == []


def test_another_programs_tag_is_a_hint_and_does_not_block():
    first, second = tags.check("Dear {$client_first_name}, {first_name} {x} {}", GENERAL, field="text")
    assert (first.suggestion, second.suggestion) == ("first_name", "first_name")
    assert not first.blocking and not second.blocking


@settings(deadline=None)
@given(st.text(alphabet="{}%|-\"'<>/=: \nabif_nameéendlsu!&;$", max_size=60))
def test_it_survives_anything_typed(source):
    for field in ("subject", "html", "text"):
        for problem in tags.check(source, GENERAL, field=field):
            assert 0 <= problem.start < problem.end <= len(source)
        tags.used(source, field=field)


@pytest.mark.parametrize("unit", HALVES)
def test_it_answers_quickly_for_a_hundred_kilobytes_of_anything(unit):
    source = unit * (100_000 // len(unit))
    begin = time.process_time()
    found = tags.check(source, GENERAL, field="html")
    assert time.process_time() - begin < 2, "it takes a fraction of a second on an idle machine"
    assert len(found) <= 100


@pytest.mark.parametrize(
    ("source", "field", "complaint"),
    [
        ('<a href="{{ unsubscribe_url }}">No more</a>', "html", ""),
        ('<a href=" {{ preferences_url }}">Choose</a><p>{{ browser_url }}</p>', "html", ""),
        ("No more: {{ unsubscribe_url }}", "text", ""),
        ('<img src="{{ browser_url }}">', "html", "cannot begin with a tag"),
        ('<a href="{{ first_name }}">x</a>', "html", "cannot begin with a tag"),
        ('{{ unsubscribe_url | default: "x" }}', "text", "stands alone"),
        ("{% if browser_url %}x{% endif %}", "text", "stands alone"),
        ("{{ unsubscribe_token }}", "text", "There is no tag unsubscribe_token. Did you mean unsubscribe_url?"),
        ("{{ unsubscribe }}", "text", "Did you mean unsubscribe_url?"),
    ],
)
def test_a_link_of_a_mails_own_is_a_whole_address(source: str, field: str, complaint: str):
    found = [problem.message for problem in tags.check(source, MessageType.GENERAL, field=field)]
    assert (complaint in found[0]) if complaint else not found


def test_mail_that_must_be_told_has_no_link_to_decline_it():
    source = '<a href="{{ preferences_url }}">x</a> {{ browser_url }} {{ unsubscribe_url }}'
    found = tags.check(source, MessageType.GENERAL, field="html", may_decline=False)
    assert [problem.name for problem in found] == ["preferences_url", "unsubscribe_url"]
    assert all(problem.blocking and "cannot be declined" in problem.message for problem in found)
