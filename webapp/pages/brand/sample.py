"""The mail that shows a brand: something of each kind that is written in one."""

from datetime import UTC, datetime

from webapp.core.rules.branding.look import BrandLook
from webapp.core.rules.message import Envelope, Frame, MailIdentity, MessageParts, compile_message, preview

_HTML = """<h3>Planned maintenance</h3>
<h1>Your server moves to faster disks</h1>
<p>Hello Zoë,</p>
<p>on <b>Thursday, 3 December</b> we move <a href="https://example.com/status">shop.example.net</a> to new disks. Pages load
faster afterwards; you need not do anything.</p>
<blockquote><p><b>When</b><br>22:00 to 23:30, Berlin time</p><p><b>What you notice</b><br>Two interruptions of some five minutes</p>
</blockquote>
<p class="button"><a href="https://example.com/status">Follow it live</a></p>
<h2>What you can do before</h2>
<ul><li>Finish uploads before 22:00.</li><li>Make a copy of what you are working on.</li></ul>
<hr>
<p>Questions? Just answer this mail.</p>"""


def mail(look: BrandLook, base: str, theme: str) -> str:
    """The HTML of the sample in `look`, to be shown by light or by dark (`theme`)."""
    parts = MessageParts("Planned maintenance", _HTML, "")
    message = compile_message(parts, Envelope("", "sample@example.com"), Frame(base, is_marketing=True, brand=look))
    identity = MailIdentity(0, "", "sample@example.com", datetime(2026, 12, 1, tzinfo=UTC))
    values = [{"unsubscribe_words": "Unsubscribe"}.get(name, "") for name in message.tags]
    html = preview(message, values, identity).html or ""
    return html.replace("<head>", f'<head><meta name="color-scheme" content="{theme}">', 1)
