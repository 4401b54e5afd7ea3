from flask_wtf import FlaskForm
from wtforms import StringField


class WebhookForm(FlaskForm):
    url = StringField("Address")
