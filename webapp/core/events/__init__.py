"""What became of mails after the relay took them, as others report it: facts beside the ledger, whose outcomes stay what they are.

recording.py  an event becomes a row, once, and what follows from it
matching.py   which delivery an event speaks of, if it can prove that
mails.py      a mail that came back becomes an event
brake.py      a broadcast of which too much comes back is paused
uses.py       opens and clicks become rows, and sums after a while
keeping.py    how long what was received is kept, and how far mailboxes were read
"""

from webapp.core.events.recording import Recorded, record

__all__ = ["Recorded", "record"]
