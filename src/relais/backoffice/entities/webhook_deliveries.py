"""Webhook deliveries: events for clients' systems, every attempt to tell them, and sending one again."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform

from relais.pages.entity import Action, Block, Column, Entity, Filter, Menu, Section
from relais.pages.kinds import NOTHING, Badge, Code, Computed, Id, Instant, Kind, Name, Number, Reference
from relais.pages.viewer import Viewer
from relais.records.parties.models import Company
from relais.records.people.models import ApiKey
from relais.records.traffic.models import Callback, CallbackAttempt, CallbackState
from relais.records.traffic.webhooks import send_again

STATES = {
    CallbackState.WAITING: (CallbackState.WAITING.label, "info"),
    CallbackState.ANSWERED: (CallbackState.ANSWERED.label, "ok"),
    CallbackState.GIVEN_UP: (CallbackState.GIVEN_UP.label, "bad"),
    CallbackState.STOPPED: (CallbackState.STOPPED.label, "warn"),
}
REACH_COUNT = (
    50_000  # deliveries that a list looks through for what its filters leave; those of a message have an index
)


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("company", "api_key", "sender").annotate(type=KeyTextTransform("type", "event"))


def _reach(rows: QuerySet[Any], values: Mapping[str, Any]) -> tuple[QuerySet[Any], str]:
    try:
        return rows.filter(message_id=UUID(values.get("message_id", ""))), ""
    except ValueError:
        pass  # not a whole id
    newest = Callback.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return rows.filter(pk__gt=newest - REACH_COUNT), ""


def _webhook(callback: Any) -> tuple[Any, str]:
    """Whose address it is."""
    text = str(callback.api_key or callback.sender or "")
    return text or NOTHING, text


def _message(callback: Any) -> tuple[Any, str]:
    text = str(callback.message_id or "")
    return text or NOTHING, text


def _blocks(callback: Callback, viewer: Viewer) -> list[Block]:
    attempts = list(viewer.rows(CallbackAttempt).filter(callback=callback.pk).order_by("-attempt"))
    event = json.dumps(callback.event, indent=2, ensure_ascii=False)
    return [
        Block("backoffice/webhook_attempts.html", {"attempts": attempts}),
        Block("backoffice/webhook_event.html", {"event": event, "id": f"msg_{callback.pk}"}),
    ]


def _send_again(callback: Callback, viewer: Viewer, data: dict[str, Any]) -> None:
    send_again(callback.pk, viewer.now)


WEBHOOK_DELIVERIES = Entity(
    name="webhook-deliveries",
    model=Callback,
    label="Webhook delivery",
    plural="Webhook deliveries",
    line="Webhooks",
    menu=Menu("Traffic", 50),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk"),
        Column("created_at", "Created", Instant(seconds=True), sort=None, phone="m3"),
        Column("type", "Event", Name(), sort=None, phone="m1"),
        Column("state", "State", Badge(STATES), sort=None, phone="m4"),
        Column("status", "HTTP status", Number(), sort=None, phone="m2"),
        Column("attempts", "Attempts", Number(), sort=None),
        Column("due_at", "Next attempt", Instant(seconds=True), sort=None),
        Column("company", "Company", Reference("companies"), sort=None),
        Column("webhook", "API key or sender ID", Computed(_webhook), sort=None),
        Column("url", "URL", Kind(), sort=None),
        Column("message_id", "Message ID", Computed(_message), sort=None, shown=False),
        Column("webhook_id", "webhook-id", Code(), path="webhook_id", sort=None, shown=False),
    ),
    filters=(
        Filter("state", "State", "choice", choices=CallbackState.choices),
        Filter("status", "HTTP status", "number"),
        Filter("api_key", "API key", "reference", of=ApiKey),
        Filter("company", "Company", "reference", of=Company),
        Filter("message_id", "Message ID"),
        Filter("url", "URL"),
        Filter("created_at", "Created", "instant"),
    ),
    search=("url",),
    search_hint="URL",
    order="-pk",
    sections=(
        Section("Delivery", ("type", "state", "status", "attempts", "due_at", "created_at")),
        Section("To", ("company", "webhook", "url", "message_id", "webhook_id")),
    ),
    rows=_rows,
    reach=_reach,
    actions=(Action("resend", "Send again", _send_again, shown=lambda callback: callback.due_at is None, bulk=True),),
    blocks=_blocks,
    empty="Every event that a client's system is told stands here for a week, with every attempt. Give an API key a webhook URL, "
    "or a message a callback_url.",
)
