"""Clients' SMPP sessions: binds, submissions, questions, receipts (CSMPP, SMPP 3.4 §4, 5.0).

A request is answered when what it brought is stored; a receipt is done with when the client answered it. Each account keeps
within its own window and rate, for all its sessions together; what it asks beyond is answered ESME_RTHROTTLED.
"""

import asyncio
import ssl
from collections.abc import Coroutine, Mapping, Set
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import structlog

from relais.gateway.smpp import questions
from relais.gateway.smpp.accounts import SESSIONS_DEFAULT, Account, Door
from relais.gateway.smpp.answers import STATUSES, VERSION_WITH_TLVS, pdu_for
from relais.gateway.smpp.parts import Parts
from relais.gateway.smpp.reading import Unfit, read, read_multi, submission_of
from relais.pipeline.deliveries import Delivery
from relais.pipeline.seats import Seat, Seats
from relais.pipeline.submission import Accepted, Answer, Refused, Submission, Told
from relais.pipeline.traffic import Traffic
from relais.transport.smpp import SmppEnd, SmppServer
from relais.wire.smpp import statuses
from relais.wire.smpp.codec import Unencodable
from relais.wire.smpp.events import BindRefused, Bound, Declined, Event
from relais.wire.smpp.pdus import (
    Bind,
    CancelSm,
    DataSm,
    DataSmResp,
    Pdu,
    QuerySm,
    RefusedAddress,
    ReplaceSm,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
)
from relais.wire.smpp.states import SessionSettings
from relais.wire.smpp.statuses import StatusClass

SYSTEM_ID: Final = "RELAIS"
SESSION: Final = SessionSettings(enquire_link_s=60.0, inactivity_s=300.0, incoming_window=5_000)
DELIVER_WINDOW: Final = 100  # receipts without an answer on one session
WAITING_MAX: Final = 5_000  # of one account in memory; above it they stay in the database
AGAIN_S: Final = 5.0  # after an answer that asks for the receipt once more
KEPT: Final = timedelta(days=3)
HOUSEKEEPING_S: Final = 1.0
AGAIN_CLASSES = frozenset({StatusClass.TEMPORARY, StatusClass.THROTTLE})

log = structlog.get_logger()


class ClientServer:
    """The edge: starts and stops the listeners, and is the handler of their sessions. `tls`: a second listener, over TLS."""

    def __init__(
        self, traffic: Traffic, host: str, port: int, *, tls: ssl.SSLContext | None = None, tls_port: int = 0
    ) -> None:
        self._traffic = traffic
        self._host, self._port, self._tls, self._tls_port = host, port, tls, tls_port
        self._accounts: dict[str, Account] = {}
        self._elsewhere: Mapping[int, int] = {}
        self._by_end: dict[SmppEnd, Account] = {}
        self._by_id: dict[int, Account] = {}  # by client connection, of those that are bound
        self._door = Door(lambda: traffic.snapshot)
        self._seats = Seats(traffic.dsn, self._sessions_max, self._without_seat)
        self._seat_of: dict[SmppEnd, Seat] = {}
        self._parts = Parts(traffic)
        self._tasks: set[asyncio.Task[None]] = set()
        self._housekeeping: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._change = 0
        self._server = SmppServer(self, partial(self._decide, tls=False), SESSION, system_id=SYSTEM_ID)
        self._tls_server = SmppServer(self, partial(self._decide, tls=True), SESSION, system_id=SYSTEM_ID)

    @property
    def port(self) -> int:
        """Where it listens without TLS; known once started."""
        return self._server.port

    @property
    def tls_port(self) -> int:
        return self._tls_server.port

    async def start(self) -> None:
        """OSError when a port is taken."""
        self._traffic.deliveries.attach(self)
        await self._server.start(self._host, self._port)
        if self._tls is not None:
            await self._tls_server.start(self._host, self._tls_port, tls=self._tls)
        self._housekeeping = asyncio.create_task(self._keep_house(), name="smpp clients")
        log.info("smpp.listening", host=self._host, port=self.port)

    async def stop(self) -> None:
        """Answer what was asked, unbind from everybody, and return when all connections are gone."""
        if self._housekeeping is not None:
            self._housekeeping.cancel()
            await asyncio.gather(self._housekeeping, return_exceptions=True)
        await asyncio.gather(self._server.stop(), self._tls_server.stop())
        await self._parts.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._seats.close()

    # What the pipeline asks (`pipeline.deliveries.Outlet`).

    def receives(self, connection_id: int) -> bool:
        account = self._by_id.get(connection_id)
        return account is not None and bool(account.receivers) and len(account.waiting) < WAITING_MAX

    def receiving(self) -> Set[int]:
        return set(filter(self.receives, self._by_id))

    def deliver(self, delivery: Delivery) -> None:
        account = self._by_id.get(delivery.connection_id)
        if account is None or not account.receivers:
            self._traffic.deliveries.undeliverable(delivery)
            return
        account.waiting.extend((delivery, receipt) for receipt in delivery.receipts)
        self._pump(account)

    def told(self) -> Mapping[str, Any]:
        return {str(account.connection.id): account.told() for account in self._accounts.values() if account.ends}

    def elsewhere(self, sessions: Mapping[int, int]) -> None:
        """`Outlet.elsewhere`: an account's limits are shared by its sessions, wherever they are."""
        self._elsewhere = sessions
        for account in self._accounts.values():
            account.elsewhere_count = sessions.get(account.connection.id, 0)

    # What the transport tells.

    def bound(self, end: SmppEnd, event: Bound) -> None:
        connection = self._traffic.snapshot.client_connections[end.peer_system_id]
        account = self._accounts.setdefault(connection.login, Account(connection))
        account.connection = connection
        account.elsewhere_count = self._elsewhere.get(connection.id, 0)
        account.password = connection.password
        account.ends.append(end)
        self._by_end[end] = account
        self._by_id[connection.id] = account
        log.info("client.bound", connection=connection.id, peer_host=end.peer_host, sessions=len(account.ends))

    def arrived(self, end: SmppEnd, request: Pdu) -> None:
        account = self._by_end.get(end)
        if account is None:
            end.answer(request, statuses.ESME_RINVBNDSTS)
            return
        account.connection = self._traffic.snapshot.client_connections.get(end.peer_system_id, account.connection)
        count = len(request.destinations) if isinstance(request, SubmitMulti) else 1
        if not account.admit(count):
            end.answer(request, statuses.ESME_RTHROTTLED)
            return
        account.open_count += 1
        try:
            if isinstance(request, (SubmitSm, DataSm)):
                self._take(end, account, request)
            elif isinstance(request, SubmitMulti):
                self._take_multi(end, account, request)
            elif isinstance(request, QuerySm | CancelSm | ReplaceSm):
                self._start(self._answer_question(end, account, request))
            else:
                self._answer(end, account, request, statuses.ESME_RINVCMDID)
        except Unfit as unfit:
            account.refused += 1
            self._answer(end, account, request, unfit.status)

    def answered(self, end: SmppEnd, context: Any, response: Pdu) -> None:
        account, (delivery, receipt) = self._by_end[end], context
        status = response.status
        if status and statuses.status_class(status) in AGAIN_CLASSES and datetime.now(UTC) - receipt.done_at < KEPT:
            asyncio.get_running_loop().call_later(AGAIN_S, self._queue_again, account, delivery, receipt)
        elif delivery.open_count:
            account.delivered += 1
            self._traffic.deliveries.answered(delivery)
        self._pump(account)

    def unanswered(self, end: SmppEnd, context: Any) -> None:
        account = self._by_end.get(end) or self._accounts[end.peer_system_id]
        self._queue_again(account, *context)

    def noticed(self, end: SmppEnd, event: Event) -> None:
        if isinstance(event, BindRefused):
            log.warning("client.refused", peer_host=end.peer_host, status=statuses.status_name(event.status))
        elif isinstance(event, Declined):
            log.debug("request.declined", command=event.command_id, status=statuses.status_name(event.status))

    def closed(self, end: SmppEnd, reason: str) -> None:
        account = self._by_end.pop(end, None)
        if account is None:
            return
        self._start(self._seats.give_up(self._seat_of.pop(end)))
        account.ends.remove(end)
        if not account.ends:
            self._by_id.pop(account.connection.id, None)
        log.info("client.left", connection=account.connection.id, peer_host=end.peer_host, reason=reason)
        if not account.receivers:
            waiting = {delivery for delivery, _ in account.waiting if delivery.open_count}
            account.waiting.clear()
            for delivery in waiting:
                self._traffic.deliveries.undeliverable(delivery)

    # Binds.

    def _decide(self, end: SmppEnd, bind: Bind, *, tls: bool) -> int | None:
        status = self._door.decide(bind, end.peer_host, tls=tls)
        if status:
            return status
        self._start(self._seat(end, bind, tls=tls))
        return None

    async def _seat(self, end: SmppEnd, bind: Bind, *, tls: bool) -> None:
        """Let it in if its account may have one more session."""
        connection = self._traffic.snapshot.client_connections[bind.system_id]
        seat = await self._seats.take(connection.id)
        status = self._door.decide(bind, end.peer_host, tls=tls) if seat else statuses.ESME_RALYBND
        if seat is None or status:
            end.answer_bind(bind, status)
        else:
            self._seat_of[end] = seat
            if end.answer_bind(bind, status):
                return
            del self._seat_of[end]
        if seat is not None:
            await self._seats.give_up(seat)

    def _sessions_max(self, connection_id: int) -> int:
        found = self._traffic.snapshot.client_connections.values()
        return next((each.sessions_limit for each in found if each.id == connection_id), None) or SESSIONS_DEFAULT

    def _without_seat(self, seat: Seat) -> None:
        """Other sessions took all while the database could not say so."""
        for end in [end for end, taken in self._seat_of.items() if taken is seat]:
            log.warning("client.too_many", connection=seat.connection_id, peer_host=end.peer_host)
            self._start(end.unbind())

    # Messages.

    def _take(self, end: SmppEnd, account: Account, request: SubmitSm | DataSm) -> None:
        connection = account.connection
        wish = read(request, connection.data_coding, datetime.now(UTC))
        if wish.part is not None:
            self._parts.take(connection, wish, partial(self._tell_part, end, account, request))
            return
        submission = submission_of([wish], connection.id, (("", wish.registered_delivery),))
        tell = partial(self._tell, end, account, request)
        at_once = self._traffic.submit_one(connection.key, submission, None, tell)
        if at_once is not None:
            tell(at_once)

    def _tell(self, end: SmppEnd, account: Account, request: Pdu, told: Told) -> None:
        outcome = told.outcomes[0] if isinstance(told, Answer) else told
        if isinstance(outcome, Accepted):
            self._tell_part(end, account, request, str(outcome.message_id))
        else:
            self._tell_part(end, account, request, outcome)

    def _tell_part(self, end: SmppEnd, account: Account, request: Pdu, told: str | Refused | Exception) -> None:
        """Answer a message, or a part of one, with its id or the status of its refusal."""
        if not isinstance(told, str):
            account.refused += 1
            self._answer(end, account, request, status_of(told))
            return
        account.open_count -= 1
        account.accepted += 1
        if isinstance(request, DataSm):
            end.answer_with(request, DataSmResp(message_id=told))
        else:
            end.answer_submit_sm(request, told)

    def _take_multi(self, end: SmppEnd, account: Account, request: SubmitMulti) -> None:
        connection = account.connection
        wishes = read_multi(request, connection.data_coding, datetime.now(UTC))
        if wishes[0].part is not None:
            raise Unfit(statuses.ESME_RINVESMCLASS)  # which answer's id would its parts have?
        told_id = str(self._traffic.new_message_id())
        told = ((told_id, wishes[0].registered_delivery),)
        submissions = [submission_of([wish], connection.id, told) for wish in wishes]
        self._start(self._submit_multi(end, account, request, told_id, submissions))

    async def _submit_multi(
        self, end: SmppEnd, account: Account, request: SubmitMulti, told_id: str, submissions: list[Submission]
    ) -> None:
        """One id for all of them, as the protocol has it: receipts carry it too, and tell by the number."""
        try:
            answer = await self._traffic.submit(account.connection.key, submissions, None)
        except Exception as error:
            self._tell_part(end, account, request, error)
            return
        outcomes = answer.outcomes if isinstance(answer, Answer) else [answer] * len(submissions)
        refusals = [
            RefusedAddress(place.ton, place.npi, place.address, status_of(outcome))
            for submission, outcome in zip(submissions, outcomes, strict=True)
            if isinstance(outcome, Refused) and submission.origin and (place := submission.origin.destination)
        ]
        account.accepted += len(submissions) - len(refusals)
        account.refused += len(refusals)
        if len(refusals) == len(submissions):
            self._answer(end, account, request, refusals[0].status)
            return
        account.open_count -= 1
        end.answer_with(request, SubmitMultiResp(message_id=told_id, unsuccessful=tuple(refusals)))

    async def _answer_question(self, end: SmppEnd, account: Account, request: QuerySm | CancelSm | ReplaceSm) -> None:
        try:
            response = await questions.answer(self._traffic, account.connection, request)
        except Unfit as unfit:
            response = unfit.status
        except Exception:
            log.exception("question.failed", connection=account.connection.id)
            response = statuses.ESME_RSYSERR
        if isinstance(response, int):
            self._answer(end, account, request, response)
            return
        account.open_count -= 1
        end.answer_with(request, response)

    def _answer(self, end: SmppEnd, account: Account, request: Pdu, status: int) -> None:
        account.open_count -= 1
        end.answer(request, status)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Receipts.

    def _pump(self, account: Account) -> None:
        """Send what waits over sessions with room in their window."""
        if not account.waiting:
            return
        for end in account.receivers:
            while account.waiting and end.session.pending_count < DELIVER_WINDOW and end.session.may_deliver:
                delivery, receipt = account.waiting.popleft()
                if not delivery.open_count:
                    continue  # somebody else tells it
                try:
                    end.send(pdu_for(receipt, tlvs_allowed=end.peer_version >= VERSION_WITH_TLVS), (delivery, receipt))
                except (Unencodable, ValueError) as fault:
                    log.error("receipt.unencodable", connection=account.connection.id, error=str(fault))
                    self._traffic.deliveries.answered(delivery)

    def _queue_again(self, account: Account, delivery: Delivery, receipt: Any) -> None:
        if not delivery.open_count:
            return
        if not account.receivers:
            self._traffic.deliveries.undeliverable(delivery)
            return
        account.waiting.appendleft((delivery, receipt))
        self._pump(account)

    # Time.

    async def _keep_house(self) -> None:
        while True:
            self._parts.look()
            if self._renewing is None or self._renewing.done():
                self._renewing = self._start(self._seats.renew())
            self._let_go()
            for account in self._accounts.values():
                self._pump(account)
            await asyncio.sleep(HOUSEKEEPING_S)

    def _let_go(self) -> None:
        """Sessions of connections that were disabled, deleted, or given other credentials since."""
        snapshot = self._traffic.snapshot
        if snapshot.change == self._change:
            return
        self._change = snapshot.change
        for login, account in list(self._accounts.items()):
            current = snapshot.client_connections.get(login)
            bound_with = (account.connection.id, account.password)
            if current is None or (current.id, current.password) != bound_with or not is_open(current):
                for end in list(account.ends):
                    self._start(end.unbind())


def is_open(connection: Any) -> bool:
    return not connection.disabled and connection.key.company_enabled


def status_of(told: Refused | Exception) -> int:
    """What a message that was not taken is answered with."""
    if isinstance(told, Refused):
        return STATUSES[told.refusal]
    log.error("submission.failed", error=str(told) or type(told).__name__)
    return statuses.ESME_RSYSERR
