"""What the forms of the audience's pages send."""

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, IntegerField, StringField
from wtforms.validators import AnyOf, InputRequired

from webapp.core.audience import AudienceFilter, criteria_of
from webapp.core.errors import Invalid
from webapp.core.rules import digests
from webapp.core.rules.statuses import MessageType
from webapp.core.tables.broadcasts import PickKind


def chosen_filter(form: MultiDict[str, str], message_type: MessageType) -> AudienceFilter:
    """The choices of a sent form: each criterion's name as often as it has values. Raises Invalid."""
    return AudienceFilter.from_dict(message_type, {name: form.getlist(name) for name in criteria_of(message_type)})


def digest(chosen: AudienceFilter) -> str:
    """What tells one filter from another. A form carries that of the filter it started from, so that it overwrites no other."""
    values = {name: sorted(values) for name, values in chosen.to_dict().items()}
    return digests.digest([chosen.message_type, values])


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
