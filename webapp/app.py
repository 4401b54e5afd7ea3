"""create_app(): the composition root, the one file that knows everybody."""

import os
from collections.abc import Mapping
from importlib import import_module

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import paths
from webapp.adapters import database, schema
from webapp.config import settings
from webapp.core.errors import Invalid
from webapp.core.rules.bounces import ReturnPath
from webapp.environ import SettingError
from webapp.extensions import babel, csrf, db, htmx, login, mail, migrate

ROOMS = (
    "assets",
    "health",
    "metrics",
    "sign_in",
    "coming_back",
    "account",
    "settings",
    "workers",
    "clients",
    "imports",
    "import_reading",
    "broadcasts",
    "audience",
    "content",
    "attachments",
    "media",
    "schedule",
    "review",
    "deliveries",
    "resending",
    "follow_ups",
    "holding",
    "hosts",
    "notices",
    "notice_settings",
    "retention",
    "suppressions",
    "consent_settings",
    "brand",
    "pictures",
    "designs",
    "unsubscribe",
    "tracking",
    "domains",
    "relay_events",
    "tag_links",
)
"""Blueprints: each is `webapp/pages/<room>/views.py` and exposes `bp`."""

COMMANDS = ("bounces", "broadcasts", "clients", "links", "notices", "suppressions", "users")
"""Command groups: each is `webapp/cli/<name>.py` and exposes `group`."""


def _check_bounce_address(app: Flask) -> None:
    """Refuse at the start what only the first mail would show. Raises SettingError."""
    try:
        ReturnPath.of_setting(app.config["BOUNCE_ADDRESS"])
    except Invalid as error:
        raise SettingError(f"MASSMAIL_BOUNCE_ADDRESS: {error}") from None


def create_app(config: Mapping[str, object] | None = None, environ: Mapping[str, str] = os.environ) -> Flask:
    """The WSGI app, configured from `environ`, with `config` laid over it (tests)."""
    app = Flask(
        "webapp", root_path=str(paths.PACKAGE), template_folder=str(paths.TEMPLATES), static_folder=str(paths.STATIC)
    )
    app.config.from_mapping(settings(environ))
    app.config.from_mapping(config or {})
    _check_bounce_address(app)
    from webapp.pages import access, cookies, errors, input_guard, path_prefix, shell
    from webapp.pages.metrics import views as metrics
    from webapp.pages.unsubscribe import languages

    cookies.install(app)
    db.init_app(app)
    with app.app_context():
        database.tune(db.engine)
        app.extensions["massmail-schema"] = schema.Schema(db.engine)
    migrate.init_app(app, db, directory=str(paths.MIGRATIONS), compare_type=False)
    mail.init_app(app)
    htmx.init_app(app)
    login.init_app(app)
    babel.init_app(app, default_translation_directories=str(paths.TRANSLATIONS), locale_selector=languages.spoken)

    input_guard.install_first(app)
    errors.demand_schema(app)
    shell.admit(app)
    csrf.init_app(app)
    input_guard.install(app)
    shell.install(app)
    for room in ROOMS:
        app.register_blueprint(import_module(f"webapp.pages.{room}.views").bp)
    if app.config["DEMO"] or app.config["MAIL_CATCHER_DIR"]:
        for part in ("caught_mails", "sample_clients"):
            app.register_blueprint(import_module(f"webapp.demo.{part}").bp)
    for command in COMMANDS:
        app.cli.add_command(import_module(f"webapp.cli.{command}").group)
    access.install(app, metrics.install(app).observe)
    if proxies := app.config["TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    path_prefix.install(app)
    return app
