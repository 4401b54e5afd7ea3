"""The HTML of the mails that come along, and of blocks, is valid, as html-validate judges it. It runs in Node, which only this needs."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.core.rules.blocks.documents import document
from tests.core.rules.message.test_brand_frame import LOOK
from tests.core.rules.message.test_spamassassin import BASE, MARKETING, MESSAGES_ALONG
from tests.factories import NOW
from webapp.core.rules.blocks.writing import write
from webapp.core.rules.message import Envelope, Frame, MailIdentity, MessageParts, compile_message, decoded

HERE = Path(__file__).parents[3] / ".ci" / "html"
PROGRAM = HERE / "node_modules" / ".bin" / "html-validate"
CONDITIONS = re.compile(r"\{%[^%]*%\}")
"""Which documents by chance open and do not close."""
SAID = {"wcag/h30", "empty-heading"}
"""What a document by chance says, and not how it is written: links of a picture without words, headings of nothing."""
BROKEN = '<!doctype html><html lang="en"><head><title>x</title></head><body><p>a<div>b</p></div></body></html>'


@pytest.mark.skipif(
    not (shutil.which("node") and PROGRAM.exists()),
    reason="needs html-validate (apt-get install npm, npm ci --prefix .ci/html)",
)
def test_the_mails_are_valid_in_a_brand_and_without_one(tmp_path: Path):
    bodies = {key: parts.html for key, parts in MESSAGES_ALONG.items()}
    bodies |= {f"blocks-{number}": CONDITIONS.sub("", write(document(number))) for number in range(40)}
    (tmp_path / "broken.html").write_text(BROKEN)
    for name, body in bodies.items():
        for kind, frame in (("brand", replace(MARKETING, brand=LOOK)), ("plain", Frame(BASE))):
            parts = MessageParts("News", body, language="en", preheader="What is new")
            message = compile_message(parts, Envelope.of("Example Hosting <news@example.com>"), frame)
            mail = message.render(["Example"] * len(message.tags), MailIdentity(1, "s", "zoe@example.net", NOW))
            (tmp_path / f"{name}-{kind}.html").write_text(decoded(mail).html or "")
    command = [str(PROGRAM), "--config", str(HERE / ".htmlvalidate.json"), "--formatter", "json", str(tmp_path)]
    judged = tmp_path / "judged.json"  # a pipe would be cut at the program's end
    with judged.open("w") as out:
        subprocess.run(command, stdout=out, check=False)
    said = {
        Path(one["filePath"]).stem: [rule["ruleId"] for rule in one["messages"]]
        for one in json.loads(judged.read_text())
    }
    assert said.pop("broken"), "what is not valid is found"
    faults = {
        name: [rule for rule in rules if "blocks" not in name or rule not in SAID] for name, rules in said.items()
    }
    assert {name: rules for name, rules in faults.items() if rules} == {}
