"""A message on a page of its own (its text, parts, timeline, charges), and the charges alone for a level that sees only those."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.backoffice import story
from relais.core.lifecycle import State
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.kinds import Money
from relais.pages.lists import record_url
from relais.pages.site import Screen
from relais.pages.traffic import ENTRY, STATE, short
from relais.pages.viewer import Viewer, viewer_of
from relais.records.traffic.models import Edr, Encoding, Message


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


@require_safe
def message_view(request: HttpRequest, pk: str) -> HttpResponse:
    """404 alike for a message that does not exist and one of a company further off."""
    viewer = viewer_of(request)
    rows = viewer.rows(Message).with_state().select_related("company", "network", "sender", "client_connection")
    message = story.with_traces(rows, viewer).filter(pk=_id(pk)).first()
    if message is None:
        raise Http404
    request.page = "messages"  # type: ignore[attr-defined]  # the menu marks the list this page belongs to
    texts = story.texts_of_parts(message)
    parts = story.parts(message, viewer, texts)
    charges = story.charges(message.pk, viewer, message)
    connection = message.connection_name or ""
    other = story.fallback(message)
    context = {
        "message": message,
        "short_id": short(message.pk),
        "badge": STATE.html(message.state, message),
        "texts": texts,
        "letters_count": len(message.body),
        "encoding": Encoding(message.encoding).label,
        "country": COUNTRY_NAMES.get(message.country_id, message.country_id),
        "received_by": story.received_by(message),
        "connection": connection,
        "valid_till": (message.send_at or message.accepted_at) + timedelta(seconds=message.validity_s),
        "links": _links(request, message, viewer),
        "parts": [(part, STATE.html(part.state, part)) for part in parts],
        "sent_as": other.source if other else "",
        "steps": story.steps(message, parts, charges, connection, other, story.looked_up(message, viewer)),
        "callbacks": _callbacks(request, message, viewer),
        **_money(charges, viewer),
        "took": _took(message),
    }
    return render(request, "backoffice/message.html", context)


@require_safe
def edr_view(request: HttpRequest, pk: str) -> HttpResponse:
    """The charges of a message at the levels that the viewer sells and buys at."""
    viewer = viewer_of(request)
    edr = viewer.rows(Edr).filter(message=_id(pk)).select_related("message__network").order_by("level").first()
    if edr is None:
        raise Http404
    request.page = "edrs"  # type: ignore[attr-defined]  # as above
    message = viewer.rows(Message).with_state().select_related("network").filter(pk=edr.message_id).first()
    context = {
        "edr": edr,
        "short_id": short(edr.message_id),
        "country": COUNTRY_NAMES.get(edr.message.country_id, edr.message.country_id),
        "message_url": record_url(request.site.entities["messages"], edr.message_id) if message else "",
        **_money(story.charges(edr.message_id, viewer, message), viewer),
    }
    return render(request, "backoffice/edr.html", context)


def _money(charges: list[story.Charge], viewer: Viewer) -> dict[str, Any]:
    """The charges, with what is paid on negative where this company is paid too; and what that leaves it, in one currency."""
    resold = any(charge.sold for charge in charges)
    shown = []
    for charge in charges:
        micros = -charge.gross_micros if resold and not charge.sold else charge.gross_micros
        shown.append((charge, _amount(micros, charge.currency), ENTRY.html(charge.entry, charge)))
    context: dict[str, Any] = {"charges": shown}
    if len({charge.currency for charge in charges}) != 1:
        return context
    currency = charges[0].currency
    sold_micros = sum(charge.gross_micros for charge in charges if charge.sold)
    bought_micros = sum(charge.gross_micros for charge in charges if not charge.sold)
    bought = any(not charge.sold for charge in charges)
    context["sold_for"] = _amount(sold_micros, currency) if resold else ""
    context["bought_for"] = _amount(bought_micros, currency) if bought else ""
    if resold and bought:
        margin_micros = sold_micros - bought_micros
        context |= {"margin": _amount(margin_micros, currency), "margin_is_bad": margin_micros < 0}
        if sold_micros:
            share = Decimal(margin_micros * 100) / sold_micros
            context["margin_share"] = f"{share.quantize(Decimal('0.1'))} %"
    return context


def _callbacks(request: HttpRequest, message: Any, viewer: Viewer) -> list[tuple[Any, str, str]]:
    """Each with its badge, and its own page for who may look at it."""
    entity = request.site.entities["webhook-deliveries"]  # type: ignore[attr-defined]  # set by the guard
    column = entity.column("state")
    shown = viewer.may(entity.line)
    return [
        (callback, column.kind.html(callback.state, callback), record_url(entity, callback.pk) if shown else "")
        for callback in story.callbacks(message, viewer)
    ]


def _amount(micros: int, currency: str) -> Any:
    return Money(currency, decimals=story.AMOUNT_DECIMALS).html(micros, None)


def _took(message: Any) -> str:
    delivered = message.status in (State.DELIVERED, State.READ) and message.final_at is not None
    return (
        story.lapse(message.final_at - (message.send_at or message.accepted_at)).removeprefix("+") if delivered else ""
    )


def _links(request: HttpRequest, message: Any, viewer: Viewer) -> dict[str, str]:
    """URLs of the records that the message names and whoever sees it sees too, where the site has their pages."""
    entities = request.site.entities  # type: ignore[attr-defined]  # set by the guard
    wanted = {"company": ("companies", message.company)}
    own = message.sender.company_id == message.company_id  # or the System owner's default, which others do not look at
    if message.sender.deleted_at is None and (own or message.sender.company_id == viewer.company.pk):
        wanted["sender"] = ("sender-ids", message.sender)
    return {key: record_url(entities[name], row.pk) for key, (name, row) in wanted.items() if name in entities}


MESSAGE = Screen("message", "Message", "messages/<key:pk>/", message_view, "Messages")
EDR = Screen("edr", "EDR", "edrs/<key:pk>/", edr_view, "EDRs")
