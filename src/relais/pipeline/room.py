"""How many messages a gateway keeps in memory for its lanes. What is above waits in the outbox, and what comes later waits behind
it, so that messages leave in the order in which they came.
"""

from collections.abc import Iterable, Mapping

from relais.pipeline.lane import Lane

MESSAGES_MAX = 40_000  # waiting in a lane; about 40 MB


class Room:
    """Of one gateway; `lanes` are those it has now, by connection. A vendor that is away holds up no other."""

    def __init__(self, lanes: Mapping[int, Lane], messages_max: int) -> None:
        self._lanes = lanes
        self._messages_max = messages_max
        self._behind: set[int] = set()  # connections of which some messages wait in the outbox

    def takes(self, connection_id: int) -> bool:
        """Whether new messages of that connection are kept in memory and sent from there."""
        lane = self._lanes.get(connection_id)
        if lane is None or connection_id in self._behind:
            return False
        if lane.waiting_count >= self._messages_max:
            self._behind.add(connection_id)
            return False
        return True

    def with_room(self) -> list[int]:
        """Connections of which some of the outbox may come back into memory."""
        return [each for each, lane in self._lanes.items() if lane.waiting_count <= self._messages_max // 2]

    def caught_up(self, connection_ids: Iterable[int]) -> None:
        """Nothing of theirs that is due waits in the outbox any more."""
        self._behind.difference_update(connection_ids)
