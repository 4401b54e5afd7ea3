from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired


class SignInForm(FlaskForm):
    email = StringField("E-mail", validators=[InputRequired("Enter your e-mail.")])
    password = PasswordField("Password", validators=[InputRequired("Enter your password.")])


class LinkForm(FlaskForm):
    token = StringField("What stands behind the # of the link", validators=[InputRequired("Enter the link.")])
