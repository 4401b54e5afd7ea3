from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from webapp.core.rules.passwords import MIN_PASSWORD

TIME_ZONES = sorted(
    zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix", "right"))
)
TIME_ZONES.insert(0, "UTC")


class ProfileForm(FlaskForm):
    name = StringField("Name", validators=[Length(max=200, message="At most 200 characters.")])
    time_zone = StringField("Time zone", validators=[InputRequired("Choose a time zone.")])


class PasswordForm(FlaskForm):
    current = PasswordField("Present password", validators=[InputRequired("Enter your present password.")])
    password = PasswordField(
        "New password",
        validators=[
            InputRequired("Enter a new password."),
            Length(min=MIN_PASSWORD, message=f"Use at least {MIN_PASSWORD} characters."),
        ],
    )
    again = PasswordField("New password, again", validators=[EqualTo("password", message="The two are not the same.")])
