"""A mail so large that Gmail cuts it."""

from webapp.core.rules.preflight.findings import Finding

GMAIL_CUTS_AT = 102 * 1024
"""Octets of the HTML, as it is before it is encoded for the way. What is behind is shown only to whoever presses "View entire message"."""


def of_mail(octets: int, whom: str, *, is_marketing: bool) -> list[Finding]:
    """What is to be said of a mail with so many octets of HTML, the largest, which goes to `whom`."""
    if octets <= GMAIL_CUTS_AT:
        return []
    lost = "the link to decline it, and with it the sender's address, " if is_marketing else "what stands at its end "
    return [
        Finding(
            f"The mail to {whom} has {octets / 1024:,.0f} KB of HTML. Gmail cuts it at 102 KB.",
            "content",
            "html",
            f"Behind the cut is {lost}which only those see who ask for the whole mail.",
            rule="size.gmail",
            about=(octets // 10_240,),
        )
    ]
