"""Look at the domains that mails come from, whether receivers would believe them."""

from jobs.runtime import Turn, inside_app
from webapp.adapters import domain_round, wakeups
from webapp.adapters.dns import resolver
from webapp.extensions import db


def check_domains() -> None:
    """One round over the domains that it is time to look at."""
    with inside_app() as app:
        wakeups.begins(wakeups.CHECK_DOMAINS)
        servers, bounces_to = app.config["DNS"], app.config["BOUNCE_ADDRESS"] or ""
        domain_round.work_off(db.engine, lambda: resolver(servers), bounces_to, Turn().must_stop)
