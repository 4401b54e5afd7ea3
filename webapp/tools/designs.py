"""The templates that come along and have columns: their HTML, made from MJML by mrml.

Done when they are written, and not when a mail is: what is sent was looked at, and no mail depends on a renderer. Run
`python -m webapp.tools.designs` after an `.mjml` was changed; a test says when that was forgotten.
"""

import re
from pathlib import Path

import mrml

ALONG = Path(__file__).parents[1] / "core" / "designs" / "along"

_COLUMNS = re.compile(r"@media only screen and \(min-width:480px\) \{.*?\}\s*\}", re.DOTALL)
_BODY = re.compile(r"<body[^>]*><div[^>]*>(.*)</div></body>", re.DOTALL)
_LETTERS = re.compile(r"font-family:[^;\"]*;font-size:13px;line-height:1;text-align:left;color:#000000;")
_SHEET = re.compile(r"margin:0px auto;max-width:\d+px;")
"""A section is as wide as the brand's sheet leaves room for."""
_NARROW = (
    "@media (max-width:479px) { .mj-outlook-group-fix td { padding-left:0 !important; padding-right:0 !important; } }"
)
"""What stands below each other on a phone begins at the same edge."""


def html_of(mjml: str) -> str:
    """The body of the mail, with the rules that put its columns beside each other where there is room. Letters and colours are left to
    the brand; `lang` and the rest of the document to whoever makes the mail."""
    made = mrml.to_html(mjml).content
    columns, body = _COLUMNS.search(made), _BODY.search(made)
    if body is None:
        raise ValueError("mrml made no body")
    rules = f"{columns[0] if columns else ''} {_NARROW}"
    letters = "font-size:16px;line-height:1.6;text-align:left;"
    text = _LETTERS.sub(letters, _SHEET.sub("margin:0;", body[1])).replace(
        "<![endif]--><!--[if", "<![endif]-->\n<!--[if"
    )
    return f"<style>{rules}</style>\n{text}\n"


def main() -> None:
    """Write the HTML beside each MJML."""
    for path in sorted(ALONG.glob("*.mjml")):
        path.with_suffix(".html").write_text(html_of(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
