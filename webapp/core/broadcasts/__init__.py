"""A broadcast from draft to finished: the one writer of what is remembered of it.

drafts.py     made, found, edited, duplicated, deleted
purposes.py   marketing or important
steps.py      a step of a draft saved over nobody else's change
starting.py   scheduled, started, undone
lifecycle.py  every other change of state
"""

from webapp.core.broadcasts.drafts import (
    EDITABLE,
    ON_CONTENT,
    create,
    delete_draft,
    duplicate,
    edit,
    get,
    named,
    sending,
    some,
)
from webapp.core.broadcasts.lifecycle import (
    cancel,
    content_was_refused,
    finish_if_done,
    pause,
    probe_succeeded,
    remember_relay_errors,
    reopen,
    resume,
    stop,
)
from webapp.core.broadcasts.starting import (
    begins_at,
    can_undo,
    confirm_start,
    is_due,
    is_missed,
    missed_start,
    schedule,
    send_now,
    start,
    undo,
    unschedule,
)

__all__ = [
    "EDITABLE",
    "ON_CONTENT",
    "begins_at",
    "can_undo",
    "cancel",
    "confirm_start",
    "content_was_refused",
    "create",
    "delete_draft",
    "duplicate",
    "edit",
    "finish_if_done",
    "get",
    "is_due",
    "is_missed",
    "missed_start",
    "named",
    "pause",
    "probe_succeeded",
    "remember_relay_errors",
    "reopen",
    "resume",
    "schedule",
    "send_now",
    "sending",
    "some",
    "start",
    "stop",
    "undo",
    "unschedule",
]
