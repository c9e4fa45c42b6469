"""Users of the Client portal, kept by their own company (CP-14, CP-16, USR-44)."""

from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet

from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import ReferenceField
from relais.pages.kinds import Badge, Choice, Code, Computed, Day, Flag, Id, Instant, Kind, Name
from relais.pages.people import ACCESS, GENERAL, Language, PersonForm, roles_told
from relais.pages.viewer import Viewer
from relais.pages.widgets import ReferencesField
from relais.records.people.actions.delete_user import delete_user
from relais.records.people.actions.save_user import save_user
from relais.records.people.models import Department, Role, User


class UserForm(PersonForm):
    """Roles are those of the Client portal that the company may use (ROLE-27); levels that were set for one user in the
    BackOffice stay as they are."""

    department = ReferenceField(
        lambda viewer, chosen: viewer.rows(Department), help_text="Decides which conversations the user reaches"
    )
    no_restrictions = forms.BooleanField(required=False, help_text="Everything of the company, whatever the roles say")
    roles = ReferencesField(
        lambda viewer, chosen: viewer.rows(Role),
        label="Role",
        required=False,
        help_text="At least one, or No restrictions; of several the highest level counts",
    )

    class Meta(PersonForm.Meta):
        fields: ClassVar[tuple[str, ...]] = (*PersonForm.Meta.fields, "department", "no_restrictions")

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self.fields["no_restrictions"].place = self.fields["roles"].place = "c12"
        if viewer.company.two_factor_required:
            self.fields["phone"].required = True  # USR-48
        if self.instance.pk is not None:
            self.initial["roles"] = list(self.instance.roles.all())

    def store(self) -> User:
        user, sent = self.instance, self.cleaned_data
        if user.pk is None:
            user.interface, user.company = self.viewer.user.interface, self.viewer.company
        return save_user(
            user,
            by=self.viewer.user,
            roles=sent["roles"],
            password=sent["password"],
            unchanged_since=self.unchanged_since,
        )


def _rows(users: QuerySet[User]) -> QuerySet[User]:
    return users.select_related("department").prefetch_related("roles")


USERS = Entity(
    name="users",
    model=User,
    label="User",
    plural="Users",
    line="Users and departments",
    menu=Menu("Users", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("login", "Login", Name(), phone="m1"),
        Column("first_name", "First name"),
        Column("last_name", "Last name", phone="m3"),
        Column("roles", "Role", Computed(roles_told), sort=None, phone="m2"),
        Column("department", "Department", Kind(), sort="department__name"),
        Column("e_mail", "E-mail"),
        Column("phone", "Phone number", Code()),
        Column("last_login", "Last login", Instant()),
        Column("is_active", "Enabled", Badge(ACCESS), phone="m4"),
        Column("middle_name", "Middle name", shown=False),
        Column("job_title", "Job title", shown=False),
        Column("birthday", "Birthday", Day(), shown=False),
        Column("country", "Country", Choice(COUNTRY_NAMES), shown=False),
        Column("language", "Language", Language(), shown=False),
        Column("timezone", "Timezone", shown=False),
        Column("two_factor", "Two factor authentication", Flag(), shown=False),
        Column("no_restrictions", "No restrictions", Flag(), shown=False),
        Column("created_at", "Created", Instant(), shown=False),
    ),
    filters=(
        Filter("roles", "Role", "reference", of=Role),
        Filter("department", "Department", "reference", of=Department),
        Filter("is_active", "Enabled", "flag"),
        Filter("login", "Login"),
        Filter("last_name", "Last name"),
        Filter("e_mail", "E-mail"),
    ),
    search=("login", "first_name", "last_name", "e_mail"),
    search_hint="Login, name or e-mail",
    sections=(Section("General", GENERAL), Section("Role and department", ("roles", "department", "no_restrictions"))),
    rows=_rows,
    form=UserForm,
    deletes=lambda user, viewer: delete_user(user.pk, viewer.now, by=viewer.user),
    empty="Users are the people of your company who work here.",
)
