"""Users of the BackOffice and of the Client portal (USR-1 to USR-57)."""

from typing import Any, ClassVar

from django import forms
from django.db.models import Q, QuerySet

from relais.backoffice.kinds import DayOf
from relais.backoffice.permission_field import PermissionsField, Sent, Shown, shown_groups
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import ReferenceField
from relais.pages.kinds import Badge, Choice, Code, Computed, Day, Flag, Id, Instant, Name, Reference
from relais.pages.people import ACCESS, GENERAL, Language, PersonForm, roles_told
from relais.pages.viewer import Viewer
from relais.pages.widgets import CreatableField, ReferencesField
from relais.records.access.actions.block_unused_users import unblock_user
from relais.records.errors import Invalid
from relais.records.parties.models import Company, CompanyType
from relais.records.people.actions.delete_user import delete_user
from relais.records.people.actions.save_department import save_department
from relais.records.people.actions.save_user import save_user
from relais.records.people.models import Department, Interface, Role, User
from relais.records.people.permissions import NONE, effective_levels, highest, role_levels, with_deviations
from relais.records.people.roles import roles_for
from relais.records.visibility import departments_of


class UserForm(PersonForm):
    """Levels that differ from what the roles give are for this user alone (USR-33); when roles are chosen anew, the others
    follow them."""

    interface: ClassVar[str] = Interface.BACKOFFICE
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company).filter(type=CompanyType.RESELLER))
    no_restrictions = forms.BooleanField(
        required=False, help_text="Everything of the own company and those directly below, whatever the roles say"
    )
    roles = ReferencesField(
        lambda viewer, chosen: offered_roles(viewer, chosen["company"], Interface.BACKOFFICE),
        depends_on=("company",),
        label="Role",
        required=False,
        help_text="At least one, or No restrictions; of several the highest level counts",
    )
    levels = PermissionsField("company", "roles")

    class Meta(PersonForm.Meta):
        fields = ("company", *PersonForm.Meta.fields, "no_restrictions")

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        stored: User | None = options.get("instance")
        if stored is None:
            options["initial"] = {"company": viewer.company.pk} | (options.get("initial") or {}) | {"roles": ()}
        elif stored.last_login is not None:
            self.fixed = ("company",)  # USR-70
        super().__init__(viewer, *args, **options)
        self.fields["no_restrictions"].place = self.fields["roles"].place = "c12"
        if stored is not None:
            self.initial["roles"] = list(stored.roles.all())
            if "company" in self.fixed:
                self._offer_of_company(stored.company)
        self.fields["levels"].widget.query = f"{self.interface}={stored.pk if stored else ''}"
        self.fields["levels"].widget.shown = self._shown(stored)
        self.fields["levels"].widget.needs_phone = (
            viewer.rows(Company).filter(pk=self.value_of("company"), two_factor_required=True).exists()
        )
        self.fields["phone"].required_when = "two_factor company_two_factor"  # USR-48

    def store(self) -> User:
        user, sent = self.instance, self.cleaned_data
        if user.pk is None:
            user.interface = self.interface
        if sent["levels"] is not None:
            shown = self.fields["levels"].widget.shown
            user.deviations = {
                name: level for name, level in shown.levels.items() if level != shown.given.get(name, NONE)
            }
        return save_user(
            user,
            by=self.viewer.user,
            roles=sent["roles"],
            password=sent["password"],
            unchanged_since=self.unchanged_since,
        )

    def _offer_of_company(self, company: Company) -> None:
        self.fields["roles"].offer_only(roles_for(company, self.interface))

    def _shown(self, stored: User | None) -> Shown:
        """The levels that result from the roles now chosen, and what was set for this user alone on top of them."""
        field, sent = self.fields["levels"], self["levels"].data if self.is_bound else None
        offered = self.fields["roles"].queryset
        keys = self._role_keys(stored)
        given = highest(role_levels(role) for role in offered.filter(pk__in=keys))
        if isinstance(sent, Sent):
            before = highest(role_levels(role) for role in offered.filter(pk__in=sent.of))
            own = {name: level for name, level in sent.levels.items() if level != before.get(name, NONE)}
            levels = {**given, **own}
        else:
            levels = with_deviations(self.interface, given, stored.deviations if stored else {})
        assert isinstance(field, PermissionsField)
        return Shown(self.interface, levels, given, tuple(keys))

    def _role_keys(self, stored: User | None) -> list[int]:
        if self.is_bound:
            texts = self["roles"].data or ()
            return [int(key) for key in texts if str(key).isdecimal() and len(str(key)) < 19]
        return [role.pk for role in self.initial["roles"]]


class PortalUserForm(UserForm):
    """As in the BackOffice, and with a department (USR-46), which may be made on the way (USR-51)."""

    interface = Interface.CLIENT_PORTAL
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company))
    department = CreatableField(
        lambda viewer, chosen: departments_of(chosen["company"]),
        depends_on=("company",),
        help_text="Decides which conversations the user reaches; type a name to make a new one",
    )
    roles = ReferencesField(
        lambda viewer, chosen: offered_roles(viewer, chosen["company"], Interface.CLIENT_PORTAL),
        depends_on=("company",),
        label="Role",
        required=False,
        help_text="At least one, or No restrictions; of several the highest level counts",
    )

    class Meta(UserForm.Meta):
        fields = (*UserForm.Meta.fields, "department")

    def store(self) -> User:
        if self.instance.department is not None and self.instance.department.pk is None:
            self.instance.department = self._new_department(self.instance.department)
        return super().store()

    def _new_department(self, department: Department) -> Department:
        department.company = self.instance.company
        try:
            return save_department(department)
        except Invalid as invalid:
            raise Invalid({"department": invalid.reasons["name"]}) from None

    def _offer_of_company(self, company: Company) -> None:
        super()._offer_of_company(company)
        self.fields["department"].offer_only(departments_of(company.pk))


def offered_roles(viewer: Viewer, company_key: Any, interface: str) -> QuerySet[Role]:
    """What users of that company may be given, where the viewer sees the company."""
    company = viewer.rows(Company).filter(pk=company_key).first()
    return Role.objects.none() if company is None else roles_for(company, interface)


def _rows(users: QuerySet[User]) -> QuerySet[User]:
    return users.select_related("company", "department").prefetch_related("roles")


def _blocks(user: User, viewer: Viewer) -> list[Block]:
    if user.no_restrictions:
        given, hint = None, "No restrictions: whatever the roles say"
    else:
        given, hint = highest(role_levels(role) for role in user.roles.all()), "As they result from the roles"
    groups = shown_groups(user.interface, effective_levels(user), given)
    return [Block("backoffice/permissions.html", {"groups": groups, "hint": hint})]


COLUMNS = (
    Column("id", "ID", Id(), path="pk", sort="pk"),
    Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
    Column("login", "Login", Name(), phone="m1"),
    Column("first_name", "First name"),
    Column("middle_name", "Middle name"),
    Column("last_name", "Last name", phone="m2"),
    Column("created_at", "Created", DayOf()),
    Column("job_title", "Job title"),
    Column("phone", "Phone number", Code()),
    Column("e_mail", "E-mail"),
    Column("last_login", "Last login", DayOf()),
    Column("is_active", "Enabled", Badge(ACCESS), phone="m4"),
    Column("roles", "Role", Computed(roles_told), sort=None, shown=False),
    Column("birthday", "Birthday", Day(), shown=False),
    Column("country", "Country", Choice(COUNTRY_NAMES), shown=False),
    Column("language", "Language", Language(), shown=False),
    Column("timezone", "Timezone", shown=False),
    Column("two_factor", "Two factor authentication", Flag(), shown=False),
    Column("no_restrictions", "No restrictions", Flag(), shown=False),
    Column("blocked_at", "Blocked for inactivity", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
)
FILTERS = (
    Filter("company", "Company", "reference", of=Company),
    Filter("roles", "Role", "reference", of=Role),
    Filter("is_active", "Enabled", "flag"),
    Filter("blocked_at", "Blocked for inactivity", "day"),
    Filter("login", "Login"),
    Filter("last_name", "Last name"),
    Filter("e_mail", "E-mail"),
    Filter("created_at", "Created", "day"),
)
UNBLOCK = Action(
    "unblock",
    "Unblock",
    lambda user, viewer, sent: unblock_user(user.pk, viewer.user, viewer.now),
    shown=lambda user: user.blocked_at is not None,
    confirm="The user was away for too long, and may log in again from now on.",
)
SHARED: dict[str, Any] = {
    "model": User,
    "line": "Users",
    "search": ("login", "first_name", "last_name", "e_mail", "company__name"),
    "search_hint": "Login, name, e-mail or company",
    "sections": (
        Section("General", ("company", "department", *GENERAL)),
        Section("Role", ("no_restrictions", "roles", "levels")),
    ),
    "deletes": lambda user, viewer: delete_user(user.pk, viewer.now, by=viewer.user),
    "actions": (UNBLOCK,),
    "rows": _rows,
    "blocks": _blocks,
}


USERS = Entity(
    name="users",
    label="User",
    plural="BackOffice users",
    menu=Menu("Users", 10),
    columns=COLUMNS,
    filters=FILTERS,
    of=lambda viewer: Q(interface=Interface.BACKOFFICE),
    form=UserForm,
    empty="BackOffice users are your own team, and that of resellers directly below.",
    **SHARED,
)
PORTAL_USERS = Entity(
    name="portal-users",
    label="Client portal user",
    plural="Client portal users",
    menu=Menu("Users", 20),
    columns=(*COLUMNS[:-1], Column("department", "Department", Reference("departments"), shown=False), COLUMNS[-1]),
    filters=(*FILTERS, Filter("department", "Department", "reference", of=Department)),
    of=lambda viewer: Q(interface=Interface.CLIENT_PORTAL),
    form=PortalUserForm,
    empty="Client portal users are your clients' people. Add one with the role Admin, who then adds the others.",
    **SHARED,
)
