"""Who sees traffic (ruling 9): messages of the own company and of those directly below it, and of everybody's EDRs those
charged to the company or by it; in the Client portal messages of the own company and what it paid for them. Traffic is
written by the data plane alone, so nobody manages it."""

from django.db.models import Q

from relais.records.agreements.models import Agreement
from relais.records.catalog.models import EnabledService
from relais.records.parties.models import Company
from relais.records.people.models import User
from relais.records.traffic.models import (
    Callback,
    CallbackAttempt,
    CallbackStop,
    Edr,
    Fallback,
    Incoming,
    Lookup,
    Message,
    PackUse,
    PartReceipt,
    SentPart,
    Shortage,
)
from relais.records.visibility import NOTHING, Action, agreements_of, own_and_children, rule_of, visible


@rule_of(Message)
def _messages(user: User, action: Action) -> Q:
    """With "or", the children are looked up in a hashed set; joined, they would be gone through for every message."""
    children = Company.objects.filter(parent_id=user.company_id).values("pk")
    return NOTHING if action == "manage" else Q(company_id=user.company_id) | Q(company__in=children)


@rule_of(Incoming)
def _incoming(user: User, action: Action) -> Q:
    return _messages(user, action)


@rule_of(SentPart, PartReceipt, Fallback, Lookup)
def _of_messages(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(message__company__in=own_and_children(user.company_id))


@rule_of(Edr)
def _edrs(user: User, action: Action) -> Q:
    """Of a chain the own level and, when the company resells, the one it sells at: never a level further off."""
    return NOTHING if action == "manage" else Q(agreement__in=agreements_of(user.company_id, "view"))


@rule_of(Callback, CallbackStop)
def _callbacks(user: User, action: Action) -> Q:
    """To be sent again by whoever may."""
    return Q(company__in=own_and_children(user.company_id))


@rule_of(CallbackAttempt)
def _attempts(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(callback__company__in=own_and_children(user.company_id))


@rule_of(PackUse)
def _uses_of_packs(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(pack__in=visible(EnabledService.objects.all(), user).values("pk"))


@rule_of(Shortage)
def _shortages(user: User, action: Action) -> Q:
    """Those who sell under the agreement or buy under it: which level refused is nobody else's affair (RSL-43)."""
    return _edrs(user, action)


@rule_of(Shortage, portal=True)
def _own_shortages(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(agreement__company_id=user.company_id)


@rule_of(Message, portal=True)
def _own_messages(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(company_id=user.company_id)


@rule_of(Edr, portal=True)
def _own_edrs(user: User, action: Action) -> Q:
    """What the company paid for its own messages: a reseller pays for its clients' too, which is no client's affair."""
    if action == "manage":
        return NOTHING
    bought = Agreement.objects.filter(company_id=user.company_id).values("pk")
    return Q(agreement__in=bought, message__company_id=user.company_id)


@rule_of(PackUse, portal=True)
def _uses_of_own_packs(user: User, action: Action) -> Q:
    return _uses_of_packs(user, action)
