from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length


class FromAddressForm(FlaskForm):
    name = StringField("Name", validators=[Length(max=200, message="At most 200 characters.")])
    address = StringField("Address", validators=[InputRequired("Enter an address."), Length(max=320)])


class UserForm(FlaskForm):
    name = StringField("Name", validators=[Length(max=200, message="At most 200 characters.")])
    email = StringField("E-mail", validators=[InputRequired("Enter an e-mail address."), Length(max=320)])
