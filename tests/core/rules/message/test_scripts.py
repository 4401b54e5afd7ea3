"""A thousand mails in more than twenty scripts, read back by every parser."""

import random
import unicodedata

import pytest

from tests.core.rules.message.mails import ENVELOPE, stamp
from tests.core.rules.message.readers import READERS, fit_for_the_wire
from tests.core.rules.message.scripts import SCRIPTS
from webapp.core.rules.message import Envelope, MessageParts, compile_message

MAILS = 46
"""For each script of content, with names in all scripts."""


@pytest.mark.parametrize("script", SCRIPTS)
def test_mails_round_trip_in_every_script(script):
    _, _, company, sentence = SCRIPTS[script]
    parts = MessageParts(
        subject=f"{sentence} {{{{ first_name }}}}",
        html=f"<p>{sentence}, {{{{ full_name }}}}!</p><p>{sentence * 5} {{{{ company | default: 'x' }}}}.</p>",
        text=f"{sentence}, {{{{ full_name }}}}!\n\n.{sentence * 5} {{{{ company }}}}\n",
    )
    message = compile_message(parts, Envelope(company, ENVELOPE.from_address))
    chance = random.Random(script)
    for number in range(MAILS):
        first, last, firm, _ = SCRIPTS[chance.choice(list(SCRIPTS))]
        if number % 9 == 0:
            last = (last * 900)[:900].strip()
        if number % 7 == 0:
            first = unicodedata.normalize("NFD", first)
        full = f"{first} {last}"
        mail = message.render(
            [{"full_name": full, "first_name": first, "company": firm}[tag] for tag in message.tags], stamp(number)
        )
        assert fit_for_the_wire(mail)
        for read in READERS:
            found = read(mail)
            assert found.subject == f"{sentence} {first}"
            assert found.from_ == (company, ENVELOPE.from_address)
            assert found.to == (full, "zoe@example.net")
            assert found.text == f"{sentence}, {full}!\n\n.{sentence * 5} {firm}\n"
            assert f"<p>{sentence}, {full}!</p>" in (found.html or "").replace("&amp;", "&")
            assert f"{firm.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}.</p>" in (found.html or "")


def test_there_are_a_thousand_mails_in_at_least_twenty_scripts():
    assert len(SCRIPTS) >= 20 and len(SCRIPTS) * MAILS >= 1000


def test_an_international_domain_is_written_in_ascii():
    message = compile_message(MessageParts("x", "", "x"), Envelope.of("Bücher <post@bücher.example>"))
    mail = message.render([""], stamp(address="kontakt@xn--mller-kva.example"))
    assert b"From: =?utf-8?q?B=C3=BCcher?= <post@xn--bcher-kva.example>\r\n" in mail
    assert b"@xn--bcher-kva.example>\r\n" in mail.partition(b"Message-ID")[2]
    assert b"To: kontakt@xn--mller-kva.example\r\n" in mail
