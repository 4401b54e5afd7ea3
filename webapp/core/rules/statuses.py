"""The statuses of clients, services and addons, each with its meaning for the person who chooses."""

from enum import StrEnum


class MessageType(StrEnum):
    GENERAL = "general"
    SERVICES = "services"
    ADDONS = "addons"

    @property
    def label(self) -> str:
        return _TYPE_LABELS[self]

    @property
    def meaning(self) -> str:
        return _TYPE_MEANINGS[self]


_TYPE_LABELS = {
    MessageType.GENERAL: "General",
    MessageType.SERVICES: "Services & Products",
    MessageType.ADDONS: "Addons",
}
_TYPE_MEANINGS = {
    MessageType.GENERAL: "To clients, whatever they hold: news, terms, an incident.",
    MessageType.SERVICES: "To clients who hold certain products, with the service's own data in the mail.",
    MessageType.ADDONS: "To clients who hold certain addons, with the addon's and its service's data in the mail.",
}


class ClientStatus(StrEnum):
    PENDING = "pending"
    BLOCKED = "blocked"
    ACTIVE = "active"
    FREEZE = "freeze"
    SUSPEND = "suspend"
    TERMINATE = "terminate"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def meaning(self) -> str:
        return _CLIENT_MEANINGS[self]


_CLIENT_MEANINGS = {
    ClientStatus.PENDING: "Created, not yet activated or verified.",
    ClientStatus.BLOCKED: "Restricted for violations, for security or by hand.",
    ClientStatus.ACTIVE: "Operational, in good standing.",
    ClientStatus.FREEZE: "Paused for a time, data kept, no new activity.",
    ClientStatus.SUSPEND: "Disabled for a time, often for overdue payment.",
    ClientStatus.TERMINATE: "Closed for good.",
}


class HoldingStatus(StrEnum):
    """Status of what a client holds: a service or an addon."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"

    @property
    def label(self) -> str:
        return self.value.capitalize()

    @property
    def meaning(self) -> str:
        return _HOLDING_MEANINGS[self]


_HOLDING_MEANINGS = {
    HoldingStatus.ACTIVE: "In use.",
    HoldingStatus.INACTIVE: "Ordered or switched off, not in use.",
    HoldingStatus.SUSPENDED: "Disabled for a time.",
    HoldingStatus.TERMINATED: "Ended for good.",
}
