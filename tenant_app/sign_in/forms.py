"""The sign-in form."""

from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired


class SignInForm(FlaskForm):
    """E-mail and password."""

    email = StringField(_("E-mail"), [InputRequired(_("Enter your e-mail address."))])
    password = PasswordField(_("Password"), [InputRequired(_("Enter your password."))])
