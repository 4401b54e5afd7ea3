"""Sending: claim -> render -> mail -> record, in rolling groups. The only part of the core that commits.

looking.py       what is due of a broadcast, from its start to its end
beginning.py     started when it is due, and frozen
sender.py        one sending process
exchange.py      where the two threads meet: mails on their way, and when nothing more may be handed over
recorder.py      the thread that claims and records
books.py         one of its transactions, one a group
claims_ahead.py  how many mails are claimed ahead
relay_keeper.py  what all processes know of the relay, brought together
runtime.py       what a sender is given: its settings, and the world around it
failures.py      when something breaks
sweeping.py      what senders left behind
releasing.py     what was held may leave again
workers.py       which workers there are
figures.py       what an operator watches
"""

from webapp.core.sending.beginning import FIRST_CHUNK, begin
from webapp.core.sending.looking import MUCH, Host, NextLook, look
from webapp.core.sending.runtime import Runtime, SenderSettings
from webapp.core.sending.sender import Ending, send

__all__ = [
    "FIRST_CHUNK",
    "MUCH",
    "Ending",
    "Host",
    "NextLook",
    "Runtime",
    "SenderSettings",
    "begin",
    "look",
    "send",
]
