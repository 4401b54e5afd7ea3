"""Pictures in the editor: chosen, dropped, hosted or inside the mail, and asked to be put in words."""

import re
from base64 import b64encode
from io import BytesIO

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.compose_page import body, cursor_to_end_of_line, expect_source, mail, saved


def png(colour: str, width: int = 300) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, 80), colour).save(out, "PNG")
    return out.getvalue()


DROP = """([target, octets]) => {
    const file = new File([Uint8Array.from(atob(octets), (one) => one.charCodeAt(0))], "dropped.png", { type: "image/png" });
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(file);
    const { left, bottom } = target.getBoundingClientRect();
    const at = { bubbles: true, cancelable: true, clientX: left + 5, clientY: bottom - 5, dataTransfer };
    target.dispatchEvent(new DragEvent("drop", at));
}"""


def test_a_picture_is_uploaded_put_in_words_and_travels_inside_the_mail(compose: Page):
    cursor_to_end_of_line(compose, 1)
    compose.get_by_role("button", name="Picture").click()
    form = compose.get_by_role("form", name="Picture")
    form.get_by_label("A picture from this computer").set_input_files(
        {"name": "page.png", "mimeType": "image/png", "buffer": b"<svg/>"}
    )
    expect(form.get_by_role("alert")).to_contain_text("SVG")
    form.get_by_label("A picture from this computer").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": png("red")}
    )
    address = form.get_by_label("Address of the picture")
    expect(address).to_have_value(re.compile(r"^http.*/media/[0-9a-f]{32}\.png$"))
    expect(form.get_by_label("In words")).to_be_focused()
    compose.keyboard.type("Our logo")
    form.get_by_label("Inside the mail").check()
    expect(form).to_contain_text("Adds 1 kB to each mail")
    assert Axe().run(compose).response["violations"] == []
    form.get_by_role("button", name="Set picture").click()
    expect_source(compose, has='<img src="cid:')
    picture = body(compose).get_by_role("img", name="Our logo")
    expect(picture).to_have_js_property("naturalWidth", 300)
    expect(mail(compose).get_by_role("img", name="Our logo")).to_have_js_property("naturalWidth", 300)
    saved(compose)
    picture.click()
    compose.get_by_role("button", name="Picture").click()
    expect(form.get_by_label("Inside the mail")).to_be_checked()
    compose.keyboard.press("Escape")
    target = body(compose).locator("p").last
    target.evaluate("(target, octets) => (" + DROP + ")([target, octets])", b64encode(png("blue")).decode())
    expect(address).to_have_value(re.compile("/media/"))
    form.get_by_label("In words").fill("The sea")
    form.get_by_role("button", name="Set picture").click()
    expect(mail(compose).get_by_role("img", name="The sea")).to_have_js_property("naturalWidth", 300)


def test_files_are_attached_without_leaving_the_page(compose: Page):
    card = compose.locator("#attachments")
    card.get_by_label("Files to attach").set_input_files(
        {"name": "note.txt", "mimeType": "text/plain", "buffer": b"%PDF-1.7"}
    )
    card.get_by_role("button", name="Attach for everybody").click()
    expect(card.get_by_role("alert")).to_contain_text("looks like pdf")
    card.get_by_label("Attach it all the same").check()
    card.get_by_role("button", name="Attach for everybody").click()
    expect(card.get_by_role("link", name="note.txt")).to_be_visible()
    expect(card.get_by_role("alert")).to_have_count(0)
    assert Axe().run(compose).response["violations"] == []
    card.get_by_role("button", name="Take off note.txt").click()
    expect(card.get_by_role("link", name="note.txt")).to_have_count(0)
