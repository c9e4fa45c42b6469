"""Which resources a domain has, what each may be split by, and the rules it takes (SV-70 to SV-84, SV-105 to SV-107).

A new channel is a line in `_RESOURCES`. Whether a dictionary still holds a value is not decided here (SV-69).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

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


_TRAFFIC = frozenset(
    {
        Parameter.DIRECTION,
        Parameter.COUNTRY,
        Parameter.NETWORK,
        Parameter.NETWORK_NAME,
        Parameter.MCC,
        Parameter.MCCMNC,
        Parameter.MNO,
        Parameter.PHONE_NUMBER,
        Parameter.SENDER_ID,
        Parameter.SENDER_ID_TYPE,
    }
)
_WHATSAPP = _TRAFFIC | {Parameter.WHATSAPP_REGION, Parameter.PRICING_CATEGORY, Parameter.PRICING_TYPE}
_SETUP = frozenset({Parameter.MNO, Parameter.SENDER_ID_TYPE})  # what SID-248 looks the fee up by
_USAGE = _SETUP | {Parameter.PERIODICITY}  # SID-30
_PACK = frozenset({Parameter.PACK})

_RESOURCES: Mapping[Resource, tuple[Domain, Kind, frozenset[Parameter]]] = {
    Resource.SMS_MESSAGE: (Domain.SMS_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.SENDER_ID_SETUP_FEE: (Domain.SMS_MESSAGING, Kind.FEE, _SETUP),
    Resource.SENDER_ID_USAGE_FEE: (Domain.SMS_MESSAGING, Kind.FEE, _USAGE),
    Resource.RCS_MESSAGE: (Domain.RCS_MESSAGING, Kind.MESSAGE, _TRAFFIC | {Parameter.BILLING_EVENT}),
    Resource.VIBER_MESSAGE: (Domain.VIBER_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.VIBER_CONVERSATION: (Domain.VIBER_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.WHATSAPP_MESSAGE: (Domain.WHATSAPP_MESSAGING, Kind.MESSAGE, _WHATSAPP),
    Resource.WHATSAPP_CONVERSATION: (Domain.WHATSAPP_MESSAGING, Kind.MESSAGE, _WHATSAPP),
    Resource.UNIT_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, _PACK),
    Resource.MONETARY_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, _PACK),
    Resource.BUNDLE_PACK: (Domain.SERVICE_PURCHASE, Kind.PURCHASE, _PACK),
    Resource.WECHAT_MESSAGE: (Domain.WECHAT_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.EMAIL_MESSAGE: (Domain.EMAIL_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.ADDITIONAL_SERVICE: (
        Domain.ADDITIONAL_SERVICE,
        Kind.PURCHASE,
        frozenset({Parameter.ADDITIONAL_SERVICE}),
    ),
    Resource.TELEGRAM_GATEWAY_MESSAGE: (Domain.TELEGRAM_GATEWAY_MESSAGING, Kind.MESSAGE, _TRAFFIC),
    Resource.BUNDLE_MEMBER: (Domain.BUNDLE_GROUPING, Kind.PURCHASE, frozenset()),
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
    domain, kind, parameters = _RESOURCES[resource]
    quantity = QuantityRule.SEGMENTS if resource is Resource.SMS_MESSAGE else _DEFAULT_QUANTITY_RULE[kind]
    return ResourceRules(
        domain=domain,
        kind=kind,
        parameters=parameters,
        billing_rules=_BILLING_RULES[kind],
        quantity_rules=_QUANTITY_RULES[kind],
        default_billing_rule=BillingRule.SUBMITTED if _BILLING_RULES[kind] is _SENT else BillingRule.WHEN_APPLIED,
        default_quantity_rule=quantity,
    )


RULES: Mapping[str, ResourceRules] = MappingProxyType({resource: _rules(resource) for resource in Resource})

# What a scale may keep separate counters for (SV-285), as far as the resource knows the parameter.
COUNTER_GROUPS = frozenset({Parameter.SENDER_ID, Parameter.COUNTRY, Parameter.NETWORK, Parameter.MCCMNC})

_ID = re.compile(r"[1-9][0-9]{0,18}")
_WORD = re.compile(r"\S(?:.{0,198}\S)?")  # names and keys of dictionaries, without blanks around them


def _one_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words))


# The form of a value, whether or not a dictionary knows it (SV-69): SV-85 to SV-87, SV-149, SV-150, SV-180, SV-284.
VALUE_FORMS: Mapping[Parameter, re.Pattern[str]] = MappingProxyType(
    {
        Parameter.DIRECTION: _one_of("A2P", "P2A"),
        Parameter.COUNTRY: re.compile(r"[A-Z]{2}"),
        Parameter.NETWORK: _ID,
        Parameter.NETWORK_NAME: _WORD,
        Parameter.MCC: re.compile(r"[0-9]{3}"),
        Parameter.MCCMNC: re.compile(r"[0-9]{5,6}"),
        Parameter.MNO: _WORD,
        Parameter.PHONE_NUMBER: re.compile(r"[1-9][0-9]{6,14}"),
        Parameter.SENDER_ID: _ID,
        Parameter.SENDER_ID_TYPE: _one_of("alphanumeric", "short_code", "long_code"),
        Parameter.PERIODICITY: _one_of("monthly", "weekly"),
        Parameter.WHATSAPP_REGION: _WORD,
        Parameter.PRICING_CATEGORY: _one_of(
            "authentication",
            "authentication_international",
            "marketing",
            "marketing_lite",
            "utility",
            "service",
            "referral_conversion",
        ),
        Parameter.PRICING_TYPE: _one_of("regular", "free_customer_service", "free_entry_point"),
        Parameter.BILLING_EVENT: _one_of("basic", "conversation", "single"),
        Parameter.PACK: _ID,
        Parameter.ADDITIONAL_SERVICE: _WORD,
    }
)
