"""Which resources a domain has, what each may be split by, and the rules it takes (SV-70 to SV-84, SV-105 to SV-107).

A new channel is a line in `_RESOURCES`, a new attribute a file in `attributes/`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from relais.core.rating import attributes
from relais.core.rating.attributes.attribute import Attribute, Family
from relais.core.rating.types import BillingRule, Domain, Parameter, QuantityRule, Resource


class Kind(Enum):
    """Resources of a kind take the same rules."""

    MESSAGE = "message"
    CALL = "call"
    FEE = "fee"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True)
class ResourceRules:
    """What a resource allows; the default rules are those of a top row that leaves them open (SV-286)."""

    domain: Domain
    kind: Kind
    parameters: frozenset[Parameter]
    billing_rules: frozenset[BillingRule]
    quantity_rules: frozenset[QuantityRule]
    default_billing_rule: BillingRule
    default_quantity_rule: QuantityRule


def _attributes() -> dict[Parameter, Attribute]:
    modules = (import_module(f"{attributes.__name__}.{each.name}") for each in iter_modules(attributes.__path__))
    found: dict[Parameter, Attribute] = {
        module.ATTRIBUTE.parameter: module.ATTRIBUTE for module in modules if hasattr(module, "ATTRIBUTE")
    }
    return {parameter: found[parameter] for parameter in Parameter}


ATTRIBUTES: Mapping[Parameter, Attribute] = MappingProxyType(_attributes())

_TRAFFIC = (Family.TRAFFIC,)
_WHATSAPP = (Family.TRAFFIC, Family.WHATSAPP)

_RESOURCES: Mapping[Resource, tuple[Domain, Kind, tuple[Family, ...]]] = {
    Resource.SMS_MESSAGE: (Domain.SMS_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.SENDER_ID_SETUP_FEE: (Domain.SMS_MESSAGING, Kind.FEE, (Family.SETUP_FEE,)),
    Resource.SENDER_ID_USAGE_FEE: (Domain.SMS_MESSAGING, Kind.FEE, (Family.USAGE_FEE,)),
    Resource.RCS_MESSAGE: (Domain.RCS_MESSAGING, Kind.MESSAGE, (Family.TRAFFIC, Family.RCS)),
    Resource.VIBER_MESSAGE: (Domain.VIBER_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.VIBER_CONVERSATION: (Domain.VIBER_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.WHATSAPP_MESSAGE: (Domain.WHATSAPP_MESSAGING, Kind.MESSAGE, _WHATSAPP),
    Resource.WHATSAPP_CONVERSATION: (Domain.WHATSAPP_MESSAGING, Kind.MESSAGE, _WHATSAPP),
    Resource.UNIT_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, (Family.PACK,)),
    Resource.MONETARY_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, (Family.PACK,)),
    Resource.BUNDLE_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, (Family.PACK,)),
    Resource.WECHAT_MESSAGE: (Domain.WECHAT_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.EMAIL_MESSAGE: (Domain.EMAIL_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.ADDITIONAL_SERVICE: (
        Domain.ADDITIONAL_SERVICE,
        Kind.PURCHASE,
        (Family.ADDITIONAL,),
    ),
    Resource.TELEGRAM_GATEWAY_MESSAGE: (Domain.TELEGRAM_GATEWAY_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.BUNDLE_MEMBER: (Domain.BUNDLE_GROUPING, Kind.PURCHASE, ()),
    Resource.PUSH_MESSAGE: (Domain.PUSH_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.TTS_MESSAGE: (Domain.TTS_MESSAGING, Kind.MESSAGE, _TRAFFIC),  # billed as messages (SV-279)
    Resource.VOICE_CALL: (Domain.VOICE_CALLS, Kind.CALL, _TRAFFIC),
    Resource.PUSH_PARTNER_MESSAGE: (Domain.PUSH_PARTNER_MESSAGING, Kind.MESSAGE, _TRAFFIC),
}

_SENT = frozenset({BillingRule.SUBMITTED, BillingRule.DELIVERED})
_APPLIED = frozenset({BillingRule.WHEN_APPLIED})
_BILLING_RULES = {Kind.MESSAGE: _SENT, Kind.CALL: _SENT, Kind.FEE: _APPLIED, Kind.PURCHASE: _APPLIED}
_QUANTITY_RULES = {
    Kind.MESSAGE: frozenset({QuantityRule.MESSAGES, QuantityRule.SEGMENTS}),
    Kind.CALL: frozenset({QuantityRule.MINUTES, QuantityRule.SECONDS}),
    Kind.FEE: frozenset({QuantityRule.ONCE, QuantityRule.FULL_PERIOD}),
    Kind.PURCHASE: frozenset({QuantityRule.ONCE}),
}
_DEFAULT_QUANTITY_RULE = {
    Kind.MESSAGE: QuantityRule.MESSAGES,
    Kind.CALL: QuantityRule.MINUTES,
    Kind.FEE: QuantityRule.ONCE,
    Kind.PURCHASE: QuantityRule.ONCE,
}


def _rules(resource: Resource) -> ResourceRules:
    domain, kind, families = _RESOURCES[resource]
    parameters = [each.parameter for each in ATTRIBUTES.values() if not each.families.isdisjoint(families)]
    quantity = QuantityRule.SEGMENTS if resource is Resource.SMS_MESSAGE else _DEFAULT_QUANTITY_RULE[kind]
    return ResourceRules(
        domain=domain,
        kind=kind,
        parameters=frozenset(parameters),
        billing_rules=_BILLING_RULES[kind],
        quantity_rules=_QUANTITY_RULES[kind],
        default_billing_rule=BillingRule.SUBMITTED if _BILLING_RULES[kind] is _SENT else BillingRule.WHEN_APPLIED,
        default_quantity_rule=quantity,
    )


RULES: Mapping[str, ResourceRules] = MappingProxyType({resource: _rules(resource) for resource in Resource})

# What a scale may keep separate counters for (SV-285), as far as the resource knows the parameter.
COUNTER_GROUPS = frozenset(each.parameter for each in ATTRIBUTES.values() if each.counts)

# The form of a value, whether or not a dictionary knows it (SV-69).
VALUE_FORMS: Mapping[Parameter, re.Pattern[str]] = MappingProxyType(
    {parameter: each.form for parameter, each in ATTRIBUTES.items()}
)
