"""What is typed at log-in and in My account. Whether it is right the verbs say."""

from typing import Any

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

PASSWORD_CHARACTERS_MAX = 200  # more than any password may have: the rest is refused with words
NAME_CHARACTERS_MAX = 60
PHONE_CHARACTERS_MAX = 16  # fifteen digits and a plus


def sent_by(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: nothing while it is only looked at."""
    return request.POST if request.method == "POST" else None


def _password(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=PASSWORD_CHARACTERS_MAX, strip=False, widget=widget, **options)


def _code(**options: Any) -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "class": "tnum"}
    return forms.CharField(label=_("Code"), max_length=40, widget=forms.TextInput(attrs=attrs), **options)


class LogInForm(forms.Form):
    login = forms.CharField(
        max_length=60, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True})
    )
    password = _password(_("Password"), "current-password")


class CodeForm(forms.Form):
    code = _code()


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    new_password = _password(_("New password"), "new-password")
    confirm_password = _password(_("Confirm password"), "new-password")

    def clean(self) -> dict[str, Any]:
        sent: dict[str, Any] = super().clean() or {}
        if {"new_password", "confirm_password"} <= sent.keys() and sent["new_password"] != sent["confirm_password"]:
            self.add_error("confirm_password", _("Differs from the new password."))
        return sent


class ChangePasswordForm(NewPasswordForm):
    current_password = _password(_("Current password"), "current-password")
    field_order = ("current_password", "new_password", "confirm_password")


class ForgottenForm(forms.Form):
    asked_for = forms.CharField(
        label=_("Login or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class NameForm(forms.Form):
    first_name = forms.CharField(label=_("First name"), max_length=NAME_CHARACTERS_MAX)
    last_name = forms.CharField(label=_("Last name"), max_length=NAME_CHARACTERS_MAX)


class PhoneForm(forms.Form):
    phone = forms.CharField(
        label=_("Phone number"),
        max_length=PHONE_CHARACTERS_MAX,
        help_text=_("In international form, 15 digits at most"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )


class OwnPasswordForm(forms.Form):
    current_password = _password(_("Enter your current password"), "current-password")


class WordForm(forms.Form):
    word = forms.CharField(label=_("Type delete-account"), max_length=60)


class PictureForm(forms.Form):
    picture = forms.FileField(label=_("Picture"), widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}))
