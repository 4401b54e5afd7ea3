"""The style sheets of the blocks as they leave. The first goes inline; the second stays in the head, for phones and for dark mode."""

from collections.abc import Iterator

from webapp.core.rules.blocks.document import TextColour
from webapp.core.rules.branding.look import BrandLook, Palette

_FIXED = {
    TextColour.RED: ("#b3261e", "#ff9d94"),
    TextColour.AMBER: ("#8a5300", "#f2b866"),
    TextColour.GREEN: ("#1a6b36", "#86d9a0"),
    TextColour.BLUE: ("#1f56b0", "#9cc2ff"),
}
"""By light and by dark. Each has a contrast of at least 4.5 to 1 on the ground of a mail that is white or near black."""


def colour(of: TextColour, palette: Palette) -> str:
    """The colour as `#rrggbb`."""
    match of:
        case TextColour.BRAND:
            return palette.link
        case TextColour.MUTED:
            return palette.muted
    return _FIXED[of][palette.is_dark]


def inline(look: BrandLook) -> str:
    """What each block looks like by light, on a screen."""
    light = look.light
    letters = f"font-family:{look.letters.stack}"
    text = f"{letters};line-height:1.5;color:{light.text}"
    small = f"{letters};font-size:13px;line-height:1.6;color:{light.muted}"
    return f"""
.b-table{{width:100%;margin:0 0 20px;border-collapse:collapse}}
.b-th{{padding:8px 12px 8px 0;border-bottom:2px solid {light.line};{text};font-size:14px;font-weight:700;text-align:start}}
.b-td{{padding:9px 12px 9px 0;border-bottom:1px solid {light.line};{text};font-size:15px}}
.b-th:last-child,.b-td:last-child{{padding-right:0}}
.b-columns{{width:100%;margin:0 0 8px}}
.b-beside{{font-size:0;line-height:0}}
.b-column{{display:inline-block;vertical-align:top;width:50%;min-width:230px;max-width:100%}}
.b-of-3{{width:33.33%;min-width:160px}}
.b-in-column{{padding:0 14px 8px 0;{text};font-size:16px;word-break:break-word}}
p.b-social{{margin:12px 0 16px;{text};font-size:14px}}
p.b-small{{margin:12px 0;{small}}}
.b-footer{{width:100%;margin:24px 0 0}}
.b-in-footer{{padding:14px 0 0;border-top:1px solid {light.line};{small}}}
.b-in-footer p{{margin:0 0 8px}}
.b-body .b-in-column h3:first-child{{margin:0 0 8px;font-size:16px;letter-spacing:0;text-transform:none;color:{light.text}}}
.b-body .b-in-footer a,.b-body .b-small a{{color:{light.muted}}}
{"".join(_colours(light))}
""".strip()


def by_program(look: BrandLook) -> str:
    """What phones and dark mode change. `!important`, as what is inline would win."""
    dark = look.dark
    return "".join(
        [
            "@media (max-width:620px){",
            ".b-column{display:block!important;width:100%!important;min-width:0!important}",
            ".b-in-column{padding-right:0!important}",
            "}",
            "@media (prefers-color-scheme:dark){",
            f"td.b-td,th.b-th,td.b-in-column,p.b-social{{color:{dark.text}!important;border-color:{dark.line}!important}}",
            f"p.b-small,td.b-in-footer,.b-in-footer a,.b-small a{{color:{dark.muted}!important;border-color:{dark.line}!important}}",
            f".b-body .b-in-column h3:first-child{{color:{dark.text}!important}}",
            *_colours(dark, "!important"),
            "}",
        ]
    )


def _colours(palette: Palette, weight: str = "") -> Iterator[str]:
    for name in TextColour:
        yield f".b-{name}{{color:{colour(name, palette)}{weight}}}"
