"""Whole broadcasts to `smtp-sink`, on SQLite and PostgreSQL, beside `smtp-source` with ten sessions and plain Flask-Mail on one kept
connection. All four send in every round, to the same sink, and a ratio is of one round; see `broadcasting.py` for what a rate has in it.

Flask-Mail sends the same personal mails, one `Message` each, built from text with six replaced marks; `smtp-source` sends constant octets.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from email import message_from_bytes, policy
from pathlib import Path
from statistics import median

import flask_mail
from flask import Flask

from tests.benchmarks import postfix, render
from tests.benchmarks.broadcasting import CONTENT, House, Sent, accounted_by, house
from tests.benchmarks.figure import Figure
from webapp.core.rules.message import compile_message

KINDS = ("SQLite", "PostgreSQL")
ROUNDS, CLIENTS, OF_FLASK_MAIL = 5, 100_000, 500
SHORT_ROUNDS, SHORT_CLIENTS, SHORT_OF_FLASK_MAIL = 1, 1_500, 20
GOALS = {"SQLite": 1.2, "PostgreSQL": 0.9}
AS_FLASK_MAIL, CPU = 30, 45


def run(*, short: bool) -> Iterable[Figure]:
    try:
        programs = postfix.programs()
    except postfix.Missing as missing:
        yield from _missing(str(missing))
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm-")))
        sink = stack.enter_context(programs.receive(folder))
        clients = SHORT_CLIENTS if short else CLIENTS
        houses = {kind: stack.enter_context(house(kind, clients)) for kind in KINDS}
        yield from _figures(programs, sink, houses, short)


def _figures(programs: postfix.Programs, sink: postfix.Sink, houses: dict[str, House], short: bool) -> Iterator[Figure]:
    mails = CLIENTS if not short else SHORT_CLIENTS
    ours: dict[str, list[Sent]] = {kind: [] for kind in KINDS}
    source: list[postfix.Took] = []
    of_flask_mail = []
    flask_mails = FlaskMail(sink.port)
    for _ in range(SHORT_ROUNDS if short else ROUNDS):
        ours["SQLite"].append(accounted_by(sink, houses["SQLite"]))
        source.append(programs.send(sink.port, mails, flask_mails.size))
        ours["PostgreSQL"].append(accounted_by(sink, houses["PostgreSQL"]))
        of_flask_mail.append(flask_mails.rate(SHORT_OF_FLASK_MAIL if short else OF_FLASK_MAIL))
    of_source = [took.rate for took in source]
    for kind in KINDS:
        rates = [sent.rate for sent in ours[kind]]
        ratios = [rate / other for rate, other in zip(rates, of_source, strict=True)]
        yield Figure.of(_beside_source(kind), ratios, "x", GOALS[kind], bound="at least")
        ratios = [rate / other for rate, other in zip(rates, of_flask_mail, strict=True)]
        yield Figure.of(_beside_flask_mail(kind), ratios, "x", AS_FLASK_MAIL, bound="at least")
        used = [sent.microseconds for sent in ours[kind]]
        yield Figure.of(_cpu(kind), used, "µs CPU/mail", CPU, bound="at most")
        beside = median(mine / took.microseconds for mine, took in zip(used, source, strict=True))
        print(
            f"  {kind}: {_words(rates)} mails/s of {ours[kind][-1].mails}; µs CPU/mail by thread: {ours[kind][-1].where()};"
            f" {beside:.2f} x what smtp-source takes"
        )
        print(f"  {kind}: all together: {ours[kind][-1].together()}")
    cpu, kernel = median(took.microseconds for took in source), median(took.of_kernel for took in source)
    print(
        f"  smtp-source: {_words(of_source)} mails/s of {mails}; {cpu:.0f} µs CPU/mail, {kernel:.0f} of them in the kernel"
    )
    print(f"  Flask-Mail: {_words(of_flask_mail)} mails/s", flush=True)


def _missing(why: str) -> Iterator[Figure]:
    for kind in KINDS:
        yield Figure.missing(_beside_source(kind), "x", GOALS[kind], why, bound="at least")
        yield Figure.missing(_beside_flask_mail(kind), "x", AS_FLASK_MAIL, why, bound="at least")
        yield Figure.missing(_cpu(kind), "µs CPU/mail", CPU, why, bound="at most")


def _beside_source(kind: str) -> str:
    return f"whole broadcasts, {kind}: beside smtp-source, 10 sessions"


def _beside_flask_mail(kind: str) -> str:
    return f"whole broadcasts, {kind}: beside Flask-Mail"


def _cpu(kind: str) -> str:
    return f"whole broadcasts, {kind}: the sending process"


def _words(rates: list[float]) -> str:
    return " ".join(f"{rate:,.0f}" for rate in rates)


class FlaskMail:
    """Plain Flask-Mail, and the content of the broadcasts as it takes it. `size` is that of a mail."""

    def __init__(self, port: int) -> None:
        self._app = Flask(__name__)
        self._app.config |= {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_DEFAULT_SENDER": "news@example.com"}
        self._mail = flask_mail.Mail(self._app)
        message = compile_message(CONTENT, render.ENVELOPE)
        self._tags = message.tags
        self.size = len(message.render([render.COMMON[tag] for tag in self._tags], render.stamp(1)))
        whole = message_from_bytes(
            message.render([f"TAG{tag}TAG" for tag in self._tags], render.stamp(1)), policy=policy.default
        )
        self._subject = str(whole["Subject"])
        self._text, self._html = (part.get_content() for part in whole.iter_parts())

    def rate(self, mails: int) -> float:
        """Mails a second over one connection."""
        with self._app.app_context(), self._mail.connect() as connection:
            began = time.perf_counter()
            for number in range(mails):
                connection.send(self._message(number))
            return mails / (time.perf_counter() - began)

    def _message(self, number: int) -> flask_mail.Message:
        texts = [self._subject, self._text, self._html]
        for tag in self._tags:
            value = f"{render.COMMON[tag]}{number}"
            texts = [text.replace(f"TAG{tag}TAG", value) for text in texts]
        subject, text, html = texts
        return flask_mail.Message(subject, recipients=[f"client{number}@example.com"], body=text, html=html)
