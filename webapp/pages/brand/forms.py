"""The form of Settings, Brand."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from webapp.core.branding import pictures
from webapp.core.branding.brands import Wanted
from webapp.core.errors import Invalid
from webapp.core.rules.branding import colours
from webapp.core.rules.branding.look import COLOURS, BrandLook, FontStack, Palette
from webapp.core.rules.message import brand_footer

THEMES = ("light", "dark")


class BrandForm(FlaskForm):
    logo = FileField("Logo")
    without_logo = BooleanField("Take the logo away")
    letters = SelectField("Letters", choices=[SelectChoice(one.value, one.label) for one in FontStack])
    light_accent = StringField("Accent")
    light_text = StringField("Text")
    light_background = StringField("Background")
    light_link = StringField("Links")
    dark_accent = StringField("Accent")
    dark_text = StringField("Text")
    dark_background = StringField("Background")
    dark_link = StringField("Links")
    footer = TextAreaField("Footer")

    @classmethod
    def of(cls, look: BrandLook) -> "BrandForm":
        """The form as the brand is."""
        chosen = {f"{theme}_{name}": getattr(getattr(look, theme), name) for theme in THEMES for name in COLOURS}
        return cls(formdata=None, letters=look.letters.value, footer=look.footer, **chosen)

    def wanted(self) -> Wanted:
        """The brand as the form has it. Raises Invalid for a logo that cannot be read."""
        upload = self.logo.data.read(pictures.LARGEST_LOGO + 1) if self.logo.data else None
        light, dark = (Palette(**{name: self[f"{theme}_{name}"].data or "" for name in COLOURS}) for theme in THEMES)
        return Wanted(
            light,
            dark,
            letters=FontStack(self.letters.data),
            footer=(self.footer.data or "").replace("\r\n", "\n"),
            logo=pictures.read_logo(upload) if upload else None,
            without_logo=bool(self.without_logo.data),
        )


def tried(look: BrandLook, given: Mapping[str, str]) -> BrandLook:
    """The look with those of its values that somebody is trying out, as far as they make sense."""
    for theme in THEMES:
        palette: Palette = getattr(look, theme)
        for name in COLOURS:
            with suppress(Invalid):
                chosen = colours.colour(given.get(f"{theme}_{name}", getattr(palette, name)), name)
                palette = replace(palette, **{name: chosen})
        look = replace(look, light=palette) if theme == "light" else replace(look, dark=palette)
    if (letters := given.get("letters")) in set(FontStack):
        look = replace(look, letters=FontStack(letters))
    with suppress(Invalid):
        look = replace(look, footer=brand_footer.checked(given.get("footer", look.footer)))
    return look
