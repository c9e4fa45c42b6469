"""One connection to a vendor: one session or several, bound as the vendor wants it, kept alive, and made again when they fall.

Paces nothing and remembers nothing but what is on the wire; what a vendor does wrong is told through `VendorEvents` or
logged, and never raises. Of each session only the current bind speaks: events of a former one are over once it is closed. The
connection is ready while any session that sends is bound.
"""

import asyncio
import contextlib
import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import structlog

from relais.contracts.vendors import OutgoingPart, RefusalClass, VendorEvents
from relais.transport.http import is_public
from relais.transport.smpp import SmppEnd, connect
from relais.vendors.smpp.messages import ID_CHARACTERS_MAX, incoming_message, refusal, submit_sm, vendor_receipt
from relais.vendors.smpp.settings import BindMode, SmppSettings
from relais.wire.smpp import statuses
from relais.wire.smpp.codec import Unencodable
from relais.wire.smpp.commands import command_name
from relais.wire.smpp.events import BindRefused, Bound, Declined, Event, StrayResponse
from relais.wire.smpp.pdus import (
    Bind,
    BindReceiver,
    BindTransceiver,
    BindTransmitter,
    DataSm,
    DeliverSm,
    Pdu,
    SubmitSmResp,
)
from relais.wire.smpp.receipts import is_receipt, looks_like_receipt

CREDENTIALS_REFUSED: Final = frozenset(
    {
        statuses.ESME_RBINDFAIL,
        statuses.ESME_RINVPASWD,
        statuses.ESME_RINVSYSID,
        statuses.ESME_RINVSYSTYP,
    }
)
"""Bind refusals that only a change of settings will cure."""

log = structlog.get_logger()


class SmppConnection:
    """`relais.contracts.vendors.Connection` over SMPP; also the handler of its transport."""

    def __init__(self, settings: SmppSettings, events: VendorEvents) -> None:
        self.settings = settings
        self._events = events
        self._ends: dict[_Bind, SmppEnd] = {}  # of the sessions that are connected now
        self._reasons: dict[_Bind, str] = {}  # why the others are not
        self._said: tuple[bool, str] | None = None
        self._noted: Counter[tuple[str, int, int]] = Counter()  # what a vendor did wrong, how often
        self._log = log.bind(host_name=settings.host_name, port=settings.port, system_id=settings.system_id)
        kinds: tuple[type[Bind], ...] = (BindTransceiver,)
        if settings.bind_mode is BindMode.APART:
            kinds = (BindTransmitter, BindReceiver)
        self._binds = [_Bind(self, kind) for _ in range(settings.sessions) for kind in kinds]

    def spellings(self, vendor_message_id: str) -> tuple[str, ...]:
        """See the contract; the rule is a setting of the connection."""
        return self.settings.match_ids(vendor_message_id)

    @property
    def sessions(self) -> tuple[int, int]:
        """See the contract."""
        return sum(end.session.bound for end in self._ends.values()), len(self._binds)

    async def run(self) -> None:
        """See the contract. Cancelling unbinds: bounded by the session's waits, twice `UNBIND_WAIT_S`."""
        tasks = [asyncio.ensure_future(bind.run()) for bind in self._binds]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # what broke
        finally:
            self._say(False, "stopped")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def submit(self, part: OutgoingPart) -> None:
        """See the contract. The session with the fewest open requests gets it; answers come later, never from within this
        call."""
        chosen, least = None, 0
        for bind, end in self._ends.items():
            if bind.sends and end.session.bound and (chosen is None or end.session.pending_count < least):
                chosen, least = end, end.session.pending_count
        if chosen is None:
            self._refuse_soon(part, "not connected", RefusalClass.TEMPORARY)
            return
        try:
            chosen.send(submit_sm(part, self.settings), part)
        except Unencodable as fault:
            self._refuse_soon(part, str(fault), RefusalClass.PERMANENT)

    def acknowledge(self, tokens: Sequence[Any]) -> None:
        """See the contract. Tokens of a bind that is gone are dropped: the vendor will send those receipts again."""
        for end, request in tokens:
            end.answer(request)

    # What the sessions tell.

    def connected(self, bind: "_Bind", end: SmppEnd) -> None:
        self._ends[bind] = end

    def bound(self, bind: "_Bind", end: SmppEnd) -> None:
        self._ends[bind] = end
        self._reasons.pop(bind, None)
        self._look()

    def gone(self, bind: "_Bind", reason: str) -> None:
        self._ends.pop(bind, None)
        self._reasons[bind] = reason
        self._look(reason)

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        if not isinstance(request, (DeliverSm, DataSm)):
            return  # outbind and alert_notification: nothing to do, nothing to answer
        if is_receipt(request) or (self.settings.receipts_without_esm_class and looks_like_receipt(request)):
            self._events.receipt(vendor_receipt(request, self.settings, (end, request)))
            return
        self._events.incoming(incoming_message(request, self.settings, (end, request)))

    def answered(self, context: OutgoingPart, response: Pdu) -> None:
        if response.status == 0 and isinstance(response, SubmitSmResp):
            self._events.submitted(context, response.message_id[:ID_CHARACTERS_MAX])
        else:
            error, kind = refusal(response.status)
            self._events.refused(context, error, kind)

    def unanswered(self, context: OutgoingPart) -> None:
        self._events.unanswered(context)

    def noticed(self, event: Event) -> None:
        if isinstance(event, BindRefused):
            self._log.warning("bind.refused", status=statuses.status_name(event.status))
        elif isinstance(event, StrayResponse | Declined):
            self._note(event)

    # Inside.

    def _note(self, event: StrayResponse | Declined) -> None:
        """Log the first of a kind, the tenth, the hundredth: a vendor with a thousand receipts under way while we leave would
        otherwise fill the log."""
        kind = "response.dropped" if isinstance(event, StrayResponse) else "request.declined"
        key = kind, event.command_id, event.status
        self._noted[key] += 1
        if math.log10(self._noted[key]).is_integer():
            self._log.warning(
                kind,
                command=command_name(event.command_id),
                sequence=event.sequence,
                status=statuses.status_name(event.status),
                times=self._noted[key],
            )

    def _look(self, reason: str = "") -> None:
        """Tell what has changed: how many of the sessions are bound, and why the first of the others is not."""
        bound = [bind for bind, end in self._ends.items() if end.session.bound]
        ready = any(bind.sends for bind in bound)
        if len(bound) == len(self._binds):
            self._say(True, "bound")
        elif ready:
            self._say(True, f"{len(bound)} of {len(self._binds)} sessions bound")
        elif reason:
            self._say(False, reason)

    def _refuse_soon(self, part: OutgoingPart, error: str, kind: RefusalClass) -> None:
        asyncio.get_running_loop().call_soon(self._events.refused, part, error, kind)

    def _say(self, ready: bool, reason: str) -> None:
        """Tell only what is new."""
        if self._said != (ready, reason):
            self._said = (ready, reason)
            self._events.changed(ready, reason)


class _Bind:
    """One session of a connection, connected again whenever it falls; the handler of its end."""

    def __init__(self, connection: SmppConnection, kind: type[Bind]) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._kind = kind
        self.sends = kind is not BindReceiver
        self._end: SmppEnd | None = None
        self._bind_status = 0

    async def run(self) -> None:
        """Until cancelled; then unbinds."""
        loop = asyncio.get_running_loop()
        failures_count = 0
        try:
            while True:
                started_s = loop.time()
                await self._one_session()
                if loop.time() - started_s >= self._settings.reconnect_max_s:
                    failures_count = 0  # a vendor that accepts and closes at once must not be asked every second
                await asyncio.sleep(self._pause_s(failures_count))
                failures_count += 1
        finally:
            await self._leave()

    # What the transport tells.

    def bound(self, end: SmppEnd, event: Bound) -> None:
        self._connection.bound(self, end)

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        self._connection.arrived(end, request)

    def answered(self, end: SmppEnd, context: OutgoingPart, response: Pdu) -> None:
        self._connection.answered(context, response)

    def unanswered(self, end: SmppEnd, context: OutgoingPart) -> None:
        self._connection.unanswered(context)

    def noticed(self, end: SmppEnd, event: Event) -> None:
        if isinstance(event, BindRefused):
            self._bind_status = event.status
        self._connection.noticed(event)

    def closed(self, end: SmppEnd, reason: str) -> None:
        self._end = None
        self._connection.gone(self, reason)

    # Inside.

    async def _one_session(self) -> None:
        """Connect, bind and stay until it is over, however it ends."""
        settings = self._settings
        self._bind_status = 0
        request = self._kind(
            system_id=settings.system_id,
            password=settings.password,
            system_type=settings.system_type,
            interface_version=settings.interface_version,
        )
        try:
            tls = await asyncio.to_thread(settings.tls) if settings.use_tls else None
            end = await connect(
                settings.host_name,
                settings.port,
                request,
                settings.session(),
                self,
                tls=tls,
                timeout_s=settings.connect_timeout_s,
                allowed=None if settings.allow_internal else is_public,
            )
        except TimeoutError:
            self._connection.gone(self, "no connection in time")
            return
        except (OSError, ValueError) as fault:  # ValueError: a host name that no resolver takes
            self._connection.gone(self, f"no connection: {getattr(fault, 'strerror', None) or fault}")
            return
        self._end = end
        if not end.session.closed:
            self._connection.connected(self, end)
        await end.gone()

    def _pause_s(self, failures_count: int) -> float:
        """Before the next attempt: doubling, and spread so that gateways do not come back in step."""
        settings = self._settings
        if self._bind_status in CREDENTIALS_REFUSED:
            longest_s = settings.refused_bind_wait_s
        elif self._bind_status == statuses.ESME_RALYBND:  # an old session still stands there until it times out
            longest_s = settings.reconnect_max_s
        else:
            longest_s = min(settings.reconnect_max_s, settings.reconnect_min_s * 2 ** min(failures_count, 30))
        return longest_s * random.uniform(0.5, 1.0)

    async def _leave(self) -> None:
        """Unbind; should that be cancelled too, cut the connection."""
        end, self._end = self._end, None
        if end is None:
            return
        with contextlib.ExitStack() as stack:
            stack.callback(end.drop)
            await end.unbind()
