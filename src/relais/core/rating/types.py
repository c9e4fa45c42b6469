"""The words of rate trees and the values they are made of.

The values of the enumerations are what the database, scenario files and the API spell. Amounts are net of tax, in
micros of the service's currency (SV-251, SV-288).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum
from itertools import pairwise
from typing import Final

import msgspec


class ServiceType(StrEnum):
    """Kinds of rate plan (SV-23). Only pay-as-you-go and the price service of packs carry prices (SV-55 to SV-58)."""

    PAY_AS_YOU_GO = "pay_as_you_go"
    UNIT_PACK = "unit_pack"
    MONETARY_PACK = "monetary_pack"
    BUNDLE_INITIATOR = "bundle_initiator"
    BUNDLE_PACK = "bundle_pack"


class _Word(StrEnum):
    """A word that rates are looked up by: its hash is that of the text, which is kept, not that of a member, which a
    function of Python works out each time."""

    __hash__ = str.__hash__


class Domain(_Word):
    """Service domains (SV-59). "Push Partner messaging" is the channel called Mobile Push elsewhere (SV-60)."""

    SMS_MESSAGING = "sms_messaging"
    RCS_MESSAGING = "rcs_messaging"
    VIBER_MESSAGING = "viber_messaging"
    WHATSAPP_MESSAGING = "whatsapp_messaging"
    SERVICE_PURCHASE = "service_purchase"
    WECHAT_MESSAGING = "wechat_messaging"
    EMAIL_MESSAGING = "email_messaging"
    ADDITIONAL_SERVICE = "additional_service"
    TELEGRAM_GATEWAY_MESSAGING = "telegram_gateway_messaging"
    BUNDLE_GROUPING = "bundle_grouping"
    PUSH_MESSAGING = "push_messaging"
    TTS_MESSAGING = "tts_messaging"
    VOICE_CALLS = "voice_calls"
    PUSH_PARTNER_MESSAGING = "push_partner_messaging"


class Resource(_Word):
    """Chargeable items (SV-70 to SV-80). SV-83 lists Resource as a parameter; here it is the domain's own level."""

    SMS_MESSAGE = "sms_message"
    SENDER_ID_SETUP_FEE = "sender_id_setup_fee"
    SENDER_ID_USAGE_FEE = "sender_id_usage_fee"
    RCS_MESSAGE = "rcs_message"
    VIBER_MESSAGE = "viber_message"
    VIBER_CONVERSATION = "viber_conversation"
    WHATSAPP_MESSAGE = "whatsapp_message"
    WHATSAPP_CONVERSATION = "whatsapp_conversation"
    UNIT_PACK = "unit_pack"
    MONETARY_PACK = "monetary_pack"
    BUNDLE_PACK = "bundle_pack"
    WECHAT_MESSAGE = "wechat_message"
    EMAIL_MESSAGE = "email_message"
    ADDITIONAL_SERVICE = "additional_service"
    TELEGRAM_GATEWAY_MESSAGE = "telegram_gateway_message"
    BUNDLE_MEMBER = "bundle_member"
    PUSH_MESSAGE = "push_message"
    TTS_MESSAGE = "tts_message"
    VOICE_CALL = "voice_call"
    PUSH_PARTNER_MESSAGE = "push_partner_message"


class Parameter(_Word):
    """What a node can be split by (SV-83, SV-84, SV-284), with the form of its values."""

    DIRECTION = "direction"  # A2P (MT) or P2A (MO)
    COUNTRY = "country"  # ISO 3166 alpha-2 of the recipient
    NETWORK = "network"  # id of a network of the dictionary, decimal
    NETWORK_NAME = "network_name"  # its name alone, whatever the country
    MCC = "mcc"  # 3 digits
    MCCMNC = "mccmnc"  # 5 or 6 digits
    MNO = "mno"  # key of an operator company of the dictionary
    PHONE_NUMBER = "phone_number"  # E.164 digits without "+"
    SENDER_ID = "sender_id"  # id of the sender ID record, decimal
    SENDER_ID_TYPE = "sender_id_type"
    PERIODICITY = "periodicity"
    WHATSAPP_REGION = "whatsapp_region"
    PRICING_CATEGORY = "pricing_category"
    PRICING_TYPE = "pricing_type"
    BILLING_EVENT = "billing_event"
    PACK = "pack"  # id of a pack service, decimal
    ADDITIONAL_SERVICE = "additional_service"  # key of an additional service


class PriceType(StrEnum):
    """What a node says (SV-82 to SV-103). "Import from file" is a way to make nodes, not a kind of node."""

    DEPENDS_ON = "depends_on"
    FLAT = "flat"
    SCALE = "scale"
    FREE = "free"
    INCLUDED = "included"  # packs and bundles only
    NOT_INCLUDED = "not_included"  # no answer here: the next source is asked
    BLOCKED = "blocked"


class BillingRule(StrEnum):
    """The moment a reserved amount is captured (ruling 6, SV-257)."""

    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    WHEN_APPLIED = "when_applied"  # fees and purchases (SV-286)


class QuantityRule(StrEnum):
    """What a unit is (SV-106, SV-107, SV-279)."""

    MESSAGES = "messages"
    SEGMENTS = "segments"
    MINUTES = "minutes"  # each minute begun
    SECONDS = "seconds"
    FULL_PERIOD = "full_period"
    ONCE = "once"


class ScaleType(StrEnum):
    """How volume changes the price (SV-90, SV-91)."""

    TIER = "tier"
    BACK_TO_FIRST = "back_to_first"  # past a threshold the volume of the whole period has the new price


class Step(msgspec.Struct, frozen=True, gc=False):
    """Net price of the units numbered up to and including `up_to` in a period (SV-93); None = all further ones."""

    up_to: int | None
    price_micros: int


class Scale(msgspec.Struct, frozen=True, gc=False):
    """Prices by volume. `prices_micros[i]` holds up to and including unit number `thresholds[i]`, the last for ever.

    `counter_id` names the counter together with agreement, group and period: the id of the first version of the node,
    so that a change of its price does not restart the volume (SV-253).
    """

    type: ScaleType
    thresholds: tuple[int, ...]
    prices_micros: tuple[int, ...]
    counter_group: tuple[Parameter, ...]
    counter_id: int

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(up_to, price) for up_to, price in zip((*self.thresholds, None), self.prices_micros, strict=True)
        )

    @property
    def back_to_first(self) -> bool:
        return self.type is ScaleType.BACK_TO_FIRST

    @property
    def holds(self) -> bool:
        """Whether passing a threshold can be a debit for what came before, which is then reserved with it (SV-256)."""
        prices = self.prices_micros
        return self.back_to_first and any(later > earlier for earlier, later in pairwise(prices))


class NodeRow(msgspec.Struct, frozen=True, gc=False):
    """One record of a rate tree as the database holds it; nothing is checked yet.

    The top row of a resource has neither parent nor value. `scale` is the stored JSON object:
    `{"type": "tier", "counter_group": ["sender_id"], "steps": [{"up_to": 1000, "price_micros": 5000}, {"price_micros":
    4000}]}`. A null rule is the inherited one. `counter_id` is the id of the version whose volume this node carries on;
    null = its own.
    """

    id: int
    parent_id: int | None
    domain: str
    resource: str
    price_type: str
    is_others: bool = False
    value: str | None = None
    split_by: str | None = None
    price_micros: int | None = None
    scale: Mapping[str, object] | None = None
    billing_rule: str | None = None
    quantity_rule: str | None = None
    retired: bool = False
    counter_id: int | None = None


class Rate(msgspec.Struct, frozen=True, gc=False):
    """A usable leaf with its inherited rules resolved; net amounts. `price_micros` is 0 for a scale: see its prices.

    `dearest_micros` is the most one unit can cost, whatever the volume (ruling 23).
    """

    node_id: int
    price_type: PriceType
    price_micros: int
    scale: Scale | None
    billing_rule: BillingRule
    quantity_rule: QuantityRule
    dearest_micros: int


class Answer(Enum):
    """Answers of a lookup that are not a rate."""

    BLOCKED = "blocked"


BLOCKED: Final = Answer.BLOCKED


@dataclass(frozen=True, slots=True)
class Split:
    """A node that depends on a parameter. A child None says "not included", which differs from no child (SV-102)."""

    parameter: Parameter
    children: Mapping[str | None, "Node"]  # no child is called None: an unknown attribute finds Others
    others: "Node"


Node = Rate | Answer | Split | None


@dataclass(frozen=True, slots=True)
class Tree:
    """One scope of a service, compiled: the node of every resource, by (domain, resource). Share it freely."""

    resources: Mapping[tuple[str, str], Node]


class Severity(Enum):
    """`INCOMPLETE` records may be kept and show the warning icon (SV-65); `INVALID` ones must not be saved."""

    INCOMPLETE = "incomplete"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a record. `path` names it from the domain down, as in "sms_messaging/sms_message/A2P/ES"."""

    path: str
    reason: str
    node_id: int
    severity: Severity


class CoverKind(Enum):
    """What is asked before the balance."""

    UNITS = "units"  # a unit pack pays with its units
    MONEY = "money"  # a monetary pack pays the net price
    MEMBERS = "members"  # a bundle pack counts the recipient; only a member beyond its size is charged (SV-220)
    SESSION = "session"  # charged once a recipient and session of 24 hours (SV-278, SV-283)


class Cover(msgspec.Struct, frozen=True, gc=False):
    """`id` names the association of the pack with the agreement; `session` the session, 0 and "" where there is none."""

    kind: CoverKind
    id: int = 0
    session: str = ""


class Term(msgspec.Struct, frozen=True, gc=False):
    """What one level of a chain owes for one message, fixed at acceptance (SV-281); captured or released later.

    `unit_price_micros` is net, and 0 where `scale` decides; `reserved_micros` is gross of tax at the dearest price
    (rulings 19, 23); `tax_bp` is percent x 100; `delivered` says that the level is captured at the delivery receipt.
    `counter_group` is the value of the scale's counter group, "" when there is one counter for all. `cover` None = the
    balance pays; `cover_amount` is what is reserved of a pack: units, net micros, or the place of one member.
    `held_from` is the start of the billing period of acceptance where the scale `holds`.
    """

    agreement_id: int
    node_id: int
    units: int
    unit_price_micros: int
    reserved_micros: int
    tax_bp: int
    delivered: bool
    scale: Scale | None
    counter_group: str
    cover: Cover | None = None
    cover_amount: int = 0
    held_from: datetime | None = None
