"""The relays there are, and the table of what became of each."""

import traceback

from tests.relays import exim, haraka, opensmtpd, postfix
from tests.relays.play import Played, play
from tests.relays.relay import Real

RELAYS = (
    Real("postfix", "Postfix as it comes", postfix.plain),
    Real(
        "postfix-limits",
        "Postfix, 5 connections and a message rate for each client",
        postfix.limited,
        learns=r"[45] connections, \d+ a minute",
        patience_s=900,
    ),
    Real("postfix-postscreen", "Postfix behind postscreen, with the tests after the greeting", postfix.postscreen),
    Real("postfix-submission", "Postfix, STARTTLS of a private authority, sign-in by Dovecot", postfix.submission),
    Real("opensmtpd", "OpenSMTPD as it comes", opensmtpd.running, learns=r"100? mails each"),
    Real("haraka", "Haraka as it comes", haraka.running, learns="nothing behind the dot"),
    Real(
        "exim",
        "Exim as it comes: beyond 10 on a connection mails wait for its queue runner",
        exim.running,
        learns=r"no limit|\d+ connections",
    ),
)
"""Exim takes 20 connections of all, which is what two workers hold: whether that is met is chance."""

HEAD = f"{'relay':<20}{'mails':>7}{'fast s':>8}{'paced s':>9}{'lost':>6}{'twice':>7}{'other':>7}{'fullest':>9}{'clicks':>8}  "


def play_one(name: str, short: bool) -> Played:
    """Play the relay of this name, and print its lines."""
    number, real = next((number, real) for number, real in enumerate(RELAYS) if real.name == name)
    try:
        played = play(real, number, short=short)
    except Exception as error:  # one relay must not hide the others
        traceback.print_exc()
        played = Played(name, "", wrong=[f"{type(error).__name__}: {error!s:.1500}"])
    _tell(real, played)
    return played


def _tell(real: Real, played: Played) -> None:
    if played.missing:
        print(f"{real.name:<20}  left out: {played.missing}", flush=True)
        return
    lines = [
        f"{real.name:<20}{played.mails:>7,}{played.fast_s:>8.1f}{played.paced_s:>9.1f}{played.lost:>6}{played.twice:>7}"
        f"{played.differing:>7}{played.fullest:>9}{played.clicks:>8}  {'NOT MET' if played.wrong else 'met'}",
        f"    {real.words}; {played.version}; {played.kind}; learned: {played.learned}",
        *(f"    {count} x {said}" for said, count in played.refusals.items()),
        *(f"    NOT MET: {words}" for words in played.wrong),
        *(f"    the relay said: {line}" for line in played.log.splitlines()),
    ]
    print("\n".join(lines), flush=True)
