"""An event loop whose time passes only when nothing else is left to do: hours are simulated in milliseconds."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any


class Due:
    """A call that is due at `at_s`, or at once."""

    __slots__ = ("args", "at_s", "callback", "context", "dropped")

    def __init__(
        self, at_s: float, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None
    ) -> None:
        self.at_s, self.callback, self.args, self.context = at_s, callback, args, context
        self.dropped = False

    def cancel(self) -> None:
        self.dropped = True

    def cancelled(self) -> bool:
        return self.dropped

    def when(self) -> float:
        return self.at_s


class VirtualTime(asyncio.BaseEventLoop):
    """Timers and tasks run in the order of asyncio's own loop, those of one moment in the order in which they were asked for;
    there are no sockets. What asyncio does for those, for threads and for slow callbacks is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.faults: list[BaseException] = []
        self._at_once: deque[Due] = deque()
        self._timers: list[tuple[float, int, Due]] = []
        self._turn = count()
        self.set_exception_handler(self._kept)

    def time(self) -> float:
        return self.now_s

    def call_soon(self, callback: Any, *args: Any, context: Context | None = None) -> Any:
        due = Due(self.now_s, callback, args, context)
        self._at_once.append(due)
        return due

    def call_later(self, delay: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        return self.call_at(self.now_s + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Context | None = None) -> Any:
        due = Due(when, callback, args, context)
        heappush(self._timers, (when, next(self._turn), due))
        return due

    def pause(self, pause_s: float) -> "asyncio.Future[None]":
        """`asyncio.sleep`, to be awaited; nothing else shares it."""
        over: asyncio.Future[None] = self.create_future()
        self.call_at(self.now_s + pause_s, _end, over)
        return over

    def _run_once(self) -> None:
        """All that happens until somebody stops the loop: what asyncio would sleep, passes at once."""
        at_once, timers = self._at_once, self._timers
        while not self._stopping:
            while timers and timers[0][2].dropped:
                heappop(timers)
            if not at_once:
                assert timers, "nothing is left to happen"
                self.now_s = max(self.now_s, timers[0][0])
            while timers and timers[0][0] <= self.now_s:
                at_once.append(heappop(timers)[2])
            for _ in range(len(at_once)):
                due = at_once.popleft()
                if not due.dropped:
                    self._call(due)

    def _call(self, due: Due) -> None:
        try:
            if due.context is None:
                due.callback(*due.args)
            else:
                due.context.run(due.callback, *due.args)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as fault:
            self.faults.append(fault)

    def _process_events(self, events: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def _kept(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.faults.append(context.get("exception") or RuntimeError(context["message"]))


def _end(pause: "asyncio.Future[None]") -> None:
    if not pause.done():  # its task was cancelled
        pause.set_result(None)
