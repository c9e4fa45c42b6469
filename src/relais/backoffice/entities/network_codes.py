"""MCC and MNC of networks: everybody looks at them, the System owner keeps them, one by one or by import."""

from typing import ClassVar

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Code, Name, Reference
from relais.records.catalog.actions.edit_dictionaries import delete_dictionary_entry, save_network_code
from relais.records.catalog.models import Country, Network, NetworkCode


class NetworkCodeForm(RecordForm):
    network = ReferenceField(
        lambda viewer, chosen: viewer.rows(Network).select_related("country"), search=("name", "country__name")
    )
    fixed = ("mcc", "mnc")

    class Meta:
        model = NetworkCode
        fields = ("mcc", "mnc", "network")
        labels: ClassVar = {"mcc": "MCC", "mnc": "MNC"}
        help_texts: ClassVar = {
            "mcc": "Three digits of the country",
            "mnc": "Two or three digits; a zero in front counts",
        }

    def store(self) -> NetworkCode:
        return save_network_code(self.instance)


NETWORK_CODES = Entity(
    name="network-codes",
    model=NetworkCode,
    label="Network code",
    plural="Network codes",
    line="MCCMNC",
    menu=Menu("MCCMNC", 20),
    columns=(
        Column("mccmnc", "MCCMNC", Name(), phone="m1"),
        Column("mcc", "MCC", Code(), phone="m3"),
        Column("mnc", "MNC", Code(), phone="m4"),
        Column("network", "Network", Reference("networks"), sort="network__name", phone="m2"),
        Column("operator", "MNO", path="network__operator"),
        Column("country", "Country", path="network__country__name"),
        Column("iso", "ISO code", Code(), path="network__country_id"),
    ),
    filters=(
        Filter("mcc", "MCC"),
        Filter("mnc", "MNC"),
        Filter("country", "Country", "reference", path="network__country", of=Country),
        Filter("network", "Network", "reference", of=Network),
        Filter("operator", "MNO", path="network__operator"),
    ),
    search=("mccmnc", "network__name", "network__operator", "network__country__name"),
    search_hint="Code, network, MNO or country",
    order="pk",
    sections=(Section("Network code", ("mcc", "mnc", "network", "operator", "country")),),
    rows=lambda rows: rows.select_related("network__country"),
    form=NetworkCodeForm,
    deletes=lambda entry, viewer: delete_dictionary_entry(entry),
    empty="Network codes tell which network a message goes to. `relais migrate` loads the shipped dictionary.",
)
