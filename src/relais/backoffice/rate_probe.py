"""What a message would cost by one scope's tree, and how that is found: the rating engine's own look-up on the tree as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.db.models import Min
from django.utils.translation import gettext, gettext_noop

from relais.backoffice.rate_editor import ValuesWidget
from relais.backoffice.rate_tree import PRICE_DECIMALS
from relais.backoffice.rate_values import names_of, rule_words, words
from relais.core.numbers import CallingCode, NumberPlan, Range, normalise
from relais.core.rating.attributes.attribute import Attribute
from relais.core.rating.catalogue import ATTRIBUTES, RULES, Kind
from relais.core.rating.quantity import units_of
from relais.core.rating.scale import tier_pieces
from relais.core.rating.tree import compile_tree, lookup, way
from relais.core.rating.types import Answer, BillingRule, Parameter, PriceType, Rate, Scale
from relais.core.segments import NotEncodable, TooManyParts, segment_count
from relais.pages.kinds import amount, grouped
from relais.pages.viewer import Viewer
from relais.records.catalog.models import CallingCode as CallingCodeRow
from relais.records.catalog.models import Country, Network, NumberPrefix, RateNode, Scope
from relais.records.catalog.rows import node_rows
from relais.records.senders.models import SenderId

ASKED = (Parameter.DIRECTION, Parameter.BILLING_EVENT, Parameter.PRICING_CATEGORY, Parameter.PRICING_TYPE,
         Parameter.WHATSAPP_REGION, Parameter.SENDER_ID_TYPE)  # fmt: skip  # what neither number nor sender ID tells
DIRECTION_OF_NEW = "A2P"
USED_MAX = 10**12


@dataclass(frozen=True, slots=True)
class Piece:
    """Units that have one price."""

    units: int
    price: str
    total: str


@dataclass(frozen=True, slots=True)
class Cost:
    """The answer in words; `total` "" where nothing is charged by this scope."""

    outcome: str
    tone: str
    total: str
    pieces: tuple[Piece, ...]
    correction: str
    path: tuple[tuple[str, str], ...]
    about: str


class ProbeForm(forms.Form):
    """`prefix`-less and sent by GET: an address of a probe can be sent to somebody else."""

    resource = forms.ChoiceField(label=gettext_noop("Resource"))
    to = forms.CharField(
        label=gettext_noop("To"), max_length=40, widget=forms.TextInput({"inputmode": "tel", "class": "tnum"})
    )
    sender = forms.CharField(label=gettext_noop("Sender ID"), required=False, widget=ValuesWidget)
    text = forms.CharField(
        label=gettext_noop("Text"), required=False, max_length=20_000, strip=False, widget=forms.Textarea({"rows": 3})
    )
    used = forms.IntegerField(
        label=gettext_noop("Used so far"), required=False, min_value=0, max_value=USED_MAX,
        widget=forms.TextInput({"inputmode": "numeric", "class": "num"}),
    )  # fmt: skip

    def __init__(self, scope: Scope, data: Any = None) -> None:
        super().__init__(data, auto_id="probe_%s", initial={Parameter.DIRECTION: DIRECTION_OF_NEW})
        live = RateNode.objects.filter(scope=scope, retired_at=None)
        tops = [each for each in live.filter(parent=None).order_by("pk").values_list("resource", flat=True)
                if each in RULES and RULES[each].kind in (Kind.MESSAGE, Kind.CALL)]  # fmt: skip
        self.fields["resource"].choices = [(each, words(each)) for each in tops]
        if len(tops) == 1:
            self.fields["resource"].widget = forms.HiddenInput()
            self.fields["resource"].initial = tops[0]
        splits = set(live.exclude(split_by=None).order_by().values_list("split_by", flat=True).distinct())
        for parameter in ASKED:
            if parameter in splits:
                self.fields[parameter] = _choice(ATTRIBUTES[parameter])
        for name, field in self.fields.items():
            field.place = "c12" if name in ("to", "text", "resource") else "c6 m6"

    def clean_to(self) -> str:
        digits = normalise(self.cleaned_data["to"])
        if digits is None:
            raise forms.ValidationError(gettext("Enter the number with its country code, as +34 600 000 000."))
        return digits

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            segment_count(text)
        except (NotEncodable, TooManyParts) as fault:
            raise forms.ValidationError(gettext("No message can carry this text: %s.") % fault) from fault
        return text


def probe_fields(scope: Scope) -> ProbeForm | None:
    """The form, or None for a tree that no message is rated by."""
    form = ProbeForm(scope)
    return form if form.fields["resource"].choices else None


def cost(scope: Scope, asked: Mapping[str, Any], viewer: Viewer) -> tuple[str, Cost]:
    """Whose number it is, and what the message costs; `asked` is what a valid `ProbeForm` holds."""
    resource = asked["resource"]
    domain = RULES[resource].domain
    attributes, whose = _attributes(asked, viewer)
    nodes = RateNode.objects.filter(scope=scope, domain=domain, resource=resource, retired_at=None)
    tree = compile_tree(node_rows(nodes))
    answer = lookup(tree, domain, resource, attributes)
    path = tuple(_step(parameter, value, viewer) for parameter, value in way(tree, domain, resource, attributes))
    path = ((gettext("Resource"), words(resource)), *path)
    if answer is None:
        told = gettext("The next source of the agreement is asked; without one the message is refused: rate_not_found.")
        return whose, Cost(gettext("Not included"), "warn", "", (), "", path, told)
    if isinstance(answer, Answer):
        told = gettext("The message is refused: destination_blocked.")
        return whose, Cost(gettext("Blocked"), "bad", "", (), "", path, told)
    units = units_of(answer.quantity_rule, segment_count(asked["text"]))
    return whose, _of_rate(answer, units, asked.get("used") or 0, path)


def _of_rate(rate: Rate, units: int, used: int, path: tuple[tuple[str, str], ...]) -> Cost:
    unit = rule_words(rate.quantity_rule).lower()
    moment = {
        BillingRule.SUBMITTED: gettext("Billed when the vendor has accepted it (Submitted). Unsent is not billed."),
        BillingRule.DELIVERED: gettext("Billed when it was delivered (Delivered). Undelivered is not billed."),
    }.get(rate.billing_rule, "")
    if rate.price_type == PriceType.INCLUDED:
        told = gettext("Takes %(units)d of the pack (%(unit)s).") % {"units": units, "unit": unit}
        return Cost(gettext("Included"), "ok", "", (), "", path, f"{told} {moment}")
    scale = rate.scale
    if scale is None:
        pieces: tuple[tuple[int, int], ...] = ((units, rate.price_micros),)
        correction_micros = 0
    else:
        pieces = tuple((count, price) for _, count, price in tier_pieces(scale, used, units))
        correction_micros = _correction(scale, used, units)
        group = ", ".join(words(each) for each in scale.counter_group)
        about = words(scale.type)
        per = gettext("per %s") % group if group else gettext("all traffic together")
        path = (*path, (gettext("Scale"), f"{about}, {per}"))
    total_micros = sum(count * price for count, price in pieces) + correction_micros
    shown = tuple(
        Piece(count, amount(price, PRICE_DECIMALS), amount(count * price, PRICE_DECIMALS)) for count, price in pieces
    )
    correction = amount(correction_micros, PRICE_DECIMALS) if correction_micros else ""
    told = gettext("%(units)s %(unit)s.") % {"units": grouped(units), "unit": unit}
    return Cost(gettext("Can be sent"), "ok", amount(total_micros, 2), shown, correction, path, f"{told} {moment}")


def _correction(scale: Scale, used: int, units: int) -> int:
    """What passing thresholds of a Back-to-First scale makes of the units before them (SV-255)."""
    if not scale.back_to_first:
        return 0
    steps = zip(scale.thresholds, scale.prices_micros, scale.prices_micros[1:], strict=False)
    return sum(limit * (later - earlier) for limit, earlier, later in steps if used <= limit < used + units)


def _attributes(asked: Mapping[str, Any], viewer: Viewer) -> tuple[dict[Parameter, str], str]:
    """What the tree may be split by, as the pipeline has it, and whose number it is in words."""
    digits = asked["to"]
    attributes = {Parameter.DIRECTION: DIRECTION_OF_NEW, Parameter.PHONE_NUMBER: digits}
    attributes |= {parameter: asked[parameter] for parameter in ASKED if asked.get(parameter)}
    sender = str(asked.get("sender") or "")
    if sender.isdecimal() and len(sender) < 19 and viewer.rows(SenderId).filter(pk=int(sender)).exists():
        attributes[Parameter.SENDER_ID] = sender
    found = _plan_for(digits).resolve(digits)
    if found is None:
        return attributes, gettext("No country has such a number.")
    attributes[Parameter.COUNTRY] = found.country
    country = Country.objects.get(pk=found.country)
    codes = Network.objects.annotate(mccmnc=Min("codes__mccmnc"), mcc=Min("codes__mcc"))
    network = codes.filter(pk=found.network_id).first()
    if network is None:
        return attributes, f"{country.name} · {gettext('network not known')}"
    attributes |= {Parameter.NETWORK: str(network.pk), Parameter.NETWORK_NAME: network.name}
    known = {Parameter.MCCMNC: network.mccmnc, Parameter.MCC: network.mcc, Parameter.MNO: network.operator}
    attributes |= {parameter: value for parameter, value in known.items() if value}
    return attributes, f"{country.name} · {network.mccmnc or ''} {network.name}"


def _plan_for(digits: str) -> NumberPlan:
    """The part of the number plan that can have a say about the number."""
    leading = [digits[:length] for length in range(1, len(digits) + 1)]
    prefixes = NumberPrefix.objects.filter(pk__in=leading)
    codes = CallingCodeRow.objects.filter(calling_code__in=leading).order_by("pk")
    return NumberPlan(
        {each.prefix: Range(each.country_id, each.network_id) for each in prefixes},
        [CallingCode(each.calling_code, each.country_id, each.main, tuple(each.national_lengths)) for each in codes],
    )


def _step(parameter: Parameter, value: str | None, viewer: Viewer) -> tuple[str, str]:
    if value is None:
        return words(parameter), gettext("Others")
    names = names_of(parameter, [value], viewer)
    return words(parameter), value if names is None else names.get(value, value)


def _choice(attribute: Attribute) -> forms.Field:
    label = words(attribute.parameter)
    if not attribute.words:
        return forms.CharField(label=label, required=False, max_length=200)
    choices = [(word, words(word)) for word in attribute.words]
    return forms.ChoiceField(label=label, required=False, choices=[("", ""), *choices])
