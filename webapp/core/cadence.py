"""All times of looking, leasing and beating. They stand together because none holds alone: each must be shorter or longer than others, and
`tests/core/test_cadence.py` states which and why.

A name that ends in `_S` is a number of seconds; every other is a timedelta. What stands elsewhere: times that a person chooses (the pace,
retention, sign-ins), those that a rule judges by (`core/rules`), and those of a conversation with the relay (`adapters/smtp`).
"""

from datetime import timedelta

# Leases: which sending process may move which rows, and until when.

LEASE_S = 20.0
"""A lease lasts this long from its last renewal, which happens with every group of mails and at least every RENEW_S."""

RENEW_S = 2.0
"""A sender that has nothing to record renews its lease this often."""

MARGIN_S = 4.0
"""A sender stops handing over this long before its lease ends, by its own clock."""

SUSPICION_S = 10.0
"""A lease that has run out is taken over when no renewal came for this long after a sweep saw that first."""

AWAY_S = 15.0
"""A lease must be over for this long before its machine is called lost: a worker beside its journal settles it sooner."""

HOST_GRACE = timedelta(minutes=15)
"""The machine that holds a sender's journal may be away this long before its mails are called uncertain; MASSMAIL_HOST_GRACE changes it."""

TALLY_KEPT = timedelta(hours=1)
"""A sender's counts stand on their own this long after its end; then they are added to those of the console."""

# A sender: when it records, claims, waits, and makes room. Defaults of `sending/runtime.SenderSettings`.

RECORD_WITHIN_S = 0.05
"""An outcome waits at most this long for its group."""

CLAIM_AHEAD_S = 0.2
"""Mails are claimed this long before the pace lets them leave."""

STAY_NEAR_S = 15.0
"""A sender waits for a next mail that is nearer than this while nobody else wants the worker."""

TURN_S = 5.0
"""A sender that is never idle makes room after this long if another job waits."""

STAY_FOR_RELAY_S = 2.0
"""A sender that waits for the relay stays at least this long, as all others would wait for it, too."""

PROMOTE_EVERY_S = 1.0
"""A sender looks this often for rows whose time has come again."""

CALL_FOR_HELP_S = 1.0
"""A sender that was behind for this long calls for another."""

LIMITS_EVERY_S = 1.0
"""A sender reads the limits above all broadcasts, and what others know of the relay, this often."""

KEYS_EVERY_S = 60.0
"""A sender looks this often which keys sign its mails; shorter than `domains/keys.SIGNS_AFTER`."""

INSIST_S = 120.0
"""A sender insists this long when the database takes no outcomes; then the journal holds them."""

INSIST_EVERY_S = 0.25
"""It tries again this often meanwhile."""

ASK_RUNTIME_S = 0.25
"""A sender asks its runtime this often whether it should end or make room."""

ASK_REDIS_S = 1.0
"""A job asks Redis this often whether its worker is to stop, and whether others wait for it."""

REDIS_AWAY_S = 10.0
"""It asks a Redis that cannot be used no sooner than after this long: one that hangs keeps the asking thread for seconds."""

PULSE_S = 5.0
"""A sending process gives a sign of life this often: one small commit, and two markers."""

HELD_LOOK_S = 1.0
"""A sending process looks this often whether everything is held."""

# The watch over a broadcast's state while its mails leave.

WATCH_ASKS_S = 0.001
"""On PostgreSQL the state is asked for this often."""

WATCH_OLDEST_S = 0.003
"""An older answer is not good enough, unless the database is so far away that it never answers faster."""

WATCH_PATIENCE_S = 5.0
"""The watch waits this long for an answer; then it says what it knew last."""

WATCH_AGAIN_S = 0.5
"""It tries a new connection this often after one was lost."""

DECLINE_HOLDS_S = 0.02
"""The answer to whoever declines is held this long where a mail to them may be under way: by then its sender knows, and what it had begun
before has left."""

# The relay's health, which is one for the whole site.

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 300.0
"""A relay that is waited for is tried after the first, then after twice as long each time, up to the longest."""

PROBE_S = 1.0
"""While a probe is under way nobody claims; all look this often whether it is over."""

RELAY_CARRIED_S = 5.0
"""A relay that took a mail from another process within this long is not away."""

RELAY_TOLD_EVERY_S = 10.0
"""The relay's row is told this often that it takes mails: all senders of the site write to that one row."""

# Looking for what is due.

SWEEP_EVERY_S = 10.0
"""Each worker asks for a sweep this often."""

SWEEP_WAKES_S = 15.0
"""A sweep wakes a broadcast that has a mail due within this long."""

COME_BACK_S = 5.0
"""A sender whose next mail is nearer than this comes back at once, behind those who wait; delayed calls are too coarse for it."""

EARLY_S = 2.0
"""A delayed call comes up to this late, so it is asked for that much earlier."""

BUSY_S = 5.0
"""When each place of the pace or of a ceiling is held by mails in other hands, nobody knows how long; look again after this."""

WAKEUP_WAITS_S = 30
"""A wake-up counts as waiting in the queue at most this long: one that was lost there blocks the next no longer."""

ASK_FOR_HELP_S = 0.2
"""Whoever calls for help is held up at most this long by a Redis that hangs."""

FREEZE_CHUNK_S = 0.05
"""A chunk of the freeze should take this long: others who write wait for it on SQLite."""

# Workers.

BEAT_S = 10.0
"""A worker tells the database this often that it lives."""

SETTLE_S = 1.0
"""A job that ends sooner is not worth telling."""

LAST_WORD_S = 3.0
"""A worker that ends waits at most this long until the database knows."""

MISSED_AFTER = timedelta(seconds=30)
"""A worker that was not seen for this long counts as gone."""

FORGOTTEN_AFTER = timedelta(days=1)
"""A worker that has been gone for this long is forgotten."""

READY_LOOK_S = 2.0
"""A worker whose database cannot be used looks this often whether it can again."""

FORK_WAITS_S = 1.0
"""A fork waits at most this long for the thread that uses the database."""

# Imports, notices, retention.

IMPORT_TURN = timedelta(seconds=2)
"""An import keeps its worker this long, however many others wait for it."""

IMPORT_SILENT = timedelta(seconds=60)
"""A worker says at least every few seconds that it goes on with an import; after this much silence it is taken for dead."""

LIST_SLICE_S = 0.03
"""A slice of a list of suppressions should take this long: others who write wait for it on SQLite."""

NEWS_UNSEEN = timedelta(seconds=30)
"""Workers look for news with each sweep; when nobody has for this long, a request of the console has it done."""

NOTICE_ROUND = timedelta(minutes=1)
"""A round of notices ends after this long, even if more is to leave: others wait for this worker."""

NOTICE_TAKEN = timedelta(minutes=10)
"""One attempt at a notice may take this long. When whoever made it is gone by then, it is made again."""

RETENTION_ROUND_S = 1.0
"""A round of retention ends after this long; the next one goes on."""

# The database.

SCHEMA_LOOK_S = 5.0
"""A look at the tables counts this long that found everything right, or no database."""

SQLITE_WAITS_S = 10.0
"""A connection to SQLite waits at most this long for its turn to write."""
