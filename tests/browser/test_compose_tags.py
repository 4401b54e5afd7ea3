"""Fallbacks, conditions and lists of services made from the palette, by keyboard and by mouse."""

from playwright.sync_api import Page, expect

from tests.browser.compose_page import body, cursor_to_end_of_line, expect_source, saved, subject

LIST = """<p>{% if service_count != "0" %}</p>
<p>{% for service in services %}</p>
<ul>
<li>{{ service.product }}, {{ service.domain }}, {{ service.price }}</li>
</ul>
<p>{% endfor %}</p>
<p>{% endif %}</p>"""


def test_a_condition_is_made_in_the_subject_by_keyboard_alone(compose: Page):
    palette, form = (compose.get_by_role("dialog", name=name) for name in ("Insert a tag", "Make a tag"))
    subject(compose).fill("News")
    subject(compose).press("ControlOrMeta+/")
    compose.keyboard.type("is known")
    compose.keyboard.press("Enter")
    expect(palette).to_be_hidden()
    expect(form.get_by_label("Tag", exact=True)).to_be_focused()
    with compose.expect_response("**/tag-sides?tag=company*"):
        form.get_by_label("Tag", exact=True).select_option("company")
    expect(compose.locator("#tag-sides")).to_contain_text("a value for company")
    compose.keyboard.press("Tab")
    compose.keyboard.type(" for {{ company }}")
    compose.keyboard.press("Tab")
    compose.keyboard.type(" & more")
    compose.keyboard.press("Enter")
    expect(form).to_be_hidden()
    expect(subject(compose)).to_have_value("News{% if company %} for {{ company }}{% else %} & more{% endif %}")
    saved(compose)


def test_a_list_of_services_is_made_by_mouse_and_stays_in_the_design(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.keyboard.press("Enter")
    compose.keyboard.press("ControlOrMeta+/")
    palette, form = (compose.get_by_role("dialog", name=name) for name in ("Insert a tag", "Make a tag"))
    palette.get_by_role("option", name="List of services").click()
    form.get_by_label("Price").check()
    form.get_by_role("button", name="Insert").click()
    expect_source(compose, has=LIST)
    expect(body(compose).locator(".tag")).to_have_count(8)
    compose.get_by_role("radio", name="HTML").check()
    compose.get_by_role("radio", name="Design").check()
    expect(body(compose).locator("li .tag:not([data-unknown])")).to_have_count(3)
    expect_source(compose, has=LIST)
