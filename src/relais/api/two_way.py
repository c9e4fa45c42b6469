"""What comes from phones: messages to the client's sender IDs, and the recipients who are not to be written to."""

from datetime import UTC, datetime

import msgspec
from starlette.types import Receive, Scope

from relais.api.bodies import decode_stops, read_body
from relais.api.keys import Gate, peer_of
from relais.api.ports import Pipeline
from relais.api.problems import Problem, problem
from relais.api.questions import read_question, read_stops_question
from relais.api.replies import Header, Reply, encode, refused
from relais.api.sending import unread
from relais.api.shapes import Incoming, IncomingMessages, StopEntries, StopEntry, StopResult
from relais.pipeline.configuration import RIGHT_SEND, RIGHT_STATUS
from relais.pipeline.submission import Refused, StopsWanted

_PRIVATE: tuple[Header, ...] = ((b"cache-control", b"no-store"),)


class TwoWay:
    """Reading needs the right to read statuses, changing the stop list that to send."""

    __slots__ = ("_gate", "_pipeline")

    def __init__(self, pipeline: Pipeline, gate: Gate) -> None:
        self._pipeline = pipeline
        self._gate = gate

    async def incoming(self, scope: Scope, _receive: Receive) -> Reply:
        """A page of messages from phones, newest first."""
        key = self._gate.admit_scope(scope, RIGHT_STATUS)
        if isinstance(key, Problem):
            return refused(key)
        asked = read_question(scope.get("query_string", b""), datetime.now(UTC), incoming=True)
        if isinstance(asked, Problem):
            return refused(asked)
        views = await self._pipeline.two_way.incoming(
            key, msgspec.structs.replace(asked, count_max=asked.count_max + 1)
        )
        page = views[: asked.count_max]
        following = str(page[-1].message_id) if len(views) > len(page) else None
        shown = [
            Incoming(
                message_id=view.message_id,
                source=view.source,
                destination=view.destination,
                text=view.text,
                asked=view.asked,
                received_at=view.received_at.astimezone(UTC),
            )
            for view in page
        ]
        return Reply(200, encode(IncomingMessages(shown, following)), headers=_PRIVATE)

    async def stops(self, scope: Scope, _receive: Receive) -> Reply:
        """A page of the company's stop lists, newest first."""
        key = self._gate.admit_scope(scope, RIGHT_STATUS)
        if isinstance(key, Problem):
            return refused(key)
        asked = read_stops_question(scope.get("query_string", b""))
        if isinstance(asked, Problem):
            return refused(asked)
        views = await self._pipeline.two_way.stops(key, msgspec.structs.replace(asked, count_max=asked.count_max + 1))
        page = views[: asked.count_max]
        following = str(page[-1].id) if len(views) > len(page) else None
        shown = [StopEntry(view.number, view.sender, view.origin, view.since.astimezone(UTC)) for view in page]
        return Reply(200, encode(StopEntries(shown, following)), headers=_PRIVATE)

    async def put(self, scope: Scope, receive: Receive) -> Reply | None:
        """Numbers go on a stop list."""
        return await self._change(scope, receive, stopped=True)

    async def take_away(self, scope: Scope, receive: Receive) -> Reply | None:
        """Numbers come off a stop list."""
        return await self._change(scope, receive, stopped=False)

    async def _change(self, scope: Scope, receive: Receive, *, stopped: bool) -> Reply | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key = self._gate.admit(headers, RIGHT_SEND, peer_of(scope))
        if isinstance(key, Problem):
            return refused(key)
        body = await read_body(headers, receive)
        if not isinstance(body, bytes):
            return unread(body)
        wanted = decode_stops(body)
        if isinstance(wanted, Problem):
            return refused(wanted)
        told = await self._pipeline.two_way.change_stops(
            key, StopsWanted(numbers=wanted.numbers, source=wanted.source, stopped=stopped)
        )
        if isinstance(told, Refused):
            return refused(problem(told.refusal, told.detail))
        return Reply(200, encode(StopResult(told)), headers=_PRIVATE)
