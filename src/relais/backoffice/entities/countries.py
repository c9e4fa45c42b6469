"""Countries of the dictionary: everybody looks at them, the System owner keeps them."""

from typing import ClassVar

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm
from relais.pages.kinds import Code, Name, Number
from relais.records.catalog.actions.edit_dictionaries import delete_dictionary_entry, save_country
from relais.records.catalog.models import Country, Network


class CountryForm(RecordForm):
    fixed = ("iso",)

    class Meta:
        model = Country
        fields = ("iso", "name")
        labels: ClassVar = {"iso": "ISO code"}
        help_texts: ClassVar = {"iso": "Two capital letters of ISO 3166-1"}

    def store(self) -> Country:
        return save_country(self.instance)


def _rows(rows: QuerySet[Country]) -> QuerySet[Country]:
    counted = Network.objects.filter(country=OuterRef("pk")).order_by().values("country")
    count = Subquery(counted.annotate(count=Count("pk")).values("count"))
    return rows.annotate(networks_count=Coalesce(count, 0, output_field=IntegerField()))


COUNTRIES = Entity(
    name="countries",
    model=Country,
    label="Country",
    plural="Countries",
    line="MCCMNC",
    menu=Menu("MCCMNC", 40),
    columns=(
        Column("iso", "ISO code", Code(), phone="m3"),
        Column("name", "Name", Name(), phone="m1"),
        Column("networks_count", "Networks", Number(), phone="m2"),
    ),
    filters=(Filter("iso", "ISO code"), Filter("name", "Name"), Filter("networks_count", "Networks", "number")),
    search=("name", "iso"),
    search_hint="Name or ISO code",
    order="name",
    sections=(Section("Country", ("iso", "name")), Section("In the dictionary", ("networks_count",))),
    rows=_rows,
    form=CountryForm,
    deletes=lambda entry, viewer: delete_dictionary_entry(entry),
    empty="Countries are what rates are split by. `relais migrate` loads the shipped dictionary.",
)
