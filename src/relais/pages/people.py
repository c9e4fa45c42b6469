"""What pages of users share on every site: the fields of a person, and how access and roles are told."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings

from relais.pages.choices import country_choices
from relais.pages.forms import DayField, RecordForm, ZoneField
from relais.pages.kinds import Kind
from relais.pages.viewer import Viewer
from relais.pages.widgets import SecretInput
from relais.records.people.actions.save_user import NAME_MAX
from relais.records.people.models import User
from relais.records.people.passwords import LENGTH_MAX

ACCESS = {True: ("Enabled", "ok"), False: ("Disabled", "hollow")}
PERSON = ("first_name", "last_name", "middle_name")
GENERAL = (
    "login", "password", "password_again", *PERSON, "birthday", "job_title", "phone", "e_mail", "country",
    "language", "timezone", "two_factor", "is_active", "last_login", "blocked_at",
)  # fmt: skip


def _password(label: str, hint: str = "") -> forms.CharField:
    widget = SecretInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=label, strip=False, required=False, max_length=LENGTH_MAX, widget=widget, help_text=hint
    )


class Language(Kind):
    """A language by its own name, in whatever language the page is."""

    def text(self, value: str, row: Any) -> str:
        return dict(settings.LANGUAGES).get(value, value)


class PersonForm(RecordForm):
    """Who somebody is and how they log in. Empty passwords keep the stored one (USR-40)."""

    password = _password(
        "Password", "8 to 128 characters: three of capitals, small letters, digits, special characters"
    )
    password_again = _password("Re-type password")
    first_name = forms.CharField(max_length=NAME_MAX)
    last_name = forms.CharField(max_length=NAME_MAX)
    middle_name = forms.CharField(max_length=NAME_MAX, required=False)
    birthday = DayField(required=False)
    phone = forms.CharField(
        label="Phone number",
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
        help_text="With the country code; required with two-factor authentication",
    )
    country = forms.ChoiceField(choices=country_choices, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES, initial="en")
    timezone = ZoneField(required=False)
    is_active = forms.BooleanField(
        label="Enabled", required=False, initial=True, help_text="The user has access to the interface"
    )

    class Meta:
        model = User
        fields: ClassVar[tuple[str, ...]] = (
            "login", *PERSON, "birthday", "job_title", "phone", "e_mail", "country", "language", "timezone", "two_factor",
            "is_active",
        )  # fmt: skip
        labels: ClassVar = {"e_mail": "E-mail", "two_factor": "Two factor authentication"}
        help_texts: ClassVar = {"two_factor": "Works only with a valid phone number"}

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        is_new = self.instance.pk is None
        for name, told in (("password", "Create a password"), ("password_again", "Type password again")):
            self.fields[name].required = is_new
            if not is_new:
                self.fields[name].widget.attrs["placeholder"] = told
        self.fields["phone"].required_when = "two_factor"  # USR-48

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("password", "") != cleaned.get("password_again", "") and not self.errors:
            self.add_error("password_again", "The two passwords differ. Type them again.")
        return cleaned


def roles_told(user: User) -> tuple[str, str]:
    """For `Computed`: the names of the user's roles, and whether there are restrictions at all."""
    names = ", ".join(role.name for role in user.roles.all())
    if user.no_restrictions:
        names = f"{names}, no restrictions" if names else "No restrictions"
    return names, names
