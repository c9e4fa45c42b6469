"""Departments of users of the Client portal: they decide which conversations a user reaches (USR-49 to 52, USR-78)."""

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Id, Instant, Name, Reference
from relais.records.parties.models import Company
from relais.records.people.actions.delete_department import delete_department
from relais.records.people.actions.save_department import save_department
from relais.records.people.models import Department


class DepartmentForm(RecordForm):
    company = ReferenceField(lambda viewer, chosen: viewer.rows(Company))
    fixed = ("company",)

    class Meta:
        model = Department
        fields = ("company", "name")

    def store(self) -> Department:
        return save_department(self.instance, unchanged_since=self.unchanged_since)


DEPARTMENTS = Entity(
    name="departments",
    model=Department, label="Department", plural="Departments", line="Users", menu=Menu("Users", 40),
    columns=(Column("id", "ID", Id(), path="pk"), Column("name", "Name", Name(), phone="m1"),
             Column("company", "Company", Reference("companies"), sort="company__name", phone="m3"),
             Column("created_at", "Created", Instant()), Column("updated_at", "Updated", Instant(), shown=False)),
    filters=(Filter("name", "Name"), Filter("company", "Company", "reference", of=Company)),
    search=("name", "company__name"), search_hint="Name or company",
    sections=(Section("Department", ("company", "name")),),
    rows=lambda rows: rows.select_related("company"), form=DepartmentForm,
    deletes=lambda department, viewer: delete_department(department.pk),
    empty="Departments decide which conversations a user of the Client portal reaches. Two always exist.",
)  # fmt: skip
