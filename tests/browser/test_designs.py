"""The brand and the templates as people see them: each mail in each look, and the pages from a gallery to a mail that is filled in."""

import tomllib
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from tests import factories
from tests.consoles import Console
from tests.looks import Looker
from webapp.core.consent import settings
from webapp.core.designs import ALONG
from webapp.core.designs.library import DesignText
from webapp.core.rules.branding.look import BrandLook, Logo
from webapp.core.settings import from_addresses
from webapp.pages.designs import shown


def test_each_template_holds_at_every_width_by_light_in_the_dark_and_without_pictures(page: Page, pictures: Path):
    """Nothing is wider than the window, and no word is paler on its ground than WCAG allows."""
    look = BrandLook(
        logo=Logo("picture/logo.png", 150, 40),
        footer="[Status](https://status.example.com) · [Help](https://example.com/help)",
    ).by("Example Hosting", "1 High Street\n12345 Exampletown")
    found = tomllib.loads((ALONG / "along.toml").read_text("utf-8"))
    drawn = drawn_logo()
    page.route("**/picture/logo.png", lambda route: route.fulfill(body=drawn, content_type="image/png"))
    page.route("**/picture/gone.png", lambda route: route.abort())
    for key, one in found.items():
        said = DesignText(one["subject"], one["preheader"], (ALONG / f"{key}.html").read_text("utf-8"))
        html = shown.html_of(said, look, "https://mail.example.com")
        page.set_content(html)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            for width in (390, 600, 320):
                page.set_viewport_size({"width": width, "height": 700})
                wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert wider <= 0, f"{key} {theme} {width}: {wider} pixels too wide"
                assert page.evaluate(PALE) == [], f"{key} {theme} {width}"
                if width != 320:
                    page.screenshot(path=pictures / f"{key}-{theme}-{width}.png", full_page=True)
        page.emulate_media(color_scheme="light")
        page.set_content(html.replace("/logo.png", "/gone.png"))
        expect(page.get_by_role("img", name="Example Hosting")).to_be_visible()
        for width in (390, 600):
            page.set_viewport_size({"width": width, "height": 700})
            page.screenshot(path=pictures / f"{key}-without-pictures-{width}.png", full_page=True)


def drawn_logo() -> bytes:
    """A disc and a bar, twice as large as a mail shows them."""
    picture = Image.new("RGBA", (300, 80), (0, 0, 0, 0))
    drawing = ImageDraw.Draw(picture)
    drawing.ellipse((2, 2, 78, 78), fill=(46, 116, 210, 255))
    drawing.rounded_rectangle((100, 26, 298, 54), 14, fill=(110, 130, 160, 255))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


PALE = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.tagName === "STYLE" || !element.offsetParent) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort();
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(1)}: ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return found;
}"""
"""The words of a page whose contrast is below 4.5, as the browser draws them."""


def logo() -> bytes:
    """A mark and a name on nothing, as businesses have it."""
    picture = Image.new("RGBA", (880, 200), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((10, 20, 169, 179), 40, fill=(11, 58, 117, 255))
    for top in (62, 92, 122):
        draw.rounded_rectangle((45, top, 134, top + 17), 8, fill=(255, 255, 255, 255))
    draw.text((205, 48), "Example Hosting", fill=(11, 58, 117, 255), font=ImageFont.load_default(84))
    out = BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def test_from_a_brand_and_a_template_to_a_mail_that_is_filled_in(
    console: Console, console_page: Page, sqlite_session: Session, looker: Looker
):
    from_addresses.add(sqlite_session, "Example Hosting", "support@example.com")
    known = settings.read(sqlite_session)
    settings.save(
        sqlite_session,
        type(known)(
            **vars(known) | {"business_name": "Example Hosting", "postal_address": "1 High Street\n12345 Exampletown"}
        ),
    )
    factories.client(sqlite_session)
    broadcast = factories.broadcast(sqlite_session, subject="", html="", in_brand=True)
    sqlite_session.commit()
    console.app.config["PUBLIC_URL"] = console.url
    page = console_page
    page.goto(f"{console.url}/settings/brand/")
    page.get_by_label("Logo").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": logo()})
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. New mass mails stand in it")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.locator("#light_link").fill("#99bbff")
    expect(page.get_by_text("Links on the background: 1.9 to 1")).to_be_visible()
    page.locator("#light_link").fill("#0b57b8")
    expect(page.get_by_text("Links on the background: 1.9 to 1")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    looker.look("brand", whole=True)
    page.goto(f"{console.url}/templates/?for={broadcast.id}")
    page.wait_for_load_state("networkidle")
    looker.look("templates")
    page.get_by_role("button", name="Use it: Incident").click()
    page.get_by_label("What does not work").fill("Websites on web12 cannot be reached")
    looker.look("template-parts")
    page.get_by_role("button", name="Fill in").click()
    expect(page.locator("#origin")).to_contain_text("parts of the template still open")
    expect(page.locator("mail-editor[ready] mark.fill").first).to_be_visible()
    looker.look("template-in-draft")
    page.locator("mail-editor mark.fill").first.click()
    page.keyboard.type("10:05 CET")
    expect(page.locator("mail-editor mark.fill", has_text="time with the time zone")).to_have_count(0)
    expect(page.get_by_text("10:05 CET").first).to_be_visible()
    page.goto(f"{console.url}/templates/4")
    page.wait_for_load_state("networkidle")
    looker.look("template")
