"""Which levels have passed a sender ID on (RSL-54): those from its owner, whose connection it uses, down to its company."""

from itertools import pairwise

from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.parties.tree import level_and_above
from relais.records.senders.models import Handover, SenderId


def owner_of(sender: SenderId) -> int:
    """The id of the company that only lends it to those below; that of its own company without a connection."""
    return sender.smpp_connection.company_id if sender.smpp_connection is not None else sender.company_id


def record_handovers(sender: SenderId) -> None:
    """Make the rows those of the stored sender ID's way down. Steps that stay keep their instant."""
    line = level_and_above(sender.company)
    way = line[: line.index(owner_of(sender)) + 1]
    wanted = dict(pairwise(way))  # who has it → who gave it
    for step in sender.handovers.all():
        if wanted.get(step.company_id) == step.given_by_id:
            del wanted[step.company_id]
        else:
            step.delete()
    for company_id, given_by_id in reversed(wanted.items()):
        Handover.objects.create(sender=sender, company_id=company_id, given_by_id=given_by_id)


def require_owner(sender: SenderId, company_id: int, what: str) -> None:
    """`Invalid` unless the sender ID is that company's own, not one that is only lent to it."""
    if owner_of(sender) != company_id:
        raise Invalid.of(WHOLE, "%(sender)s was handed down to you: %(what)s", sender=str(sender), what=Reason(what))
