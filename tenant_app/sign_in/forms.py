"""The sign-in form."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

SHORT_ENOUGH = Length(max=1000, message=_("That is too long."))


class SignInForm(FlaskForm):
    """E-mail and password."""

    email = StringField(_("E-mail"), [InputRequired(_("Enter your e-mail address.")), SHORT_ENOUGH])
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password.")), SHORT_ENOUGH])
