"""A broadcast from draft to finished: the one writer of what is remembered of it.

drafts.py     made, found, edited, duplicated, deleted
lifecycle.py  every change of state
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
    confirm_start,
    content_was_refused,
    finish_if_done,
    is_missed,
    missed_start,
    pause,
    probe_succeeded,
    remember_relay_errors,
    reopen,
    resume,
    schedule,
    start,
    stop,
    values_were_removed,
)

__all__ = [
    "EDITABLE",
    "ON_CONTENT",
    "cancel",
    "confirm_start",
    "content_was_refused",
    "create",
    "delete_draft",
    "duplicate",
    "edit",
    "finish_if_done",
    "get",
    "is_missed",
    "missed_start",
    "named",
    "pause",
    "probe_succeeded",
    "remember_relay_errors",
    "reopen",
    "resume",
    "schedule",
    "sending",
    "some",
    "start",
    "stop",
    "values_were_removed",
]
