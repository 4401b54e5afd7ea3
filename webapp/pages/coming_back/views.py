"""The window in which somebody signs in again over the page that they are on."""

from flask import Blueprint
from flask_login import current_user

from webapp.pages.fragments import fragment
from webapp.pages.sign_in.forms import SignInForm

bp = Blueprint("coming_back", __name__, url_prefix="/coming-back")


@bp.get("/sign-in-window")
def sign_in_window() -> str:
    """The sign-in as a fragment; for somebody who is signed in, the token with which the page's forms are sent from now on."""
    if current_user.is_authenticated:
        return fragment("coming_back/_signed_in.html")
    return fragment("coming_back/_sign_in_window.html", form=SignInForm(formdata=None))
