"""Departments of the company: they decide which conversations a user reaches (CP-28, CP-29, USR-49 to 52, USR-78)."""

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Flag, Id, Instant, Name
from relais.records.people.actions.delete_department import delete_department
from relais.records.people.actions.save_department import save_department
from relais.records.people.models import Department


class DepartmentForm(RecordForm):
    class Meta:
        model = Department
        fields = ("name",)

    def store(self) -> Department:
        if self.instance.pk is None:
            self.instance.company = self.viewer.company
        return save_department(self.instance, unchanged_since=self.unchanged_since)


DEPARTMENTS = Entity(
    name="departments",
    model=Department,
    label="Department",
    plural="Departments",
    line="Users and departments",
    menu=Menu("Users", 20),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("own", "Made by your company", Flag(), path="company_id", sort=None, phone="m2"),
        Column("created_at", "Created", Instant(), phone="m3"),
        Column("updated_at", "Updated", Instant(), shown=False),
    ),
    filters=(Filter("name", "Name"),),
    search=("name",),
    search_hint="Name",
    sections=(Section("Department", ("name", "own")),),
    form=DepartmentForm,
    deletes=lambda department, viewer: delete_department(department.pk),
    empty="Departments decide which conversations a user reaches. Two always exist.",
)
