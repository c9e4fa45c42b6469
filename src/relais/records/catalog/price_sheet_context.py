"""What a price sheet is read against: dictionaries, and where in the tree its rates go (RI-39 to RI-43, RI-105)."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

from babel import Locale
from babel.core import get_global

from relais.core.price_sheets.codes import Codes, Network
from relais.core.price_sheets.matching import Dictionary, Entry
from relais.core.price_sheets.settings import Context
from relais.core.rating.attributes.whatsapp_region import REGIONS
from relais.core.rating.catalogue import RULES, VALUE_FORMS
from relais.core.rating.types import Parameter
from relais.dictionaries.read import country_spellings
from relais.records.catalog import models
from relais.records.catalog.rows import path_to
from relais.records.senders.models import SenderId

NAME, NAME_FRENCH, ALPHA_3, NUMERIC = "name", "name_french", "alpha_3", "numeric"
_NAMED = {NAME: "Name"}
# Codes of countries that are no more, which CLDR lists beside those in force.
_FORMER = frozenset({"BUR", "DDR", "FXX", "TMP", "YMD", "ZAR", "230", "249", "278", "280", "720", "736", "886"})
_SPELT = {"A2P": "A2P (MT)", "P2A": "P2A (MO)", "direction": "Direction (MT/MO)", "sender_id_type": "Sender ID type"}


def context_of(target: models.RateNode) -> Context:
    """For rates that go below that record."""
    codes = Codes(_networks())
    company_id = target.scope.service.company_id
    rules = RULES[target.resource]
    dictionaries = {
        parameter: made
        for parameter in rules.parameters
        if (made := _dictionary(parameter, codes, company_id)) is not None
    }
    return Context(rules, fixed_by(target), dictionaries, codes)


def name_below(parent: models.RateNode, node: models.RateNode) -> str:
    """How a record of that parent is called, without reading more dictionaries than it takes."""
    parameter = Parameter(parent.split_by or "")
    codes = Codes(_networks() if parameter in _OF_NETWORKS else ())
    dictionary = _dictionary(parameter, codes, parent.scope.service.company_id)
    known = {} if dictionary is None else {parameter: dictionary}
    return Context(RULES[node.resource], {}, known, codes).label_of(parameter, node.value)


def fixed_by(target: models.RateNode) -> dict[Parameter, str | None]:
    line = path_to(target)
    return {
        Parameter(above.split_by): None if below.is_others else below.value
        for above, below in pairwise(line)
        if above.split_by
    }


def place_of(target: models.RateNode) -> str:
    """Names the place in any version of the tree: "sms_messaging/sms_message/A2P"."""
    line = path_to(target)
    values = ("others" if node.is_others else str(node.value) for node in line[1:])
    return "/".join([target.domain, target.resource, *values])


def node_at(scope: models.Scope, place: str) -> models.RateNode | None:
    """The record in force at a place, None when there is none."""
    domain, resource, *values = [*place.split("/"), "", ""][: max(2, place.count("/") + 1)]
    rows = models.RateNode.objects.filter(scope=scope, retired_at=None)
    node = rows.filter(domain=domain, resource=resource, parent=None).first()
    for value in values:
        if node is None:
            return None
        children = rows.filter(parent=node)
        node = children.filter(is_others=True).first() if value == "others" else children.filter(value=value).first()
    return node


def _networks() -> Iterator[Network]:
    codes: dict[int, list[str]] = {}
    for network_id, mccmnc in models.NetworkCode.objects.order_by("pk").values_list("network_id", "mccmnc"):
        codes.setdefault(network_id, []).append(mccmnc)
    for pk, iso, name, operator in models.Network.objects.values_list("pk", "country_id", "name", "operator"):
        yield Network(str(pk), iso, name, operator, tuple(codes.get(pk, ())))


def _dictionary(parameter: Parameter, codes: Codes, company_id: int) -> Dictionary | None:
    """None for an attribute without a dictionary, as a phone number (RI-45)."""
    maker = _MAKERS.get(parameter)
    return maker(codes, company_id) if maker is not None else _words(parameter)


def _countries(codes: Codes, company_id: int) -> Dictionary:
    french = Locale("fr").territories
    threes, numbers = _iso_codes()
    spellings = country_spellings()
    entries = [
        Entry(
            iso,
            {
                NAME: name,
                NAME_FRENCH: french.get(iso, ""),
                ALPHA_3: threes.get(iso, ""),
                NUMERIC: numbers.get(iso, ""),
            },
            spellings=spellings.get(iso, ()),
        )
        for iso, name in models.Country.objects.values_list("iso", "name")
    ]
    attributes = {
        NAME: "Country name in English",
        NAME_FRENCH: "Country name in French",
        ALPHA_3: "Alpha-3 code",
        NUMERIC: "Numeric code",
    }
    return Dictionary("Country", entries, attributes)


@cache
def _iso_codes() -> tuple[dict[str, str], dict[str, str]]:
    """Alpha-3 and numeric codes by alpha-2, as CLDR has them."""
    threes: dict[str, str] = {}
    numbers: dict[str, str] = {}
    for alias, isos in get_global("territory_aliases").items():
        if len(isos) == 1 and len(alias) == 3 and alias not in _FORMER:
            (numbers if alias.isdigit() else threes).setdefault(isos[0], alias)
    return threes, numbers


def _of_networks(codes: Codes, company_id: int) -> Dictionary:
    entries = (Entry(network.id, {NAME: network.name}, network.iso) for network in codes.networks.values())
    return Dictionary("Network", entries, _NAMED | {Parameter.MCCMNC.value: "MCCMNC"})


def _of_codes(codes: Codes, company_id: int) -> Dictionary:
    named = ((code, f"{code[:3]}-{code[3:]} {network.name}") for code, network in codes.network_of.items())
    return Dictionary("MCCMNC", (Entry(code, {NAME: name}) for code, name in named))


def _of_mccs(codes: Codes, company_id: int) -> Dictionary:
    return Dictionary("MCC", (Entry(mcc) for mcc in sorted({code[:3] for code in codes.network_of})))


def _network_names(codes: Codes, company_id: int) -> Dictionary:
    return Dictionary("Network name", (Entry(name) for name in {network.name for network in codes.networks.values()}))


def _operators(codes: Codes, company_id: int) -> Dictionary:
    names = {network.operator for network in codes.networks.values() if network.operator}
    return Dictionary("MNO", (Entry(name) for name in names))


def _regions(codes: Codes, company_id: int) -> Dictionary:
    return Dictionary("WhatsApp region", (Entry(region) for region in REGIONS))


def _sender_ids(codes: Codes, company_id: int) -> Dictionary:
    rows = SenderId.objects.filter(agreement__own_legal_entity__company_id=company_id).values_list("pk", "sender_id")
    return Dictionary("Sender ID", (Entry(str(pk), {NAME: sender_id}) for pk, sender_id in rows), _NAMED)


def _packs(codes: Codes, company_id: int) -> Dictionary:
    rows = models.Service.objects.filter(company_id=company_id, type__in=models.CHARGEABLE_TYPES)
    return Dictionary("Pack", (Entry(str(pk), {NAME: name}) for pk, name in rows.values_list("pk", "name")), _NAMED)


def _words(parameter: Parameter) -> Dictionary | None:
    """Of an attribute whose values are a closed set of words."""
    words = VALUE_FORMS[parameter].pattern.split("|")
    if len(words) < 2 or not all(word.replace("_", "").isalnum() for word in words):
        return None
    entries = (Entry(word, {NAME: _SPELT.get(word, word.replace("_", " ").capitalize())}) for word in words)
    return Dictionary(_SPELT.get(parameter) or parameter.replace("_", " ").capitalize(), entries, _NAMED)


_OF_NETWORKS = frozenset({Parameter.NETWORK, Parameter.NETWORK_NAME, Parameter.MCC, Parameter.MCCMNC, Parameter.MNO})
_MAKERS: dict[Parameter, Callable[[Codes, int], Dictionary]] = {
    Parameter.COUNTRY: _countries,
    Parameter.NETWORK: _of_networks,
    Parameter.NETWORK_NAME: _network_names,
    Parameter.MCC: _of_mccs,
    Parameter.MCCMNC: _of_codes,
    Parameter.MNO: _operators,
    Parameter.WHATSAPP_REGION: _regions,
    Parameter.SENDER_ID: _sender_ids,
    Parameter.PACK: _packs,
}
