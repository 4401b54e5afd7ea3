"""How many connections carry mails to each receiver that has a limit of them."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from webapp.core.ports import Mail, ReceiverConnections


class CarriesMails(Protocol):
    """A connection: the mail under way on it, and the mail whose commands were written behind that one's content."""

    mail: Mail | None
    following: Mail | None


def receiver_of(mail: Mail, receivers: Mapping[str, ReceiverConnections]) -> int | None:
    """The id of the limit that holds for a mail; None for one without."""
    known = receivers.get(mail.rcpt_to.rpartition("@")[2].lower())
    return known.receiver if known else None


def rooms_beside(
    connection: CarriesMails | None, connections: Iterable[CarriesMails], receivers: Mapping[str, ReceiverConnections]
) -> Mapping[int, int]:
    """By the id of each limit, how many connections more may carry mails under it, when all of `connections` but this one go on with
    theirs. A connection counts once for a receiver, also while two of its mails are under way there."""
    carried: Counter[int] = Counter()
    for one in connections:
        if one is not connection:
            mails = (mail for mail in (one.mail, one.following) if mail is not None)
            carried.update({of for mail in mails if (of := receiver_of(mail, receivers)) is not None})
    return {known.receiver: known.connections - carried[known.receiver] for known in receivers.values()}


def first_with_room(
    mails: deque[Mail], rooms: Mapping[int, int], receivers: Mapping[str, ReceiverConnections]
) -> Mail | None:
    """Take the first mail out of `mails` for whose receiver there is room; None where there is none."""
    for mail in mails:
        receiver = receiver_of(mail, receivers) if rooms else None
        if receiver is None or rooms[receiver] > 0:
            mails.remove(mail)
            return mail
    return None
