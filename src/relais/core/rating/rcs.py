"""Billing events of RCS messages and the sessions of 24 hours that a recipient's words open (SV-180 to SV-193)."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from relais.core.rating.tree import has_own_node
from relais.core.rating.types import Cover, CoverKind, Domain, Parameter, Resource, Term, Tree

BASIC, SINGLE, CONVERSATION = "basic", "single", "conversation"
BASIC_CHARACTERS_MAX = 240  # Unicode code points (SV-282)
SESSION_LASTS = timedelta(hours=24)


def billing_event(text: str, *, rich: bool = False) -> str:
    """Of a message outside of a session; `rich` = with media, buttons or cards. A vendor's own report decides over it."""
    return SINGLE if rich or len(text) > BASIC_CHARACTERS_MAX else BASIC


def session_opened_at(at: datetime, recipient_wrote_at: datetime | None, opened_at: datetime | None) -> datetime | None:
    """When the session began in which a message goes out at `at`: that of `opened_at` while it lasts, else this message
    opens one if the recipient wrote within the 24 hours before; None = outside of a session (SV-283)."""
    if opened_at is not None and opened_at <= at < opened_at + SESSION_LASTS:
        return opened_at
    if recipient_wrote_at is not None and at - SESSION_LASTS < recipient_wrote_at <= at:
        return at
    return None


def forms_sessions(tree: Tree, attributes: Mapping[Parameter, str]) -> bool:
    """Whether the tree has a node Conversation for these attributes; else messages are Basic or Single."""
    conversation = {**attributes, Parameter.BILLING_EVENT: CONVERSATION}
    return has_own_node(tree, Domain.RCS_MESSAGING, Resource.RCS_MESSAGE, conversation, Parameter.BILLING_EVENT)


def in_session(term: Term, sender_id: str, opened_at: datetime) -> Term:
    """The term as one of its session: charged once a recipient, with the first message billed; also for the conversation
    resources of WhatsApp and Viber (SV-278)."""
    name = f"{term.agreement_id}/{sender_id}/{opened_at.isoformat()}"
    return replace(term, cover=Cover(CoverKind.SESSION, session=name))
