"""Mails that come back: from the raw octets of one to what it says of the mail it speaks of. Nothing in it is believed to be well formed.

reading.py          the whole judgement, in its order
structure.py        the mail taken apart, within bounds
delivery_status.py  delivery status notifications (RFC 3464)
feedback.py         complaints that providers forward (RFC 5965)
answers.py          programs that answer for a person (RFC 3834), and those that ask back
codes.py            from a code and words to what they amount to
wordings.py         the words of servers that give no code
identity.py         which mail of ours is spoken of: its Message-ID, its recipient
return_path.py      return paths that name the delivery (VERP)
"""

from webapp.core.rules.bounces.reading import LARGEST, BounceReading, read
from webapp.core.rules.bounces.return_path import ReturnPath

__all__ = ["LARGEST", "BounceReading", "ReturnPath", "read"]
