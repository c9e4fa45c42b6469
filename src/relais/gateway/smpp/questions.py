"""query_sm, cancel_sm and replace_sm: what a client asks about a message that was taken (SMPP 3.4 §4.8 to §4.10)."""

from datetime import UTC, datetime
from uuid import UUID

from relais.core.lifecycle import State
from relais.gateway.smpp.answers import MESSAGE_STATES, error_code
from relais.gateway.smpp.reading import replacement_text, when
from relais.pipeline.configuration import ClientConnection
from relais.pipeline.traffic import Traffic
from relais.pipeline.withdrawals import Replacement
from relais.wire.smpp import statuses
from relais.wire.smpp.pdus import (
    CancelSm,
    CancelSmResp,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
)
from relais.wire.smpp.times import absolute_time

ERROR_CODE_MAX = 255


async def answer(traffic: Traffic, connection: ClientConnection, request: QuerySm | CancelSm | ReplaceSm) -> Pdu | int:
    """The response, or the status to refuse with. `Unfit` for what cannot be read."""
    message_id = _message_id(request.message_id)
    if message_id is None:
        # cancel_sm without an id would cancel every message to a number: no record is kept to find them by
        return statuses.ESME_RCANCELFAIL if isinstance(request, CancelSm) else statuses.ESME_RINVMSGID
    view = await traffic.message(connection.key, message_id)
    if view is None:
        return statuses.ESME_RINVMSGID
    if request.source and request.source.strip().casefold() != view.source.casefold():
        return statuses.ESME_RINVSRCADR
    if isinstance(request, QuerySm):
        state = State[view.status.upper()]
        final_date = absolute_time(view.times[view.status]) if view.final else ""
        error = min(error_code(view.error), ERROR_CODE_MAX)
        return QuerySmResp(
            message_id=request.message_id,
            final_date=final_date,
            message_state=int(MESSAGE_STATES[state]),
            error_code=error,
        )
    if isinstance(request, CancelSm):
        if request.destination and request.destination.lstrip("+") != view.destination:
            return statuses.ESME_RINVDSTADR
        return CancelSmResp() if await traffic.cancel(connection.key, message_id) else statuses.ESME_RCANCELFAIL
    now = datetime.now(UTC)
    send_at, validity_s = when(request, now)
    text = replacement_text(request, view.encoding, connection.data_coding)
    replaced = await traffic.replace(connection.key, message_id, Replacement(text, send_at, validity_s))
    return ReplaceSmResp() if replaced else statuses.ESME_RREPLACEFAIL


def _message_id(told_id: str) -> UUID | None:
    """The message of an id that was answered: its own, or that of one of its parts."""
    try:
        return UUID(told_id.partition(".")[0])
    except ValueError:
        return None
