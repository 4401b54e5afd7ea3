"""What can go wrong in the domain, in words that may be shown to a person."""


class DomainError(Exception):
    """A refusal that the user can understand and act on. `str(error)` is a whole sentence in plain words."""


class NotFound(DomainError):
    """The thing asked for does not exist (any more)."""


class Conflict(DomainError):
    """The thing changed meanwhile: another tab, another user or a worker was faster."""


class Invalid(DomainError):
    """Input that cannot be taken. `field` names the input it belongs to, if it is one."""

    def __init__(self, message: str, field: str | None = None):
        super().__init__(message)
        self.field = field
