"""Roles of both interfaces: the system's, and those that the own company made (ROLE-1 to ROLE-20)."""

from typing import Any, ClassVar

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from relais.backoffice.permission_field import PermissionsField, Sent, Shown, shown_groups
from relais.pages.entity import Block, Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import NOTHING, Choice, Computed, Id, Instant, Kind, Name
from relais.pages.viewer import Viewer
from relais.pages.widgets import ReferencesField
from relais.records.parties.models import Company
from relais.records.people.actions.delete_role import delete_role
from relais.records.people.actions.save_role import save_role
from relais.records.people.models import ROLE_NAME_MAX, Interface, Role
from relais.records.people.permissions import role_levels

INTERFACES = {Interface.BACKOFFICE: "BackOffice", Interface.CLIENT_PORTAL: "Client portal"}


class RoleName(Name):
    """With the label SYSTEM where it applies (ROLE-5)."""

    def html(self, value: Any, row: Any) -> SafeString:
        return format_html('{} <span class="tag">SYSTEM</span>', value) if row.is_system else super().html(value, row)


class RoleForm(RecordForm):
    """The template only pre-fills: the role keeps no tie to it (ROLE-25)."""

    fixed = ("interface",)
    name = forms.CharField(max_length=ROLE_NAME_MAX)
    interface = forms.ChoiceField(label="Group", choices=[("", ""), *INTERFACES.items()])
    template = ReferenceField(
        lambda viewer, chosen: viewer.rows(Role).filter(interface=chosen["interface"]),
        depends_on=("interface",),
        required=False,
        help_text="Fills in its permissions; later changes of the template do not reach this role",
    )
    companies = ReferencesField(
        lambda viewer, chosen: viewer.rows(Company),
        label="Company",
        required=False,
        help_text="Only their users may have the role; blank: the own company and all directly below it",
    )
    levels = PermissionsField("interface", "template")

    class Meta:
        model = Role
        fields = ("name", "description")
        widgets: ClassVar = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        super().__init__(viewer, *args, **options)
        self.fields["name"].counted = True
        if self.instance.pk:
            self.initial["companies"] = list(self.instance.companies.all())
            template = self.fields["template"]
            template.offer_only(
                viewer.rows(Role).filter(interface=self.instance.interface).exclude(pk=self.instance.pk)
            )
        self.fields["levels"].widget.query = f"role={self.instance.pk}" if self.instance.pk else "role="
        self.fields["levels"].widget.shown = self._shown()

    def _shown(self) -> Shown:
        """Levels as sent; those of a template that was chosen since; else as stored."""
        interface = str(self.instance.interface if self.instance.pk else self.value_of("interface") or "")
        asked = self.value_of("template")
        template = self.fields["template"].queryset.filter(pk=asked).first() if asked else None
        of = (template.pk,) if template is not None else ()
        sent: Sent | None = self["levels"].data if self.is_bound else None
        if template is not None and (sent is None or sent.of != of):
            return Shown(interface, role_levels(template), None, of)
        return Shown(interface, dict(self.instance.levels) if sent is None else sent.levels, None, of)

    def store(self) -> Role:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
            self.instance.interface = self.cleaned_data["interface"]
        self.instance.levels = dict(self.fields["levels"].widget.shown.levels)
        return save_role(
            self.instance,
            by=self.viewer.user,
            companies=self.cleaned_data["companies"],
            unchanged_since=self.unchanged_since,
        )


def _companies(role: Role) -> tuple[str, str]:
    names = ", ".join(company.name for company in role.companies.all())
    return names or NOTHING, names


def _blocks(role: Role, viewer: Viewer) -> list[Block]:
    return [Block("backoffice/permissions.html", {"groups": shown_groups(role.interface, role_levels(role))})]


ROLES = Entity(
    name="roles",
    model=Role,
    label="Role",
    plural="Roles",
    line="Roles",
    menu=Menu("Users", 30),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", RoleName(), phone="m1"),
        Column("interface", "Group", Choice(INTERFACES), phone="m2"),
        Column("companies", "Company", Computed(_companies), sort=None, phone="m3"),
        Column("description", "Description", Kind()),
        Column("made_by", "Made by", Kind(), path="company__name", shown=False),
        Column("created_at", "Created", Instant(), shown=False),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(
        Filter("name", "Name"),
        Filter("interface", "Group", "choice", choices=tuple(INTERFACES.items())),
        Filter("companies", "Company", "reference", of=Company),
    ),
    search=("name", "description"),
    search_hint="Name or description",
    sections=(Section("Role", ("name", "interface", "template", "companies", "description", "made_by", "levels")),),
    rows=lambda rows: rows.select_related("company").prefetch_related("companies"),
    form=RoleForm,
    deletes=lambda role, viewer: delete_role(role.pk),
    blocks=_blocks,
    empty="A role says what its users may view and manage. The system brings some; make your own where those do not fit.",
)
