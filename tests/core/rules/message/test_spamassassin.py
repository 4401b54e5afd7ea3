"""Mails as SpamAssassin sees them: whatever people write, nothing about how the mail is made counts against it."""

import json
import re
import subprocess
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.core.rules.message.test_designs import DESIGNS
from tests.journeys.test_tour import HTML as TOUR
from webapp.core.designs import ALONG
from webapp.core.rules.branding.look import BrandLook, Logo
from webapp.core.rules.dkim import Algorithm, MailSigner, SigningKey, opened
from webapp.core.rules.dkim.keys import made
from webapp.core.rules.message import Envelope, Frame, MailIdentity, MessageParts, compile_message

PROGRAM = Path(__file__).parent / "programs" / "spamassassin.pl"
NOW = datetime.now(UTC).replace(microsecond=0)

OF_THE_MAKING = re.compile(
    r"_*(MIME|MISSING|HEADER|HEAD|INVALID|HTML_MIME|TO_MALFORMED|FORGED|BASE64|FROM_|SUBJ_ILLEGAL|DATE_|MSGID)"
)
"""Rules about how a mail is made, and not about what it says."""

BASE, OWN = (
    "https://mail.example.com",
    {"business_name": "Example Hosting", "postal_address": "1 High Street, 12345 Exampletown"},
)
MARKETING = Frame(BASE, is_marketing=True, list_name="topic-1", broadcast_id=17, **OWN)
IMPORTANT = Frame(BASE, is_important=True, list_name="important", broadcast_id=18, **OWN)
WRITTEN = {
    "tour": MessageParts("Maintenance of {{ service_domain }} on 28 November", TOUR),
    "text alone": MessageParts(
        "Maintenance of {{ service_domain }}", "", "Dear {{ first_name }},\n\non 28 November …\n"
    ),
    "other letters": MessageParts(
        "Wartung für {{ first_name }}: Müller & Söhne", TOUR.replace("Hello", "Grüße, вопросы,")
    ),
    "base64": MessageParts(
        "Новости для {{ first_name }}", "<p>Здравствуйте, {{ first_name }}! Цена остаётся прежней.</p>"
    ),
}
TEXTS = WRITTEN | {path.stem: MessageParts("News for {{ first_name }}", path.read_text()) for path in DESIGNS}
LOOK = BrandLook(logo=Logo("picture/a.png", 120, 40), footer="[Status](https://status.example.com)").by(*OWN.values())
MESSAGES_ALONG = {
    key: MessageParts(one["subject"], (ALONG / f"{key}.html").read_text("utf-8"), preheader=one["preheader"])
    for key, one in tomllib.loads((ALONG / "along.toml").read_text("utf-8")).items()
    if one["kind"] == "message"
}
"""The messages that come along, in a brand."""

VALUES = {"full_name": "Zoë Hall", "first_name": "Zoë", "service_domain": "shop.example.net"}


def signer() -> MailSigner:
    keys = [SigningKey("example.com", f"mm-{one.kind}", one, opened(made(one)[0])) for one in Algorithm]
    return MailSigner(keys)


def mails(by: MailSigner) -> dict[str, bytes]:
    found = {}
    for name, parts in (TEXTS | MESSAGES_ALONG).items():
        kinds = {"marketing": MARKETING} | ({"important": IMPORTANT} if name in WRITTEN else {})
        if name in MESSAGES_ALONG:
            kinds = {
                kind: replace(frame, brand=LOOK) for kind, frame in (("marketing", MARKETING), ("important", IMPORTANT))
            }
        for kind, frame in kinds.items():
            message = compile_message(
                parts, Envelope.of("Example Hosting <news@example.com>", "help@example.com"), frame
            )
            values = [VALUES.get(tag, "Example") for tag in message.tags]
            data = message.render(values, MailIdentity(7, "secret", "zoe@example.net", NOW, "t" * 44, "b" * 44))
            found[f"{name}, {kind}"] = by.fields(data, NOW) + data
    return found


def test_nothing_about_how_a_mail_is_made_counts_against_it(tmp_path: Path):
    asked = subprocess.run(["perl", "-MMail::SpamAssassin", "-MJSON::PP", "-e1"], capture_output=True)
    if asked.returncode:
        pytest.skip("needs SpamAssassin (apt-get install --no-install-recommends spamassassin)")
    found = mails(signer())
    broken = b"Subject: =?utf-8?Q?x\r\nContent-Type: text/html\r\n\r\n<html><p>Buy"
    paths = []
    for number, data in enumerate([broken, *found.values()]):
        paths.append(tmp_path / f"{number}.eml")
        paths[-1].write_bytes(data)
    done = subprocess.run(
        ["perl", str(PROGRAM)], input="".join(f"{path}\n" for path in paths), capture_output=True, text=True
    )
    met = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(met) == len(paths), done.stderr[-2000:]
    assert any(OF_THE_MAKING.match(rule) for rule in met[0]), "a mail that is made badly is found"
    faults = {
        name: {rule: points for rule, points in rules.items() if OF_THE_MAKING.match(rule)}
        for name, rules in zip(found, met[1:], strict=True)
    }
    assert {name: rules for name, rules in faults.items() if rules} == {}
    assert max(sum(rules.values()) for rules in met[1:]) < 3, "and far from the 5 points of spam"
