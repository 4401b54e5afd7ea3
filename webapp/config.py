"""Settings from the environment, checked at start. Every setting of the program is read here and nowhere else."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from redis.connection import parse_url
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from webapp import bounce_settings, paths, private
from webapp.environ import SettingError, dns_servers

MB = 1024 * 1024

MOST_OF_A_FORM = 32 * MB
"""The longest message fits, in a script whose letters are sent as nine octets each, beside its version that was sent last."""

MOST_OF_AN_UPLOAD = 512 * MB

ALIVE = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 4, "tcp_user_timeout": 17_000}
"""A server that vanished without a word is found out within seconds, before a sender's lease ends, and not after the system's two hours
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES; the last one in milliseconds)."""

ALWAYS = {"hide_parameters": True}
"""The text of an error shows the statement without its values, which are clients' data and secrets, and errors go into logs."""

OF_A_SERVER = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10} | ALIVE}
"""A database server may be started anew: a connection that died meanwhile is replaced unseen, and one that is away answers in the end."""


DAY_MINUTES = 24 * 60
LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class RelaySettings:
    """Where mail is handed over. Time-outs are seconds, per command (RFC 5321 section 4.5.3.2). `behind_dot`: whether the commands of the
    next mail may be written behind the final dot of one, where the relay offers PIPELINING."""

    host: str = "127.0.0.1"
    port: int = 25
    starttls: bool = False
    implicit_tls: bool = False
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    ehlo_name: str = ""
    connections: int = 10
    mails_per_connection: int = 1000
    behind_dot: bool = True
    connect_timeout: float = 30.0
    command_timeout: float = 300.0
    dot_timeout: float = 600.0

    @property
    def key(self) -> str:
        """What names this relay in the database: the same for all names of this machine, and in whichever case a name is written."""
        host = self.host.lower().rstrip(".")
        return f"{'127.0.0.1' if host in THIS_MACHINE else host}:{self.port}"


THIS_MACHINE = {"localhost", "::1"}

REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
SENTINEL_PORT = 26379
SENTINEL_OPTIONS = {"master", "sentinel_username", "sentinel_password", "ssl_ca_certs"}
"""What may stand behind the question mark of a URL of Sentinels."""

SENTINEL_URL = re.compile(
    r"(?P<scheme>rediss?)\+sentinel://(?:(?P<who>[^@/]*)@)?(?P<hosts>[^/?@]*)(?:/(?P<db>[^?/]*))?(?:\?(?P<options>.*))?"
)
SENTINEL_FORM = (
    "REDIS_URL is to name hosts, database and master: redis+sentinel://one:26379,two:26379/0?master=mymaster."
)


@dataclass(frozen=True)
class Sentinels:
    """Where to ask which of several Redis servers is the primary at present. Name and password are of the Redis servers, those with
    `sentinel_` of the Sentinels themselves."""

    hosts: tuple[tuple[str, int], ...]
    master: str
    db: int = 0
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None
    tls: bool = False
    ca_file: str | None = None


def sentinels(url: str) -> Sentinels | None:
    """What a URL such as `redis+sentinel://user:password@one:26379,two:26379/0?master=mymaster` says; None for one of a plain Redis.
    Raises SettingError when it is not complete."""
    if "+sentinel://" not in url:
        return None
    parts = SENTINEL_URL.fullmatch(url)
    if parts is None or not parts["hosts"] or not (parts["db"] or "0").isdigit():
        raise SettingError(SENTINEL_FORM)
    given = dict(parse_qsl(parts["options"] or ""))
    if unknown := set(given) - SENTINEL_OPTIONS:
        taken = ", ".join(sorted(SENTINEL_OPTIONS))
        raise SettingError(
            f"REDIS_URL has {', '.join(sorted(unknown))} behind its question mark; Sentinels take {taken}."
        )
    if not given.get("master"):
        raise SettingError(SENTINEL_FORM)
    name, _, password = (parts["who"] or "").partition(":")
    return Sentinels(
        hosts=tuple(_host_and_port(host) for host in parts["hosts"].split(",")),
        master=given["master"],
        db=int(parts["db"] or 0),
        username=unquote(name) or None,
        password=unquote(password) or None,
        sentinel_username=given.get("sentinel_username"),
        sentinel_password=given.get("sentinel_password"),
        tls=parts["scheme"] == "rediss",
        ca_file=given.get("ssl_ca_certs"),
    )


def _host_and_port(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]+)(?::(\d{1,5}))?", text)
    if found is None or not 0 < int(found[2] or SENTINEL_PORT) < 65536:
        raise SettingError(f"REDIS_URL names a Sentinel {text!r}: use host or host:port.")
    return found[1].strip("[]"), int(found[2] or SENTINEL_PORT)


def redis_url(environ: Mapping[str, str]) -> str:
    """REDIS_URL, checked, with REDIS_CA_FILE in it. Raises SettingError."""
    url = environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    scheme, separator, _ = url.partition("://")
    if not separator or scheme not in REDIS_SCHEMES:
        raise SettingError(
            f"REDIS_URL begins with {', '.join(f'{one}://' for one in REDIS_SCHEMES)}, and no other way."
        )
    if "+sentinel" in scheme:
        sentinels(url)
    else:
        try:
            parse_url(url)
        except ValueError:
            raise SettingError(
                "REDIS_URL cannot be read: use redis://host:6379/0, rediss://user:password@host:6379/0 or unix:///path?db=0."
            ) from None
    ca_file = environ.get("REDIS_CA_FILE")
    if not ca_file:
        return url
    if not scheme.startswith("rediss"):
        raise SettingError(
            "REDIS_CA_FILE is of use only with TLS: REDIS_URL begins with rediss:// or rediss+sentinel:// then."
        )
    if not Path(ca_file).is_file():
        raise SettingError(f"REDIS_CA_FILE names {ca_file}, which is not a file.")
    return f"{url}{'&' if '?' in url else '?'}ssl_ca_certs={quote(ca_file)}"


def _redis_prefix(environ: Mapping[str, str]) -> str:
    prefix = environ.get("MASSMAIL_REDIS_PREFIX", "").strip()
    if not re.fullmatch(r"[A-Za-z0-9._:-]{0,40}", prefix):
        raise SettingError("MASSMAIL_REDIS_PREFIX takes up to 40 letters, digits and . _ - : such as north:")
    return prefix


def settings(environ: Mapping[str, str]) -> dict[str, object]:
    """The app's configuration from environment variables. Raises SettingError for a value that cannot be used."""
    instance = _instance(environ)
    relay = _relay(environ)
    database = _database_url(environ.get("DATABASE_URL"), instance)
    return {
        "SECRET_KEY": environ.get("SECRET_KEY") or _kept_secret(instance / "secret-key"),
        "INSTANCE": instance,
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": ALWAYS | (OF_A_SERVER if database.startswith("postgresql") else {}),
        "REDIS_URL": redis_url(environ),
        "REDIS_PREFIX": _redis_prefix(environ),
        "PUBLIC_URL": _public_url(environ),
        "MISSED_START": _missed_start(environ),
        "UNDO": timedelta(seconds=_whole(environ, "MASSMAIL_UNDO", 30, low=0, high=600)),
        "TYPE_NUMBER_ABOVE": _whole(environ, "MASSMAIL_TYPE_NUMBER_ABOVE", 500, low=0, high=1_000_000_000),
        "RELAY": relay,
        **bounce_settings.read(environ),
        "MAIL_SERVER": relay.host,
        "MAIL_PORT": relay.port,
        "MAIL_USE_TLS": relay.starttls,
        "MAIL_USE_SSL": relay.implicit_tls,
        "MAIL_USERNAME": relay.username,
        "MAIL_PASSWORD": relay.password,
        "MAIL_DEFAULT_SENDER": environ.get("MAIL_DEFAULT_SENDER", ""),
        "MAIL_CATCHER_DIR": environ.get("MASSMAIL_CATCHER_DIR"),
        "DEMO": _flag(environ, "MASSMAIL_DEMO"),
        "MAX_CONTENT_LENGTH": MOST_OF_A_FORM,
        "MAX_FORM_MEMORY_SIZE": MOST_OF_A_FORM,
        "MAX_UPLOAD": MOST_OF_AN_UPLOAD,
        "HOST_GRACE": timedelta(seconds=_whole(environ, "MASSMAIL_HOST_GRACE", 900, low=1, high=7 * 86_400)),
        "TRUSTED_PROXIES": _whole(environ, "MASSMAIL_PROXIES", 0, low=0, high=10),
        "SESSION_IDLE": timedelta(minutes=_whole(environ, "MASSMAIL_SESSION_IDLE", 480, low=5, high=14 * DAY_MINUTES)),
        "SESSION_LASTS": timedelta(hours=_whole(environ, "MASSMAIL_SESSION_LASTS", 336, low=1, high=31 * 24)),
        "TESTS_PER_HOUR": _whole(environ, "MASSMAIL_TESTS_PER_HOUR", 20, low=0, high=1000),
        "MOST_ATTACHED": 1_000_000 * _whole(environ, "MASSMAIL_ATTACHMENTS", 5, low=0, high=50),
        "DNS": dns_servers(environ),
        "WEBHOOK_INSIDE": _flag(environ, "MASSMAIL_WEBHOOK_INSIDE"),
        "LOG_LEVEL": _log_level(environ),
        "LOG_JSON": _flag(environ, "MASSMAIL_LOG_JSON"),
        "METRICS_TOKEN": _metrics_token(environ),
        "WTF_CSRF_TIME_LIMIT": None,
        "TEMPLATES_AUTO_RELOAD": False,
    }


def _instance(environ: Mapping[str, str]) -> Path:
    """The instance folder, made if it is new, and nobody else's to look into if it is ours."""
    instance = Path(environ.get("MASSMAIL_INSTANCE") or paths.INSTANCE)
    try:
        private.folder(instance)
    except OSError as error:
        raise SettingError(
            f"MASSMAIL_INSTANCE is {instance}, which cannot be made: {error.strerror}. Name a folder that may be written to."
        ) from None
    private.shut_instance(instance)
    return instance


def _public_url(environ: Mapping[str, str]) -> str:
    url = environ.get("MASSMAIL_URL") or "http://127.0.0.1:8000"
    if not url.startswith(("http://", "https://")):
        raise SettingError(f"MASSMAIL_URL is {url!r}: use the whole address, as in https://mail.example.com.")
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise SettingError(f"MASSMAIL_URL is {url!r}: the port is to be a number from 1 to 65535.") from None
    return url.rstrip("/")


def _missed_start(environ: Mapping[str, str]) -> timedelta | None:
    """How late a broadcast may start without a question; None: as late as can be."""
    minutes = _whole(environ, "MASSMAIL_MISSED_START", 30, low=0, high=30 * DAY_MINUTES)
    return timedelta(minutes=minutes) if minutes else None


def _log_level(environ: Mapping[str, str]) -> str:
    level = environ.get("MASSMAIL_LOG_LEVEL", "").strip().lower() or "info"
    if level not in LOG_LEVELS:
        raise SettingError(f"MASSMAIL_LOG_LEVEL is {level!r}: use {', '.join(LOG_LEVELS[:-1])} or {LOG_LEVELS[-1]}.")
    return level


def _metrics_token(environ: Mapping[str, str]) -> str | None:
    """What opens /metrics; None: nothing does. Whoever can guess it reads how much is sent."""
    token = environ.get("MASSMAIL_METRICS_TOKEN", "").strip()
    if token and not re.fullmatch(r"[!-~]{16,200}", token):
        raise SettingError("MASSMAIL_METRICS_TOKEN takes 16 to 200 letters, digits and signs, without blanks.")
    return token or None


def _relay(environ: Mapping[str, str]) -> RelaySettings:
    implicit = _flag(environ, "MAIL_USE_SSL")
    starttls = _flag(environ, "MAIL_USE_TLS")
    if implicit and starttls:
        raise SettingError(
            "MAIL_USE_SSL and MAIL_USE_TLS are both on: use MAIL_USE_SSL for port 465, MAIL_USE_TLS for 587."
        )
    ca_file = environ.get("MAIL_CA_FILE") or None
    if ca_file and not Path(ca_file).is_file():
        raise SettingError(f"MAIL_CA_FILE names {ca_file}, which is not a file.")
    return RelaySettings(
        host=environ.get("MAIL_SERVER", "127.0.0.1"),
        port=_whole(environ, "MAIL_PORT", 465 if implicit else 587 if starttls else 25, low=1, high=65535),
        starttls=starttls,
        implicit_tls=implicit,
        username=environ.get("MAIL_USERNAME") or None,
        password=environ.get("MAIL_PASSWORD") or None,
        ca_file=ca_file,
        ehlo_name=environ.get("MAIL_EHLO_NAME", ""),
        connections=_whole(environ, "MAIL_CONNECTIONS", 10, low=1, high=500),
        mails_per_connection=_whole(environ, "MAIL_PER_CONNECTION", 1000, low=1, high=1_000_000),
        behind_dot=_flag(environ, "MAIL_BEHIND_DOT", default=True),
        connect_timeout=_whole(environ, "MAIL_CONNECT_TIMEOUT", 30, low=1, high=3600),
        command_timeout=_whole(environ, "MAIL_COMMAND_TIMEOUT", 300, low=1, high=3600),
        dot_timeout=_whole(environ, "MAIL_DOT_TIMEOUT", 600, low=1, high=3600),
    )


def _flag(environ: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    text = environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("0", "false", "no", "off"):
        return False
    if text in ("1", "true", "yes", "on"):
        return True
    raise SettingError(f"{name} is {text!r}: use 1 or 0.")


def _whole(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        raise SettingError(f"{name} is {text!r}: use a whole number.") from None
    if not low <= value <= high:
        raise SettingError(f"{name} is {value}: use {low} to {high}.")
    return value


def _database_url(url: str | None, instance: Path) -> str:
    if not url:
        return f"sqlite:///{instance / 'massmail.sqlite3'}"
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise SettingError(
            "DATABASE_URL is not a URL: use postgresql://user:password@host/name or sqlite:////absolute/path."
        )
    if scheme in ("postgres", "postgresql"):
        url = f"postgresql+psycopg://{rest}"
    elif scheme not in ("sqlite", "postgresql+psycopg"):
        raise SettingError(f"DATABASE_URL begins with {scheme}://: SQLite and PostgreSQL are supported.")
    try:
        make_url(url)
    except (ArgumentError, ValueError):  # which show the password
        raise SettingError(
            "DATABASE_URL cannot be read: is the port a number, and are @, / and : in a password written as %40, %2F and %3A?"
        ) from None
    return url


def _kept_secret(path: Path) -> str:
    """A secret made at the first start and kept, so that sign-ins and links survive a restart."""
    try:
        if not path.exists():
            private.file(path)
            path.write_text(secrets.token_hex(32))
        return path.read_text().strip()
    except OSError as error:
        raise SettingError(
            f"The secret key cannot be kept in {path}: {error.strerror}. Set SECRET_KEY, or make MASSMAIL_INSTANCE a folder that may be "
            f"written to."
        ) from None
