"""The editor of a record of a rate tree, in its place: what a form holds, to the terms that the verbs take (SV-82 to SV-109)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy, gettext_noop

from relais.backoffice.rate_tree import Rules
from relais.backoffice.rate_values import OTHERS, PRICE_TYPES, TYPED, is_value, rule_words, spelt, words
from relais.core.rating.catalogue import COUNTER_GROUPS, RULES, Kind
from relais.core.rating.scale import read_scale
from relais.core.rating.types import Domain, Parameter, PriceType, Resource, ScaleType
from relais.pages.forms import MoneyField
from relais.pages.kinds import amount
from relais.pages.viewer import Viewer
from relais.pages.widgets import NEW
from relais.records.catalog.actions.edit_rate_tree import Terms
from relais.records.catalog.models import RateNode, Scope, ServiceType

PRICED = (PriceType.FLAT, PriceType.SCALE, PriceType.FREE, PriceType.NOT_INCLUDED, PriceType.BLOCKED)
STATUSES = (PriceType.INCLUDED, PriceType.NOT_INCLUDED, PriceType.BLOCKED)
SCALE_TYPES = [(kind.value, gettext_lazy(spelt(kind.value))) for kind in ScaleType]
_PRICE = MoneyField(required=False, min_value=0)


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of a scale as it is typed: `over` what threshold, `up_to` which one ("" and last: ∞), its price."""

    over: str
    up_to: str
    price: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands, or is added: the scope, the record above (None: at the top), and the way there."""

    scope: Scope
    resource: str
    path: tuple[RateNode, ...]  # from the top of the resource to the record above
    inherited: Rules

    @property
    def parameter(self) -> Parameter | None:
        above = self.path[-1] if self.path else None
        return Parameter(above.split_by) if above is not None and above.split_by else None

    @property
    def used(self) -> frozenset[str]:
        return frozenset(node.split_by for node in self.path if node.split_by)

    @property
    def fixed(self) -> Mapping[str, str]:
        """Parameters that the records above have given a value, with it."""
        pairs = zip(self.path, self.path[1:], strict=False)
        return {above.split_by or "": node.value for above, node in pairs if node.value}


class ValuesWidget(forms.SelectMultiple):
    """One value or several, found as the user types; `chosen` are those a form that came back holds."""

    template_name = "backoffice/widgets/rate_values.html"
    options_url, creates, several = "", False, False
    chosen: Sequence[tuple[str, str]] = ()

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = forms.Widget.get_context(self, name, None, attrs)
        own = {"options_url": self.options_url, "creates": self.creates, "several": self.several}
        return context | own | {"chosen": self.chosen}


class ValuesField(forms.Field):
    """Cleans to values, None for Others; each is one that the parameter knows."""

    widget = ValuesWidget

    def __init__(self, parameter: Parameter, viewer: Viewer, *, several: bool) -> None:
        super().__init__(label=words(parameter))
        self.parameter, self.viewer = parameter, viewer
        self.widget.several, self.widget.creates = several, parameter in TYPED

    def clean(self, value: Any) -> list[str | None]:
        sent = list(dict.fromkeys(each.removeprefix(NEW).strip() for each in value or []))
        if not any(sent):
            raise forms.ValidationError(gettext("Choose a value."))
        self.widget.chosen = [(each, each) for each in sent]
        wrong = [each for each in sent if each != OTHERS and not is_value(self.parameter, each, self.viewer)]
        if wrong:
            told = {"values": ", ".join(wrong)[:100], "parameter": words(self.parameter)}
            raise forms.ValidationError(gettext("%(values)s: not a value of %(parameter)s.") % told)
        return [None if each == OTHERS else each for each in sent]


class RecordEditor(forms.Form):
    """`node` None: a new record. A resource at the top, values below a record that depends on a parameter."""

    price_type = forms.ChoiceField(label=gettext_noop("Price type"))
    split_by = forms.ChoiceField(label=gettext_noop("Depends on"), required=False)
    price = MoneyField(label=gettext_noop("Price"), required=False, min_value=0)
    scale_type = forms.ChoiceField(
        label=gettext_noop("Scale type"), choices=SCALE_TYPES, required=False, widget=forms.RadioSelect
    )
    counter_group = forms.MultipleChoiceField(label=gettext_noop("Counter group"), required=False)
    billing_rule = forms.ChoiceField(label=gettext_noop("Billing rule"), required=False)
    quantity_rule = forms.ChoiceField(label=gettext_noop("Quantity rule"), required=False)
    sure = forms.BooleanField(label=gettext_noop("Remove what is below"), required=False)

    def __init__(
        self, viewer: Viewer, place: Place, data: Any = None, *, node: RateNode | None = None, several: bool = False,
        resources: Sequence[tuple[str, Any]] = (),
    ) -> None:  # fmt: skip
        super().__init__(data, initial=_initial(node, place), auto_id=f"rate_{node.pk if node else 'new'}_%s")
        self.place, self.node, self.steps = place, node, _lines(node)
        self._arrange(place)
        if node is None and place.parameter is not None:
            self.fields["values"] = ValuesField(place.parameter, viewer, several=several)
            self.fields["values"].place = "c6"
        elif node is None:
            self.fields["resource"] = forms.ChoiceField(label=gettext("Resource"), choices=[("", ""), *resources])
            self.fields["resource"].place = "c6"
        if data is not None and data.get("price_type") == PriceType.SCALE:
            self.steps = _sent_lines(data)

    @property
    def lines(self) -> list[forms.BoundField]:
        """The fields in their order, but for those of a scale, which has a table of its own."""
        names = ("resource", "values", "price_type", "split_by", "price", "billing_rule", "quantity_rule")
        return [self[name] for name in names if name in self.fields]

    @property
    def has_prices(self) -> bool:
        return self.place.scope.service.type == ServiceType.PAY_AS_YOU_GO

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("price_type") == PriceType.SCALE:
            cleaned["scale"] = self._scale()
        return cleaned

    def terms(self) -> Terms:
        """Only what goes with the price type."""
        given = self.cleaned_data
        price_type = given["price_type"]
        return Terms(
            price_type=price_type,
            split_by=given["split_by"] or None if price_type == PriceType.DEPENDS_ON else None,
            price_micros=given["price"] if price_type == PriceType.FLAT else None,
            scale=given.get("scale"),
            billing_rule=given.get("billing_rule") or None,
            quantity_rule=given.get("quantity_rule") or None,
        )

    def _arrange(self, place: Place) -> None:
        """Choices that fit the service and the way to the record."""
        fields, rules = self.fields, RULES.get(place.resource)
        leaves = PRICED if self.has_prices else STATUSES
        may_split = [each for each in Parameter if rules is None or each in rules.parameters]
        splits = [(each.value, words(each)) for each in may_split if each not in place.used]
        types = [*((PriceType.DEPENDS_ON,) if splits else ()), *leaves]
        fields["price_type"].choices = [(each.value, gettext(PRICE_TYPES[each])) for each in types]
        fields["price_type"].label = gettext("Price type") if self.has_prices else gettext("Status")
        fields["split_by"].choices = [("", ""), *splits]
        own = place.parameter if self.node is not None and not self.node.is_others else None  # its value fixes that
        groups = [each for each in may_split if each in COUNTER_GROUPS and each not in place.fixed and each != own]
        fields["counter_group"].choices = [(each.value, words(each)) for each in groups]
        fields["split_by"].show_when = f"price_type={PriceType.DEPENDS_ON}"
        fields["price"].show_when = f"price_type={PriceType.FLAT}"
        fields["price"].unit = place.scope.service.currency or ""
        for name in ("price_type", "split_by", "price", "billing_rule", "quantity_rule"):
            fields[name].place = "c3"
        if not self.has_prices:
            del fields["price"], fields["scale_type"], fields["counter_group"]
        if place.scope.service.type == ServiceType.BUNDLE_INITIATOR:
            del fields["billing_rule"], fields["quantity_rule"]
            return
        for name, said in (("billing_rule", place.inherited.billing), ("quantity_rule", place.inherited.quantity)):
            known = getattr(rules, f"{name}s") if rules else _every_rule(name)
            default = gettext("Default (%(rule)s)") % {"rule": said} if said else gettext("Default")
            chosen = sorted((each.value, rule_words(each)) for each in known if spelt(each) != "Default")
            fields[name].choices = [("", default), *chosen]

    def _scale(self) -> dict[str, Any] | None:
        """As a record keeps it; None when nothing was typed yet, and errors beside the scale."""
        if not any(line.price or line.up_to for line in self.steps):
            return None
        steps: list[dict[str, int]] = []
        for number, line in enumerate(self.steps, 1):
            step: dict[str, int] = {}
            try:
                price_micros = _PRICE.clean(line.price)
            except forms.ValidationError as error:
                self.add_error("scale_type", f"{gettext('Step')} {number}: {' '.join(error.messages)}")
                return None
            threshold = "".join(line.up_to.split())
            if threshold and not (threshold.isdecimal() and len(threshold) < 16):
                self.add_error("scale_type", gettext("Step %d: a threshold is a positive whole number") % number)
                return None
            if threshold:
                step["up_to"] = int(threshold)
            if price_micros is not None:
                step["price_micros"] = price_micros
            steps.append(step)
        scale = {
            "type": self.cleaned_data.get("scale_type") or ScaleType.TIER.value,
            "counter_group": self.cleaned_data.get("counter_group", []),
            "steps": steps,
        }
        try:
            read_scale(scale, 0)
        except ValueError as fault:
            self.add_error("scale_type", str(fault).capitalize())
        return scale


def resources_for(scope: Scope, domain: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Resources that the scope has not yet, by their domains; of one domain only where it is named. Packs and initiators are
    about traffic, a bundle pack about members (SV-100, SV-225)."""
    there = set(RateNode.objects.filter(scope=scope, parent=None, retired_at=None).values_list("resource", flat=True))
    kinds = (Kind.MESSAGE, Kind.CALL)
    found = []
    for each in Domain:
        fitting = [name for name, rules in RULES.items() if rules.domain == each and name not in there]
        if scope.service.type == ServiceType.BUNDLE_PACK:
            fitting = [name for name in fitting if name == Resource.BUNDLE_MEMBER]
        elif scope.service.type != ServiceType.PAY_AS_YOU_GO:
            fitting = [name for name in fitting if RULES[name].kind in kinds]
        if fitting and domain in ("", each):
            found.append((words(each), [(str(name), words(name)) for name in fitting]))
    return found


def _every_rule(name: str) -> set[Any]:
    return {rule for rules in RULES.values() for rule in getattr(rules, f"{name}s")}


def _initial(node: RateNode | None, place: Place) -> dict[str, Any]:
    if node is None:
        paid = place.scope.service.type == ServiceType.PAY_AS_YOU_GO
        return {"price_type": PriceType.FLAT if paid else PriceType.INCLUDED, "scale_type": ScaleType.TIER}
    scale = node.scale or {}
    return {
        "price_type": node.price_type,
        "split_by": node.split_by or "",
        "price": node.price_micros,
        "scale_type": scale.get("type", ScaleType.TIER),
        "counter_group": scale.get("counter_group", []),
        "billing_rule": node.billing_rule or "",
        "quantity_rule": node.quantity_rule or "",
    }


def _lines(node: RateNode | None) -> list[StepLine]:
    steps = (node.scale or {}).get("steps", []) if node else []
    if not steps:
        return [StepLine("0", "", ""), StepLine("", "", "")]
    thresholds = [str(step.get("up_to", "")) for step in steps]
    prices = [amount(step["price_micros"], 5) for step in steps]
    return [StepLine(*line) for line in zip(["0", *thresholds[:-1]], thresholds, prices, strict=True)]


def _sent_lines(data: Any) -> list[StepLine]:
    """Prices and thresholds in the order of their rows; the last row has no threshold to send."""
    prices, thresholds = data.getlist("step_price")[:100], data.getlist("up_to")[:99]
    thresholds = [*thresholds, *[""] * (len(prices) - len(thresholds))][: len(prices)]
    return [
        StepLine("0" if not number else thresholds[number - 1], threshold.strip(), price.strip())
        for number, (threshold, price) in enumerate(zip(thresholds, prices, strict=True))
    ]
