"""What is remembered: columns, constraints and indexes, no behaviour. Importing the package registers every table on `Base.metadata`."""

from webapp.core.tables import (  # noqa: F401
    branding,
    broadcasts,
    clients,
    consent,
    deliveries,
    domains,
    drafts,
    event_sources,
    events,
    imports,
    installation,
    limits,
    list_imports,
    mail_uses,
    media,
    notices,
    preflight,
    relay,
    retention,
    stamps,
    tag_links,
    trial_sends,
    triggers,
    users,
    workers,
)
from webapp.core.tables.base import Base

__all__ = ["Base"]
