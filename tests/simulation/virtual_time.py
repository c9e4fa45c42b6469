"""An event loop whose time passes only when nothing else is left to do: hours are simulated in milliseconds."""

import asyncio
from typing import Any


class VirtualTime(asyncio.BaseEventLoop):
    """Timers and tasks run in the order of asyncio's own loop; there are no sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.faults: list[BaseException] = []
        self._selector = self
        self.set_exception_handler(self._kept)

    def time(self) -> float:
        return self.now_s

    def select(self, timeout_s: float | None) -> list[Any]:
        """As of a selector: what asyncio would sleep, passes at once."""
        assert timeout_s is not None, "nothing is left to happen"
        self.now_s += timeout_s
        return []

    def _process_events(self, events: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def _kept(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.faults.append(context.get("exception") or RuntimeError(context["message"]))
