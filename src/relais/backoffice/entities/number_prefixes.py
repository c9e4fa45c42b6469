"""Leading digits of number ranges, with their country and network: everybody looks at them, the System owner keeps them."""

from typing import ClassVar

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Code, Kind, Name, Reference
from relais.records.catalog.actions.edit_dictionaries import delete_dictionary_entry, save_number_prefix
from relais.records.catalog.models import Country, Network, NumberPrefix


class NumberPrefixForm(RecordForm):
    country = ReferenceField(lambda viewer, chosen: viewer.rows(Country))
    network = ReferenceField(
        lambda viewer, chosen: viewer.rows(Network).filter(country=chosen["country"]),
        depends_on=("country",),
        required=False,
        help_text="Blank where it is not known",
    )
    fixed = ("prefix",)

    class Meta:
        model = NumberPrefix
        fields = ("prefix", "country", "network")
        labels: ClassVar = {"prefix": "Number prefix"}
        help_texts: ClassVar = {
            "prefix": "Digits from the calling code on, without +; the longest prefix of a number decides"
        }

    def store(self) -> NumberPrefix:
        return save_number_prefix(self.instance)


NUMBER_PREFIXES = Entity(
    name="number-prefixes",
    model=NumberPrefix,
    label="Number prefix",
    plural="Number prefixes",
    line="MCCMNC",
    menu=Menu("MCCMNC", 30),
    columns=(
        Column("prefix", "Number prefix", Name(), phone="m1"),
        Column("country", "Country", Reference("countries"), sort="country__name", phone="m3"),
        Column("iso", "ISO code", Code(), path="country_id"),
        Column("network", "Network", Reference("networks"), sort="network__name", phone="m2"),
        Column("source", "Source", Kind(), phone="m4"),
    ),
    filters=(
        Filter("prefix", "Number prefix"),
        Filter("country", "Country", "reference", of=Country),
        Filter("network", "Network", "reference", of=Network),
        Filter("source", "Source"),
    ),
    search=("prefix", "country__name", "network__name"),
    search_hint="Digits, country or network",
    order="pk",
    sections=(Section("Number prefix", ("prefix", "country", "network", "source")),),
    rows=lambda rows: rows.select_related("country", "network"),
    form=NumberPrefixForm,
    deletes=lambda entry, viewer: delete_dictionary_entry(entry),
    empty="A number prefix tells country and network of a number. `relais migrate` loads the shipped dictionary.",
)
