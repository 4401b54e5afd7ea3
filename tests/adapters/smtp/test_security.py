"""TLS and sign-in: verified always, and no password in the clear."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import oracle_log
from tests.certificates import Authority
from tests.exchange import RecordingExchange, mail
from tests.smtp_oracle import Fault, Oracle, Script
from webapp.adapters.smtp import SmtpMailer
from webapp.adapters.smtp.opening import Ended, ehlo_name, opening
from webapp.config import RelaySettings
from webapp.core.ports import Cause, Mail, Reply, Stage
from webapp.core.rules.outcome import judge


def run(oracle: Oracle, mails: list[Mail] | None = None, **values: object) -> RecordingExchange:
    relay = RelaySettings(**{"host": "127.0.0.1", "port": oracle.port, "connections": 2, **values})  # type: ignore[arg-type]
    with RecordingExchange(mails or [mail(number) for number in range(5)], troubles_borne=1) as exchange:
        mailer = SmtpMailer(relay)
        mailer.run(exchange)
        mailer.close()
    return exchange


def all_accepted(exchange: RecordingExchange) -> bool:
    return exchange.troubles == [] and all(replies[0].code == 250 for replies in exchange.replies.values())


@pytest.fixture
def encryption(request: pytest.FixtureRequest) -> dict[str, bool]:
    """The setting that asks for TLS as the script of the same name offers it."""
    return {"starttls": {"starttls": True}, "implicit": {"implicit_tls": True}}[request.param]


@pytest.mark.parametrize(
    ("tls", "encryption"), [("starttls", "starttls"), ("implicit", "implicit")], indirect=["encryption"]
)
class TestTls:
    def test_mails_travel_encrypted(
        self, oracle_file: Path, authority: Authority, tls: str, encryption: dict[str, bool]
    ) -> None:
        pem = authority.server("127.0.0.1")
        script = Script(tls=tls, certificate=str(pem), users={"u": "p"})
        large = mail(9, body=b"x" * 76 + b"\r\n" + b"y" * 70 + b"\r\n" * 300_000)
        with Oracle(oracle_file, script) as oracle:
            exchange = run(
                oracle,
                [mail(1), large, mail(2)],
                ca_file=str(authority.ca_file),
                username="u",
                password="p",
                **encryption,
            )
        assert all_accepted(exchange) and len(exchange.replies) == 3
        signed_in = list(oracle_log.events(oracle_file, "signed_in"))
        assert signed_in and all(event["encrypted"] for event in signed_in)

    @pytest.mark.parametrize("dribbles", [False, True])
    def test_byte_by_byte(
        self, oracle_file: Path, authority: Authority, tls: str, encryption: dict[str, bool], dribbles: bool
    ) -> None:
        script = Script(tls=tls, certificate=str(authority.server("127.0.0.1")), dribbles=dribbles)
        with Oracle(oracle_file, script) as oracle:
            assert all_accepted(run(oracle, ca_file=str(authority.ca_file), **encryption))

    def test_a_certificate_for_another_host_is_refused(
        self, oracle_file: Path, authority: Authority, tls: str, encryption: dict[str, bool]
    ) -> None:
        script = Script(tls=tls, certificate=str(authority.server("relay.example.test")))
        with Oracle(oracle_file, script) as oracle:
            exchange = run(oracle, ca_file=str(authority.ca_file), **encryption)
        self.refused(exchange, oracle_file, "mismatch")

    def test_a_certificate_of_an_unknown_authority_is_refused(
        self, oracle_file: Path, authority: Authority, tls: str, encryption: dict[str, bool]
    ) -> None:
        with Oracle(oracle_file, Script(tls=tls, certificate=str(authority.server("127.0.0.1")))) as oracle:
            exchange = run(oracle, **encryption)
        self.refused(exchange, oracle_file, "issuer")

    def refused(self, exchange: RecordingExchange, oracle_file: Path, words: str) -> None:
        (trouble,) = exchange.troubles
        assert (trouble.stage, trouble.code, trouble.cause) == (Stage.STARTTLS, None, Cause.CERTIFICATE)
        assert words in str(trouble.error)
        assert judge(trouble).is_final
        assert exchange.replies == {}
        assert len(list(oracle_log.events(oracle_file, "connected"))) == 1


def test_a_relay_without_starttls_gets_no_mail_where_it_is_demanded(oracle_file: Path) -> None:
    with Oracle(oracle_file) as oracle:
        (trouble,) = run(oracle, starttls=True).troubles
    assert (trouble.stage, trouble.cause) == (Stage.STARTTLS, Cause.NOT_OFFERED)
    assert judge(trouble).is_final
    assert oracle_log.received(oracle_file) == []


def test_text_smuggled_in_before_encryption_is_not_believed(oracle_file: Path, authority: Authority) -> None:
    smuggled = Fault("starttls", "say", reply="220 go ahead\r\n250 PIPELINING")
    script = Script(faults=(smuggled,), tls="starttls", certificate=str(authority.server("127.0.0.1")))
    with Oracle(oracle_file, script) as oracle:
        (trouble,) = run(oracle, starttls=True, ca_file=str(authority.ca_file)).troubles
    assert (trouble.stage, trouble.cause) == (Stage.STARTTLS, Cause.GARBLED)


def test_what_was_offered_before_encryption_is_forgotten(oracle_file: Path, authority: Authority) -> None:
    script = Script(tls="starttls", certificate=str(authority.server("127.0.0.1")), pipelining_in_tls=False)
    with Oracle(oracle_file, script) as oracle:
        exchange = run(oracle, [mail(1), mail(2)], connections=1, starttls=True, ca_file=str(authority.ca_file))
    assert all_accepted(exchange)
    assert [what for what, _ in exchange.moments] == ["taken", "body", "settled"] * 2


def test_a_server_that_speaks_no_tls_is_trouble_but_no_bad_certificate(oracle_file: Path) -> None:
    with Oracle(oracle_file) as oracle:
        (trouble,) = run(oracle, implicit_tls=True).troubles
    assert (trouble.stage, trouble.cause) == (Stage.STARTTLS, Cause.LOST)


@pytest.mark.parametrize("mechanisms", [("PLAIN", "LOGIN"), ("LOGIN",), ("CRAM-MD5", "PLAIN")])
def test_sign_in(oracle_file: Path, mechanisms: tuple[str, ...]) -> None:
    with Oracle(oracle_file, Script(users={"zoë": "pässword"}, mechanisms=mechanisms)) as oracle:
        exchange = run(oracle, username="zoë", password="pässword")
    assert all_accepted(exchange)
    used = {event["mechanism"] for event in oracle_log.events(oracle_file, "signed_in")}
    assert used == {"PLAIN" if "PLAIN" in mechanisms else "LOGIN"}


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_opens_the_breaker_and_is_not_shown(oracle_file: Path, mechanism: str) -> None:
    with Oracle(oracle_file, Script(users={"u": "right"}, mechanisms=(mechanism,))) as oracle:
        (trouble,) = run(oracle, username="u", password="wrong").troubles
    assert trouble == Reply(Stage.AUTH, 535, "5.7.8 wrong user or password")
    assert judge(trouble).is_final


def test_unknown_mechanisms_are_trouble(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(users={"u": "p"}, mechanisms=("CRAM-MD5",))) as oracle:
        (trouble,) = run(oracle, username="u", password="p").troubles
    assert (trouble.stage, trouble.cause) == (Stage.AUTH, Cause.NOT_OFFERED)
    assert "CRAM-MD5" in str(trouble.error)


def test_a_relay_that_wants_a_sign_in_refuses_the_sender_without_one(oracle_file: Path) -> None:
    with Oracle(oracle_file, Script(users={"u": "p"})) as oracle:
        exchange = run(oracle, [mail(1)])
    assert exchange.replies[1] == [Reply(Stage.MAIL, 530, "5.7.0 sign in first")]
    assert judge(exchange.replies[1][0]).is_final


def test_no_password_leaves_this_machine_in_the_clear() -> None:
    class FarWire:
        is_tls = False
        socket = SimpleNamespace(getsockname=lambda: ("192.0.2.7", 4711))
        written = b""

        def is_loopback(self) -> bool:
            return False

        def write(self, data: bytes) -> None:
            self.written += data

    wire = FarWire()
    connection = SimpleNamespace(
        settings=RelaySettings(username="u", password="secret", ehlo_name="console.test"), wire=wire, features={}
    )
    connection.greeted = connection.features.update
    talk = opening(connection)  # type: ignore[arg-type]
    next(talk)
    talk.send(None)
    talk.send((220, b"hello"))
    with pytest.raises(Ended) as ended:
        talk.send((250, b"relay\nAUTH PLAIN LOGIN"))
    assert ended.value.reply is not None and ended.value.reply.cause is Cause.PLAINTEXT
    assert wire.written == b"EHLO console.test\r\n"


@pytest.mark.parametrize(
    ("configured", "own", "name"),
    [
        ("console.example.test", "10.0.0.7", "console.example.test"),
        ("", "10.0.0.7", "[10.0.0.7]"),
        ("", "fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_the_name_in_the_greeting(monkeypatch: pytest.MonkeyPatch, configured: str, own: str, name: str) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "console")
    assert ehlo_name(configured, own) == name
