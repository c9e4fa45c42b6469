"""The words of rate trees as people read them, and the values that a parameter can be given."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext, gettext_noop

from relais.backoffice.service_parts import size_of
from relais.core.rating.catalogue import ATTRIBUTES, VALUE_FORMS
from relais.core.rating.types import BillingRule, Parameter, PriceType, QuantityRule
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.viewer import Viewer
from relais.records.catalog.models import CHARGEABLE_TYPES, Network, NetworkCode, RateNode, Service
from relais.records.senders.models import SenderId

OTHERS = "*"  # as a form sends it
OFFERED_MAX = 50
Choices = list[tuple[str, str]]

_WORDS = {"sms": "SMS", "rcs": "RCS", "id": "ID", "mcc": "MCC", "mno": "MNO", "mccmnc": "MCCMNC", "tts": "TTS",
          "whatsapp": "WhatsApp", "wechat": "WeChat"}  # fmt: skip
_SPELT = {"A2P": "A2P (MT)", "P2A": "P2A (MO)", "direction": "Direction (MT/MO)", "back_to_first": "Back-to-First",
          "telegram_gateway_messaging": "Telegram Gateway messaging", "push_partner_messaging": "Push Partner messaging",
          "when_applied": "Default", "once": "Default"}  # fmt: skip
PRICE_TYPES = {
    PriceType.DEPENDS_ON: gettext_noop("Depends on"),
    PriceType.FLAT: gettext_noop("Flat rate"),
    PriceType.SCALE: gettext_noop("Scale"),
    PriceType.FREE: gettext_noop("Free"),
    PriceType.INCLUDED: gettext_noop("Included"),
    PriceType.NOT_INCLUDED: gettext_noop("Not included"),
    PriceType.BLOCKED: gettext_noop("Blocked"),
}
TYPED = frozenset(
    {Parameter.MCC, Parameter.MCCMNC, Parameter.MNO, Parameter.NETWORK_NAME, Parameter.PHONE_NUMBER,
     Parameter.WHATSAPP_REGION, Parameter.ADDITIONAL_SERVICE}
)  # fmt: skip  # what no dictionary knows may stand there too


def words(key: str) -> str:
    """sms_messaging → "SMS messaging", in the page's language."""
    return gettext(spelt(key))


def spelt(key: str) -> str:
    """sms_messaging → "SMS messaging"."""
    if key in _SPELT:
        return _SPELT[key]
    first, *rest = (_WORDS.get(word, word) for word in key.split("_"))
    return " ".join([first[:1].upper() + first[1:], *rest])


def rule_words(rule: BillingRule | QuantityRule | str) -> str:
    return words(str(rule))


class Names:
    """Names of values below given records, looked up a kind at a time."""

    def __init__(self, viewer: Viewer, splits: Mapping[int, str], nodes: Iterable[RateNode]) -> None:
        """`splits`: what each of the records above depends on."""
        self._splits = splits
        keys: dict[str, set[str]] = defaultdict(set)
        for node in nodes:
            if node.value and node.parent_id:
                keys[splits.get(node.parent_id) or ""].add(node.value)
        self._known = {parameter: names_of(parameter, values, viewer) for parameter, values in keys.items()}

    def of(self, node: RateNode) -> str:
        """An entry that the dictionary no longer has is a "Missed option" (SV-69)."""
        if node.is_others:
            return gettext("Others")
        value = node.value or ""
        known = self._known.get(self._splits.get(node.parent_id or 0) or "")
        if known is None:
            return value
        return known.get(value) or gettext("Missed option: %(key)s") % {"key": value}


def names_of(parameter: str, values: Iterable[str], viewer: Viewer) -> Mapping[str, str] | None:
    """Value → name for those that there are; None where a value is its own name."""
    if parameter not in tuple(Parameter):
        return None
    if closed := ATTRIBUTES[Parameter(parameter)].words:
        return {word: words(word) for word in closed}
    wanted = list(values)
    match parameter:
        case Parameter.COUNTRY:
            return COUNTRY_NAMES
        case Parameter.NETWORK:
            return _by_key(Network.objects, wanted, "name")
        case Parameter.SENDER_ID:
            return _by_key(viewer.rows(SenderId), wanted, "sender_id")
        case Parameter.PACK:
            packs = viewer.rows(Service).filter(pk__in=[int(value) for value in wanted if value.isdecimal()])
            return {str(pack.pk): _pack(pack) for pack in packs}
        case Parameter.MNO:
            return _itself(Network.objects.filter(operator__in=wanted).values_list("operator", flat=True))
        case Parameter.NETWORK_NAME:
            return _itself(Network.objects.filter(name__in=wanted).values_list("name", flat=True))
        case _:
            return None


def offered(parameter: Parameter, path: Mapping[str, str], resource: str, viewer: Viewer, term: str) -> Choices:
    """What may be added below a record that depends on `parameter`, as far as it fits what is typed. `path`: what the records
    above have fixed, so that a country's own networks are offered below it."""
    term = term.strip().replace("\0", "")[:100]
    if closed := ATTRIBUTES[parameter].words:
        return [(word, words(word)) for word in closed if term.lower() in words(word).lower()]
    match parameter:
        case Parameter.COUNTRY:
            return [(iso, name) for iso, name in COUNTRY_NAMES.items() if term.lower() in f"{name} {iso}".lower()]
        case Parameter.NETWORK | Parameter.NETWORK_NAME | Parameter.MNO:
            return _networks(parameter, path, term)
        case Parameter.MCC | Parameter.MCCMNC:
            return _codes(parameter, path, term)
        case Parameter.SENDER_ID:
            rows = viewer.rows(SenderId).filter(sender_id__icontains=term).select_related("company").order_by("pk")
            return [(str(row.pk), f"{row.sender_id} ({row.company})") for row in rows[:OFFERED_MAX]]
        case Parameter.PACK:
            packs = viewer.rows(Service).filter(archived_at=None, type__in=CHARGEABLE_TYPES, name__icontains=term)
            fitting = packs.filter(type=resource) if resource in CHARGEABLE_TYPES else packs
            return [(str(pack.pk), _pack(pack)) for pack in fitting.order_by("name", "pk")[:OFFERED_MAX]]
        case _:
            return []


def is_value(parameter: Parameter, value: str, viewer: Viewer) -> bool:
    """Whether a form may send it: of its form, and in the dictionary where nothing else may stand."""
    if VALUE_FORMS[parameter].fullmatch(value) is None:
        return False
    known = None if parameter in TYPED else names_of(parameter, [value], viewer)
    return known is None or value in known


def matching(parameter: str, term: str, viewer: Viewer) -> Q:
    """A condition on records below such a split: their names have that text in them."""
    folded = term.lower()
    if parameter == Parameter.NETWORK:
        found = Network.objects.filter(Q(name__icontains=term) | Q(codes__mccmnc__startswith=term)).distinct()
        return Q(value__in=[str(pk) for pk in found.values_list("pk", flat=True)])
    if parameter == Parameter.SENDER_ID:
        senders = viewer.rows(SenderId).filter(sender_id__icontains=term).values_list("pk", flat=True)
        return Q(value__in=[str(pk) for pk in senders])
    if parameter == Parameter.PACK:
        packs = viewer.rows(Service).filter(name__icontains=term).values_list("pk", flat=True)
        return Q(value__in=[str(pk) for pk in packs])
    known = names_of(parameter, [], viewer) if parameter not in TYPED else None
    if known is None:
        return Q(value__icontains=term)
    return Q(value__in=[value for value, name in known.items() if folded in f"{name} {value}".lower()])


def _networks(parameter: Parameter, path: Mapping[str, str], term: str) -> Choices:
    rows = Network.objects.filter(
        Q(name__icontains=term) | Q(operator__icontains=term) | Q(codes__mccmnc__startswith=term)
    )
    if iso := path.get(Parameter.COUNTRY):
        rows = rows.filter(country_id=iso)
    if mcc := path.get(Parameter.MCC):
        rows = rows.filter(codes__mcc=mcc)
    if parameter == Parameter.NETWORK:
        found = rows.distinct().order_by("name", "country_id")[:OFFERED_MAX]
        return [(str(row.pk), row.name if iso else f"{row.name} ({row.country_id})") for row in found]
    column = "operator" if parameter == Parameter.MNO else "name"
    told = rows.exclude(**{column: ""}).order_by(column).values_list(column, flat=True).distinct()
    return [(text, text) for text in told[:OFFERED_MAX]]


def _codes(parameter: Parameter, path: Mapping[str, str], term: str) -> Choices:
    rows = NetworkCode.objects.select_related("network__country").order_by("pk")
    if iso := path.get(Parameter.COUNTRY):
        rows = rows.filter(network__country_id=iso)
    if mcc := path.get(Parameter.MCC):
        rows = rows.filter(mcc=mcc)
    if parameter == Parameter.MCC:
        found = rows.filter(Q(mcc__startswith=term) | Q(network__country__name__icontains=term))
        told = found.order_by("mcc").values_list("mcc", "network__country__name").distinct()
        return list({code: (code, f"{code} {country}") for code, country in told[: OFFERED_MAX * 2]}.values())
    found = rows.filter(Q(mccmnc__startswith=term) | Q(network__name__icontains=term))
    return [(row.pk, f"{row.pk} {row.network.name}") for row in found[:OFFERED_MAX]]


def _pack(pack: Service) -> str:
    return f"{pack.name} - {size_of(pack)}"


def _by_key(rows: Any, keys: Iterable[str], column: str) -> dict[str, str]:
    known = [int(key) for key in keys if key.isdecimal() and len(key) < 19]
    return {str(pk): name for pk, name in rows.filter(pk__in=known).values_list("pk", column)} if known else {}


def _itself(found: Iterable[str]) -> dict[str, str]:
    return {text: text for text in found}
