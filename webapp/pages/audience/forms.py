"""What the forms of the audience's pages send."""

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import AnyOf, InputRequired

from webapp.core.audience import AudienceFilter, audience_of, criteria_of
from webapp.core.broadcasts.steps import digest_of_filter
from webapp.core.errors import Invalid
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import Broadcast, PickKind


def chosen_filter(form: MultiDict[str, str], message_type: MessageType) -> AudienceFilter:
    """The choices of a sent form: each criterion's name as often as it has values. Raises Invalid."""
    return AudienceFilter.from_dict(message_type, {name: form.getlist(name) for name in criteria_of(message_type)})


def type_of_form(form: Mapping[str, str], broadcast: Broadcast) -> MessageType:
    """The message type for which the form was made; it may have been switched in another tab since."""
    sent = form.get("message_type", "")
    return MessageType(sent) if sent in set(MessageType) else broadcast.message_type


def changes_to(broadcast: Broadcast, chosen: AudienceFilter) -> dict[str, Any]:
    """What a filter changes in a broadcast, as `steps.save` takes it. Whatever applies to other message types alone is kept."""
    if digest_of_filter(chosen) == digest_of_filter(audience_of(broadcast).filter):
        return {}
    stored = chosen.stored(before=broadcast.audience_filter or {})
    return {"message_type": chosen.message_type, "audience_filter": stored}


class PickForm(FlaskForm):
    """One client added beyond the filter, left out, or ("") left to the filter again. `place` is the list the button stands in, `back`
    the query of its page."""

    client_id = IntegerField(validators=[InputRequired()])
    kind = StringField(validators=[AnyOf(["", *PickKind])])
    place = HiddenField()
    back = HiddenField()

    @property
    def pick_kind(self) -> PickKind | None:
        return PickKind(self.kind.data) if self.kind.data else None

    def checked(self) -> "PickForm":
        """The form itself. Raises Invalid."""
        if not self.validate_on_submit():
            raise Invalid("This cannot be done with a client: reload the page and try again.")
        return self
