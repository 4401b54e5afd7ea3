"""The delivery ledger: the only writer of deliveries, attempts, senders, tallies and the memory of the pace. Nothing here commits.

freeze.py     audience -> deliveries
leases.py     which process may move which rows, until when
claims.py     the durable intent to send, under state, pace and suppression; giving_back.py takes it back
outcomes.py   what became of mails
refusals.py   refusals that the evidence has not decided yet
order.py      in which order rows are claimed
lines.py      rows that wait for the limits of their recipients' domains
recovery.py   what a sender that is no more left behind
receiver_shares.py the connections that may carry mails to one of them, shared by all
lost.py       machines that are away with what they had claimed
waiting.py    rows whose time has come, or that are cancelled
uncertain.py  what an administrator decides about rows in doubt
again.py      failed rows that an administrator has sent again
next_look.py  when a broadcast is worth looking at again
pace.py       the pace as the database remembers it
ceiling.py    the site's ceilings above it
tally.py      counts
forgetting.py what mails said to their clients
hot_path.py   what happens to rows with each group of mails: on_both.py, on_sqlite.py and on_postgresql.py; rows.py is what comes back
"""

from webapp.core.ledger.again import make_pending, reasons
from webapp.core.ledger.bars import who_is_barred
from webapp.core.ledger.ceiling import next_of_the_day
from webapp.core.ledger.claims import Claim, Claimed, claim, domain_of
from webapp.core.ledger.forgetting import remove_values
from webapp.core.ledger.freeze import freeze_chunk
from webapp.core.ledger.giving_back import release, release_all
from webapp.core.ledger.leases import (
    Lease,
    LeaseLost,
    Others,
    end_lease,
    in_force,
    note_use,
    open_lease,
    open_senders,
    others,
    renew,
    share_connections,
)
from webapp.core.ledger.lines import disband, in_lines, standing_in
from webapp.core.ledger.lost import LostHost, give_up, lost_hosts
from webapp.core.ledger.next_look import next_look
from webapp.core.ledger.outcomes import RecordingSettings, RowsLost, Settled, record
from webapp.core.ledger.receiver_shares import leave_receivers, share_receiver
from webapp.core.ledger.recovery import may_recover, recover
from webapp.core.ledger.refusals import open_refusals, were_the_relays
from webapp.core.ledger.tally import counts, fold, foldable, with_rows_in
from webapp.core.ledger.uncertain import Decision, resolve_uncertain
from webapp.core.ledger.waiting import cancel_waiting, has_much, next_due, promote, release_held, spread

__all__ = [
    "Claim",
    "Claimed",
    "Decision",
    "Lease",
    "LeaseLost",
    "LostHost",
    "Others",
    "RecordingSettings",
    "RowsLost",
    "Settled",
    "cancel_waiting",
    "claim",
    "counts",
    "disband",
    "domain_of",
    "end_lease",
    "fold",
    "foldable",
    "freeze_chunk",
    "give_up",
    "has_much",
    "in_force",
    "in_lines",
    "leave_receivers",
    "lost_hosts",
    "make_pending",
    "may_recover",
    "next_due",
    "next_look",
    "next_of_the_day",
    "note_use",
    "open_lease",
    "open_refusals",
    "open_senders",
    "others",
    "promote",
    "reasons",
    "record",
    "recover",
    "release",
    "release_all",
    "release_held",
    "remove_values",
    "renew",
    "resolve_uncertain",
    "share_connections",
    "share_receiver",
    "spread",
    "standing_in",
    "were_the_relays",
    "who_is_barred",
    "with_rows_in",
]
