"""Renderer: claimed deliveries as mails, with the values fixed at their first claim."""

from webapp.core.content import previews
from webapp.core.ledger import Claimed
from webapp.core.ports import Mail
from webapp.core.rules.message import CompiledMessage, Stamp
from webapp.core.tables.broadcasts import Broadcast


class Renderer:
    """A broadcast's content, compiled. `tags` names the values that its mails need. Raises DomainError for content that cannot be sent."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._message: CompiledMessage = previews.compiled(broadcast)
        self._secret = broadcast.secret
        self._mail_from = self._message.envelope.from_address
        self.tags = self._message.tags

    def mail(self, claimed: Claimed) -> Mail:
        """The mail of a delivery: the same bytes each time. Raises DomainError when it cannot be rendered."""
        stamp = Stamp(claimed.delivery_id, self._secret, claimed.address, claimed.stamped_at)
        data = self._message.render(claimed.values, stamp)
        return Mail(claimed.delivery_id, self._mail_from, claimed.address, data)
