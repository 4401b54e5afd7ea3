"""The style sheets of a brand. The first goes inline; the second stays in the head, for phones and for dark mode.

All that is of the frame has a class that begins with `b-`, so that no class of whoever writes meets it.
"""

from webapp.core.rules.branding.look import BrandLook, Palette

WIDTH, BESIDE = 600, 40
"""Pixels of the sheet, and of the space on each side of what is written."""


def inline(look: BrandLook) -> str:
    """What each element looks like by light, on a screen."""
    light = look.light
    letters = f"font-family:{look.letters.stack}"
    return f"""
body{{margin:0;padding:0;width:100%;background-color:{light.around};-webkit-text-size-adjust:100%;-ms-text-size-adjust:100%}}
.b-around{{width:100%;background-color:{light.around}}}
.b-outer{{padding:32px 12px 40px}}
.b-sheet{{width:100%;max-width:{WIDTH}px;border-collapse:separate;border:1px solid {light.line};border-radius:12px;
background-color:{light.background}}}
.b-line{{height:5px;font-size:0;line-height:0;background-color:{light.accent};border-radius:11px 11px 0 0}}
.b-head{{padding:30px {BESIDE}px 0;{letters};font-size:18px;line-height:1.3;font-weight:700;color:{light.text}}}
.b-logo{{display:block;border:0;max-width:100%;height:auto;{letters};font-size:20px;line-height:1.3;font-weight:700;color:{light.text}}}
.b-body{{padding:26px {BESIDE}px 34px;{letters};font-size:16px;line-height:1.6;color:{light.text};word-break:break-word}}
.b-body p{{margin:0 0 16px}}
.b-body h1{{margin:0 0 16px;font-size:28px;line-height:1.25;font-weight:700;letter-spacing:-.01em;color:{light.text}}}
.b-body h2{{margin:28px 0 10px;font-size:20px;line-height:1.35;font-weight:700;color:{light.text}}}
.b-body h3{{margin:22px 0 6px;font-size:16px;line-height:1.4;font-weight:700;color:{light.text}}}
.b-body h3:first-child{{margin:0 0 8px;font-size:13px;letter-spacing:.05em;text-transform:uppercase;color:{light.link}}}
.b-body h2:first-child{{margin-top:0}}
.b-body ul,.b-body ol{{margin:0 0 16px;padding:0 0 0 24px}}
.b-body li{{margin:0 0 6px}}
.b-body a{{color:{light.link};text-decoration:underline}}
.b-body img{{max-width:100%;height:auto;border:0;border-radius:8px}}
.b-body .fill{{background-color:#fff1b8;color:#4d3800}}
.b-body hr{{height:1px;margin:28px 0;border:0;background-color:{light.line}}}
{panels_and_buttons(look)}
.b-below{{width:100%;max-width:{WIDTH}px}}
.b-foot{{padding:22px {BESIDE}px 0;{letters};font-size:13px;line-height:1.6;color:{light.muted}}}
.b-foot p{{margin:0 0 10px}}
.b-foot a{{color:{light.muted};text-decoration:underline}}
""".strip()


def panels_and_buttons(look: BrandLook) -> str:
    """Quotations and buttons, which also stand in mails without a brand."""
    light = look.light
    letters = f"font-family:{look.letters.stack}"
    return f"""
.b-panel{{width:100%;margin:4px 0 20px;border-collapse:separate;background-color:{light.panel};border-radius:0 8px 8px 0}}
.b-in-panel{{padding:18px 22px 4px;border-left:4px solid {light.accent};border-radius:2px;
{letters};font-size:16px;line-height:1.6;color:{light.text}}}
.b-in-panel p{{margin:0 0 14px}}
.b-button{{margin:8px 0 24px;border-collapse:separate}}
.b-press{{border-radius:8px;background-color:{light.accent}}}
.b-press a.b-word{{display:inline-block;padding:12px 26px;border-radius:8px;background-color:{light.accent};
{letters};font-size:16px;line-height:22px;font-weight:700;color:{light.on_accent};text-decoration:none}}
""".strip()


def by_program(look: BrandLook) -> str:
    """What phones and dark mode change. `!important`, as what is inline would win."""
    rules = [
        "@media (max-width:620px){",
        ".b-outer{padding:0 0 28px!important}",
        ".b-sheet{border-left:0!important;border-right:0!important;border-radius:0!important}",
        ".b-line{border-radius:0!important}",
        ".b-head,.b-body,.b-foot{padding-left:24px!important;padding-right:24px!important}",
        ".b-body h1{font-size:25px!important}",
        "}",
        "@media (prefers-color-scheme:dark){",
        *_colours(look.dark),
    ]
    if look.logo and look.logo.is_dark:
        rules.append(
            ".b-logo{background-color:#ffffff!important;padding:8px 10px!important;border-radius:6px!important}"
        )
    return "".join([*rules, "}"])


def _colours(dark: Palette) -> list[str]:
    def set_to(selector: str, *, ground: str = "", text: str = "", line: str = "") -> str:
        parts = [("background-color", ground), ("color", text), ("border-color", line)]
        return f"{selector}{{{';'.join(f'{name}:{value}!important' for name, value in parts if value)}}}"

    return [
        set_to("body,.b-around", ground=dark.around),
        set_to(".b-sheet", ground=dark.background, line=dark.line),
        set_to(".b-line", ground=dark.accent),
        set_to(
            ".b-head,.b-logo,.b-body,.b-in-panel,.b-body h1,.b-body h2,.b-body h3,.b-body td,.b-body th", text=dark.text
        ),
        set_to(".b-body a,.b-body h3:first-child", text=dark.link),
        set_to(".b-body hr", ground=dark.line),
        set_to(".b-body .fill", ground="#fff1b8", text="#4d3800"),
        set_to(".b-panel", ground=dark.panel),
        set_to(".b-in-panel", line=dark.accent),
        set_to(".b-press,.b-body a.b-word", ground=dark.accent),
        set_to(".b-body a.b-word", text=dark.on_accent),
        set_to(".b-foot,.b-foot a", text=dark.muted),
    ]
