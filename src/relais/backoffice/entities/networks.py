"""Mobile networks of the dictionary with their codes: everybody looks at them, the System owner keeps them."""

from typing import ClassVar

from django.contrib.postgres.aggregates import StringAgg
from django.db.models import OuterRef, QuerySet, Subquery

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Code, Id, Kind, Name, Reference
from relais.records.catalog.actions.edit_dictionaries import delete_dictionary_entry, save_network
from relais.records.catalog.models import Country, Network, NetworkCode


class NetworkForm(RecordForm):
    country = ReferenceField(lambda viewer, chosen: viewer.rows(Country))

    class Meta:
        model = Network
        fields = ("name", "country", "operator")
        labels: ClassVar = {"operator": "MNO"}
        help_texts: ClassVar = {"operator": "The operator company, where it is called otherwise"}

    def store(self) -> Network:
        return save_network(self.instance)


def _rows(rows: QuerySet[Network]) -> QuerySet[Network]:
    of_network = NetworkCode.objects.filter(network=OuterRef("pk")).order_by().values("network")
    codes = of_network.annotate(told=StringAgg("mccmnc", ", ", order_by="mccmnc")).values("told")
    return rows.select_related("country").annotate(code_list=Subquery(codes))


NETWORKS = Entity(
    name="networks",
    model=Network,
    label="Network",
    plural="Networks",
    line="MCCMNC",
    menu=Menu("MCCMNC", 10),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("name", "Name", Name(), phone="m1"),
        Column("country", "Country", Reference("countries"), sort="country__name", phone="m3"),
        Column("iso", "ISO code", Code(), path="country_id"),
        Column("code_list", "Network codes", Code(), phone="m4"),
        Column("operator", "MNO", Kind(), phone="m2"),
    ),
    filters=(
        Filter("country", "Country", "reference", of=Country),
        Filter("name", "Name"),
        Filter("code_list", "Network code"),
        Filter("operator", "MNO"),
    ),
    search=("name", "operator", "code_list", "country__name"),
    search_hint="Name, MNO, code or country",
    order="country__name name",
    sections=(Section("Network", ("name", "country", "operator")), Section("In the dictionary", ("code_list",))),
    rows=_rows,
    form=NetworkForm,
    deletes=lambda entry, viewer: delete_dictionary_entry(entry),
    empty="Networks are what rates within a country are split by. `relais migrate` loads the shipped dictionary.",
)
