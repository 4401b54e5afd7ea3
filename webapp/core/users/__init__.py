"""The people who sign in: accounts, passwords, sign-ins that can be revoked, one-time links, and who may try how often."""

from webapp.core.users.accounts import by_email, change_profile, create, get, id_of, listing, set_active
from webapp.core.users.links import LINK_LASTS, make_link, use_link
from webapp.core.users.passwords import NewPassword, change_password, fitting_hash, new_password
from webapp.core.users.sign_ins import (
    IDLE,
    SETS_PASSWORD_FOR,
    SIGN_IN_LASTS,
    SignInOrigin,
    Visit,
    end_sign_in,
    seen,
    sign_in,
    sign_ins,
    sign_out,
    sign_out_elsewhere,
    signed_in,
)
from webapp.core.users.throttle import FAILURE_WINDOW, FAILURES_ALLOWED, authenticate, failed, keys_for, may_try, unlock

__all__ = [
    "FAILURES_ALLOWED",
    "FAILURE_WINDOW",
    "IDLE",
    "LINK_LASTS",
    "SETS_PASSWORD_FOR",
    "SIGN_IN_LASTS",
    "NewPassword",
    "SignInOrigin",
    "Visit",
    "authenticate",
    "by_email",
    "change_password",
    "change_profile",
    "create",
    "end_sign_in",
    "failed",
    "fitting_hash",
    "get",
    "id_of",
    "keys_for",
    "listing",
    "make_link",
    "may_try",
    "new_password",
    "seen",
    "set_active",
    "sign_in",
    "sign_ins",
    "sign_out",
    "sign_out_elsewhere",
    "signed_in",
    "unlock",
    "use_link",
]
