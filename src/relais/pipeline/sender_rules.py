"""What countries take as senders of SMS: numbers only, or what was registered there, with or without a document.

Compiled with the snapshot, and None where no country has a rule, so that a message then costs one look at it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from relais.core.refusals import Refusal
from relais.pipeline.submission import Refused

if TYPE_CHECKING:  # the snapshot holds these rules
    from relais.pipeline.configuration import Sender

ALLOWED, NOT_ALLOWED, REGISTERED, DOCUMENTED = "allowed", "not_allowed", "registration", "document"


class SenderRule(msgspec.Struct, frozen=True):
    """What a country takes: of senders with letters and of those of digits only, each one of the words above."""

    country: str  # its name
    names: str
    numbers: str
    documents: str = ""  # which it asks for


class SenderRules(msgspec.Struct, frozen=True):
    """`by_country`: ISO code → rule. `approved`: (sender ID, ISO code) → whether a document was given."""

    by_country: Mapping[str, SenderRule]
    approved: Mapping[tuple[int, str], bool]

    def refuse(self, sender: "Sender", country: str) -> Refused | None:
        """Why the country takes nothing from that sender, and what to do; None where it does."""
        rule = self.by_country.get(country)
        if rule is None:
            return None
        number = sender.text.removeprefix("+").isdigit()
        use = rule.numbers if number else rule.names
        if use == ALLOWED:
            return None
        if use == NOT_ALLOWED:
            return Refused(refusal=Refusal.SENDER_NOT_ALLOWED, detail=_not_allowed(rule, number))
        documented = self.approved.get((sender.id, country))
        if documented or (documented is not None and use == REGISTERED):
            return None
        return Refused(refusal=Refusal.SENDER_NOT_REGISTERED, detail=_not_registered(rule, number, use))


def compiled(rules: Sequence[Any], registrations: Sequence[Any]) -> SenderRules | None:
    """Of the rows of `configuration.sql`; None without a rule."""
    if not rules:
        return None
    return SenderRules(
        {row["country_id"]: SenderRule(row["name"], row["names"], row["numbers"], row["documents"]) for row in rules},
        {(row["sender_id"], row["country_id"]): row["documented"] for row in registrations},
    )


def _not_allowed(rule: SenderRule, number: bool) -> str:
    if number:
        return f"{rule.country} takes no number as sender: choose a sender ID with letters."
    if rule.numbers == NOT_ALLOWED:
        return f"{rule.country} takes no SMS from a sender ID of its own."
    return f"{rule.country} takes numbers only as senders: choose a sender ID of digits."


def _not_registered(rule: SenderRule, number: bool, use: str) -> str:
    asked = "a registration with a document" if use == DOCUMENTED else "a registration"
    told = f"{rule.country} asks for {asked} before it takes this sender ID: ask your provider to register it"
    if rule.documents:
        told += f" ({rule.documents})"
    instead = ", or send from a number" if rule.numbers == ALLOWED and not number else ""
    return f"{told}{instead}."
