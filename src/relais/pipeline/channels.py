"""Channels beside SMS: what a message of theirs owes before its vendor has said what it was, and after.

WhatsApp is priced by what Meta reports (SV-147): reserved is the dearest that the message may be reported as (SV-280), captured
what the report says. RCS is priced by its text until a report says otherwise (SV-282, SV-283). Packs have no say in either.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from relais.contracts.vendors import Pricing
from relais.core.rating.attributes.whatsapp_region import region_of
from relais.core.rating.message import Level, term_of
from relais.core.rating.rcs import CONVERSATION, billing_event, forms_sessions, in_session
from relais.core.rating.tree import lookup
from relais.core.rating.types import Answer, Domain, Parameter, Rate, Resource, Term, Tree
from relais.core.rating.whatsapp import rate_to_reserve, reported_rate
from relais.core.refusals import Refusal
from relais.core.segments import Encoded, NotEncodable
from relais.pipeline.submission import Submission

SMS, WHATSAPP, RCS = 1, 2, 3  # numbers in traffic_message.channel
CHANNELS = {SMS: "sms", WHATSAPP: "whatsapp", RCS: "rcs"}
NUMBERS = {name: number for number, name in CHANNELS.items()}

Attributes = Mapping[Parameter, str]
Price = Callable[[Level], Term | Refusal]
_Find = Callable[[Tree], Rate | Answer | None]


def whole(text: str) -> Encoded:
    """A text that travels in one piece, as no network cuts it. NotEncodable for half of a surrogate pair."""
    try:
        body = text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise NotEncodable from error
    return Encoded("ucs2", len(body) // 2, (body,), 8)


def price_to_reserve(channel: int, attributes: Attributes, text: str, asked: Submission) -> Price:
    """What a level sets aside for a message of WhatsApp or RCS that is accepted now, with that text."""
    if channel == WHATSAPP:
        known = _of_whatsapp(attributes)
        return _first_rate(lambda tree: rate_to_reserve(tree, known, asked.template_category), known)
    known = {**attributes, Parameter.BILLING_EVENT: billing_event(text, rich=asked.rich)}
    return _first_rate(lambda tree: lookup(tree, Domain.RCS_MESSAGING, Resource.RCS_MESSAGE, known), known)


def price_reported(channel: int, attributes: Attributes, pricing: Pricing, at: datetime) -> Price | None:
    """What a level owes for a message that was reported so; None where the report names nothing that the price depends on."""
    if channel == WHATSAPP and pricing.category:
        named = {Parameter.PRICING_CATEGORY: pricing.category, Parameter.PRICING_TYPE: pricing.type}
        known = {**_of_whatsapp(attributes), **named}
        return _first_rate(lambda tree: reported_rate(tree, known), known)
    if channel != RCS or not pricing.billing_event:
        return None
    known = {**attributes, Parameter.BILLING_EVENT: pricing.billing_event}
    price = _first_rate(lambda tree: lookup(tree, Domain.RCS_MESSAGING, Resource.RCS_MESSAGE, known), known)
    if pricing.billing_event != CONVERSATION:
        return price

    def once_a_session(level: Level) -> Term | Refusal:
        """A level that knows no conversations keeps the price by the text (SV-283)."""
        if not any(forms_sessions(tree, attributes) for tree in level.sources):
            return Refusal.RATE_NOT_FOUND
        term = price(level)
        opened_at = pricing.session_opened_at or at
        return term if isinstance(term, Refusal) else in_session(term, attributes[Parameter.SENDER_ID], opened_at)

    return once_a_session


def _of_whatsapp(attributes: Attributes) -> Attributes:
    return {**attributes, Parameter.WHATSAPP_REGION: region_of(attributes[Parameter.COUNTRY])}


def _first_rate(find: _Find, attributes: Attributes) -> Price:
    """Sources are asked in order, as for an SMS (SV-244 to SV-246)."""

    def price(level: Level) -> Term | Refusal:
        for tree in level.sources:
            rate = find(tree)
            if isinstance(rate, Answer):
                return Refusal.DESTINATION_BLOCKED
            if rate is not None:
                return term_of(level, rate, attributes, 1)
        return Refusal.RATE_NOT_FOUND

    return price
