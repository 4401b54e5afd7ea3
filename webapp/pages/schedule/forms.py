from flask_wtf import FlaskForm
from wtforms import DateField, IntegerField, StringField, TimeField
from wtforms.validators import AnyOf, NumberRange, Optional

from webapp.core.tables.broadcasts import UncertainPolicy

MOST_MAILS = 1_000_000
LONGEST_INTERVAL_S = 86_400

WHEN = (("now", "As soon as I confirm"), ("later", "At a date and time"))
POLICIES = (
    (UncertainPolicy.HOLD.value, "Hold it", "Somebody looks at it and decides. Nobody gets the mail twice."),
    (
        UncertainPolicy.RETRY.value,
        "Send it again",
        "The same mail once more, marked here. Now and then somebody gets it twice.",
    ),
)


class ScheduleForm(FlaskForm):
    when = StringField("Start", validators=[AnyOf([value for value, _label in WHEN])])
    date = DateField("Date", validators=[Optional()])
    time = TimeField("Time", validators=[Optional()], format=["%H:%M", "%H:%M:%S"])
    time_zone = StringField("Time zone")
    which = StringField("Which of two equal times", validators=[Optional(), AnyOf(["first", "second"])])
    batch_size = IntegerField(
        "Mails", validators=[NumberRange(0, MOST_MAILS, f"Use a whole number from 0 to {MOST_MAILS:,}.")]
    )
    interval_s = IntegerField(
        "Seconds",
        validators=[NumberRange(1, LONGEST_INTERVAL_S, f"Use a whole number from 1 to {LONGEST_INTERVAL_S:,}.")],
    )
    uncertain_policy = StringField(validators=[AnyOf([policy.value for policy in UncertainPolicy])])
