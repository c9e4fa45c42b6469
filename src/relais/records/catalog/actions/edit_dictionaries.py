"""Single entries of the numbering dictionaries: countries, networks with their codes, number prefixes.

That only the System owner may edit them is checked by the page; the dictionaries belong to no company.
"""

from django.db import transaction
from django.db.models import Model

from relais.records.catalog.countries import require_country
from relais.records.catalog.models import Country, Network, NetworkCode, NumberPrefix
from relais.records.errors import Invalid
from relais.records.hanging import require_nothing_hanging
from relais.records.saving import find, prepare, save

MANUAL = "manual"  # the loader of shipped dictionaries leaves these alone


@transaction.atomic
def save_country(country: Country) -> Country:
    """The ISO code is final: companies, banks and rates refer to it. `Invalid` for a name that another country has."""
    country.iso = country.iso.strip().upper()
    prepare(country)
    if Country.objects.filter(name__iexact=country.name).exclude(pk=country.pk).exists():
        raise Invalid.of("name", "another country has it")
    save(country)
    return country


@transaction.atomic
def save_network(network: Network) -> Network:
    """`Invalid` for a name that another network of the country has, whatever its case, and for another country once the
    network has codes or prefixes."""
    former = prepare(network)
    require_country(network.country_id)
    same = Network.objects.filter(country_id=network.country_id, name__iexact=network.name).exclude(pk=network.pk)
    if same.exists():
        raise Invalid.of("name", "another network of this country has it")
    if former is not None and former.country_id != network.country_id:
        used = (
            NetworkCode.objects.filter(network=former).exists() or NumberPrefix.objects.filter(network=former).exists()
        )
        if used:
            raise Invalid.of("country", "cannot be changed: the network has codes or number prefixes")
    save(network)
    return network


@transaction.atomic
def save_network_code(code: NetworkCode) -> NetworkCode:
    """`mccmnc` follows from MCC and MNC and is final; the network it belongs to may change."""
    code.mcc, code.mnc = code.mcc.strip(), code.mnc.strip()
    if code._state.adding:
        code.mccmnc = code.mcc + code.mnc
        if NetworkCode.objects.filter(pk=code.mccmnc).exists():
            raise Invalid.of("mnc", "the code %(code)s is there already", code=code.mccmnc)
    elif code.mccmnc != code.mcc + code.mnc:
        raise Invalid.of("mnc", "cannot be changed: delete the code and add another")
    prepare(code)
    save(code)
    return code


@transaction.atomic
def save_number_prefix(prefix: NumberPrefix) -> NumberPrefix:
    """`Invalid` for a network of another country. From now on the entry is kept when shipped dictionaries change."""
    if prefix._state.adding:
        prefix.prefix = prefix.prefix.strip().removeprefix("+")
        if NumberPrefix.objects.filter(pk=prefix.prefix).exists():
            raise Invalid.of("prefix", "is there already")
    prepare(prefix)
    require_country(prefix.country_id)
    if prefix.network is not None and prefix.network.country_id != prefix.country_id:
        raise Invalid.of("network", "belongs to another country")
    prefix.source = MANUAL
    save(prefix)
    return prefix


@transaction.atomic
def delete_dictionary_entry(entry: Country | Network | NetworkCode | NumberPrefix) -> None:
    """Refused, saying what refers to it. Rates that name a network keep their price and show a missed option (SV-69)."""
    stored: Model = find(type(entry), entry.pk)
    require_nothing_hanging(stored)
    stored.delete()
