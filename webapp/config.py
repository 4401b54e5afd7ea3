"""Settings from the environment, checked at start. Every setting of the program is read here and nowhere else."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MB = 1024 * 1024

MOST_OF_A_FORM = 32 * MB
"""The longest message fits, in a script whose letters are sent as nine octets each, beside its version that was sent last."""

MOST_OF_AN_UPLOAD = 512 * MB

ALIVE = {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 4, "tcp_user_timeout": 17_000}
"""A server that vanished without a word is found out within seconds, before a sender's lease ends, and not after the system's two hours
(https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-KEEPALIVES; the last one in milliseconds)."""

OF_A_SERVER = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10} | ALIVE}
"""A database server may be started anew: a connection that died meanwhile is replaced unseen, and one that is away answers in the end."""


class SettingError(Exception):
    """A setting that cannot be used; the text says which, and what to do."""


@dataclass(frozen=True)
class RelaySettings:
    """Where mail is handed over. Time-outs are seconds, per command (RFC 5321 section 4.5.3.2)."""

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
    connect_timeout: float = 30.0
    command_timeout: float = 300.0
    dot_timeout: float = 600.0


def settings(environ: Mapping[str, str]) -> dict[str, object]:
    """The app's configuration from environment variables. Raises SettingError for a value that cannot be used."""
    instance = Path(environ.get("MASSMAIL_INSTANCE", ROOT / "instance"))
    instance.mkdir(parents=True, exist_ok=True)
    relay = _relay(environ)
    database = _database_url(environ.get("DATABASE_URL"), instance)
    return {
        "SECRET_KEY": environ.get("SECRET_KEY") or _kept_secret(instance / "secret-key"),
        "INSTANCE": instance,
        "SQLALCHEMY_DATABASE_URI": database,
        "SQLALCHEMY_ENGINE_OPTIONS": OF_A_SERVER if database.startswith("postgresql") else {},
        "REDIS_URL": environ.get("REDIS_URL", "redis://127.0.0.1:6379/0"),
        "PUBLIC_URL": environ.get("MASSMAIL_URL", "http://127.0.0.1:8000").rstrip("/"),
        "RELAY": relay,
        "MAIL_SERVER": relay.host,
        "MAIL_PORT": relay.port,
        "MAIL_USE_TLS": relay.starttls,
        "MAIL_USE_SSL": relay.implicit_tls,
        "MAIL_USERNAME": relay.username,
        "MAIL_PASSWORD": relay.password,
        "MAIL_DEFAULT_SENDER": environ.get("MAIL_DEFAULT_SENDER", ""),
        "MAIL_CATCHER_DIR": environ.get("MASSMAIL_CATCHER_DIR"),
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SECURE": environ.get("MASSMAIL_URL", "").startswith("https://"),
        "MAX_CONTENT_LENGTH": MOST_OF_A_FORM,
        "MAX_FORM_MEMORY_SIZE": MOST_OF_A_FORM,
        "MAX_UPLOAD": MOST_OF_AN_UPLOAD,
        "HOST_GRACE": timedelta(seconds=_whole(environ, "MASSMAIL_HOST_GRACE", 900, low=1, high=7 * 86_400)),
        "TRUSTED_PROXIES": _whole(environ, "MASSMAIL_PROXIES", 0, low=0, high=10),
        "WTF_CSRF_TIME_LIMIT": None,
        "TEMPLATES_AUTO_RELOAD": False,
    }


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
        connect_timeout=_whole(environ, "MAIL_CONNECT_TIMEOUT", 30, low=1, high=3600),
        command_timeout=_whole(environ, "MAIL_COMMAND_TIMEOUT", 300, low=1, high=3600),
        dot_timeout=_whole(environ, "MAIL_DOT_TIMEOUT", 600, low=1, high=3600),
    )


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name, "").strip().lower()
    if text in ("", "0", "false", "no", "off"):
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
        return f"postgresql+psycopg://{rest}"
    if scheme in ("sqlite", "postgresql+psycopg"):
        return url
    raise SettingError(f"DATABASE_URL begins with {scheme}://: SQLite and PostgreSQL are supported.")


def _kept_secret(path: Path) -> str:
    """A secret made at the first start and kept, so that sign-ins and links survive a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_hex(32))
    return path.read_text().strip()
