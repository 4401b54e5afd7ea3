"""A thousand mails in more than twenty scripts, from a file of clients to the relay: four parsers agree with what was meant.

The parsers share no line of code: Python's, fast-mail-parser (Rust), Email::MIME (Perl) and GMime (C). The octets are looked at, too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from tests import comparison, oracle_log
from tests.core.imports.steps import imported, numbers
from tests.core.rules.message.foreign import FOREIGN
from tests.core.rules.message.readers import Read, by_present_python, by_rust, fit_for_the_wire
from tests.faults import places
from tests.faults.result import Result
from tests.faults.twenty_scripts import CASES, Letter, Meant, Paragraphs, letters, meant, people, write
from tests.oracle_log import Taken
from tests.scenes import Scene
from tests.smtp_oracle import Script
from webapp.core.rules.lifecycle import BroadcastState, DeliveryState

MAILS, FEW_MAILS = 46, 3
"""For each script, on each database."""
MOST_NOTES = 12

IN_PYTHON: dict[str, Callable[[bytes], Read]] = {"Python": by_present_python, "fast-mail-parser": by_rust}


def run(*, short: bool, seed: int) -> Result:
    result = Result("parsers")
    for missing in filter(None, (program.missing() for program in FOREIGN)):
        result.broken(missing)
    if result.notes:
        return result
    for kind in places.KINDS:
        with places.scene(kind) as scene:
            _run(scene, kind, FEW_MAILS if short else MAILS, seed, result)
    return result


def _run(scene: Scene, kind: str, count: int, seed: int, result: Result) -> None:
    everybody = people(count, seed)
    path = scene.folder / "clients.csv"
    write(path, everybody, apart=True)
    came = numbers(imported(scene.session, path))
    if came != {"new": len(everybody)}:
        result.broken(f"{kind}: of {len(everybody)} clients the import says {came}")
    folder = scene.folder / "mails"
    folder.mkdir()
    sent = _send(scene, folder)
    said: dict[str, Meant] = {}
    lost = twice = 0
    for letter, broadcast_id in sent:
        mine = [person for person in everybody if person.country == letter.country]
        said |= {_key(letter.sender[1], one.to[1]): one for one in (meant(letter, person) for person in mine)}
        found = comparison.compare(scene.session, broadcast_id, scene.log)
        lost += found.lost + sum(number for state, number in found.states.items() if state != DeliveryState.ACCEPTED)
        twice += found.twice
        for words in found.wrong[:MOST_NOTES]:
            result.broken(f"{kind}, {letter.case}: {words}")
    mails = oracle_log.kept(scene.log)
    wrong = _disagreements(mails, folder, said)
    for words in list(wrong.values())[:MOST_NOTES]:
        result.broken(f"{kind}: {words}")
    for event in oracle_log.events(scene.log, "protocol"):
        result.broken(f"{kind}: the server did not understand {event}")
    international = sum("SMTPUTF8" in mail.parameters for mail in mails)
    result.add(kind, mails=len(everybody), lost=lost + len(wrong), duplicates=twice)
    result.notes.append(
        f"{kind}: {len(mails):,} mails in {len(CASES)} scripts read by 4 parsers, {international} of them SMTPUTF8"
    )


def _send(scene: Scene, folder: Path) -> list[tuple[Letter, int]]:
    """Each letter as a broadcast to its country, sent by a worker."""
    with scene.relay(Script(smtputf8="always", folder=str(folder))) as port, scene.worker(port):
        sent = [(letter, _broadcast(scene, letter)) for letter in letters()]
        for _, broadcast_id in sent:
            scene.wake(broadcast_id)
        for _, broadcast_id in sent:
            scene.wait_for_state(broadcast_id, BroadcastState.FINISHED, 240)
    return sent


def _broadcast(scene: Scene, letter: Letter) -> int:
    name, address = letter.sender
    return scene.broadcast(
        0,
        from_address=f"{name} <{address}>",
        audience_filter={"countries": [letter.country]},
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
    )


def _disagreements(mails: Sequence[Taken], folder: Path, said: dict[str, Meant]) -> dict[str, str]:
    """Mails that are not what was meant, each with what is wrong in words."""
    paths = [folder / mail.sha256 for mail in mails]
    contents = [path.read_bytes() for path in paths]
    readings = {name: [read(content) for content in contents] for name, read in IN_PYTHON.items()}
    readings |= {program.name: program.read(paths) for program in FOREIGN}
    wrong: dict[str, str] = {}
    for place, mail in enumerate(mails):
        key = _key(mail.mail_from, mail.recipient)
        one = said.get(key)
        if one is None:
            wrong[key] = f"{key}: nobody was meant to get this"
            continue
        found = [_on_the_wire(mail, contents[place])]
        found += [_differs(name, one, read[place], readings["Python"][place]) for name, read in readings.items()]
        for words in filter(None, found):
            wrong.setdefault(key, f"{key}: {words}")
    return wrong


def _key(sender: str, recipient: str) -> str:
    return f"{sender} to {recipient}"


def _on_the_wire(mail: Taken, content: bytes) -> str | None:
    is_international = not mail.recipient.isascii()
    if mail.parameters != ("BODY=8BITMIME SMTPUTF8" if is_international else ""):
        return f"declared as {mail.parameters!r}"
    try:
        fit_for_the_wire(content, international=is_international)
    except AssertionError as error:
        return f"not as mails must be: {error!r:.300}"
    return None


def _differs(name: str, one: Meant, read: Read, first: Read) -> str | None:
    """Where a parser's reading is not what was meant, or its HTML not that of the first parser."""
    pairs = {
        "Subject": (read.subject, one.subject),
        "From": (read.from_, one.from_),
        "To": (read.to, one.to),
        "text": (read.text, one.text),
        "HTML": (Paragraphs(read.html or "").found, one.html),
        "HTML source": (read.html, first.html),
    }
    for what, (there, wanted) in pairs.items():
        if there != wanted:
            return f"{name} reads as {what} {there!a:.300} and not {wanted!a:.300}"
    return None
