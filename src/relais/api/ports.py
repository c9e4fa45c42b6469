"""What the API needs from the process that hosts it: the pipeline as seen through a client's key.

The gateway hands over its live pipeline; tests hand over a fake of this contract. The API never asks for more.
"""

from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from relais.pipeline.configuration import ApiKey, Networks
from relais.pipeline.submission import (
    Answer,
    BalanceView,
    Idempotency,
    IncomingView,
    MessagesAsked,
    MessageView,
    PreviewView,
    Refused,
    StopsAsked,
    StopsWanted,
    StopView,
    Submission,
    Tell,
)


class TwoWay(Protocol):
    """What the client asks about its recipients, as `relais.pipeline.two_way` has it."""

    async def incoming(self, key: ApiKey, asked: MessagesAsked) -> list[IncomingView]: ...

    async def stops(self, key: ApiKey, asked: StopsAsked) -> list[StopView]: ...

    async def change_stops(self, key: ApiKey, wanted: StopsWanted) -> int | Refused: ...


class Pipeline(Protocol):
    """The life of a message behind the API. A key reaches its own company only: another's message is no message."""

    @property
    def two_way(self) -> TwoWay:
        """Messages from phones, and stop lists."""

    @property
    def ready(self) -> bool:
        """Whether keys are known and messages can be taken now."""

    def api_key(self, key_sha256: bytes) -> ApiKey | None:
        """The key whose secret has this SHA-256 digest; None when there is none in force. From memory, never blocks."""

    def submit_one(
        self, key: ApiKey, submission: Submission, idempotency: Idempotency | None, tell: Tell
    ) -> Refused | None:
        """Refuses at once, or calls `tell` later: with an answer of one outcome only after that is stored."""

    async def submit(
        self, key: ApiKey, submissions: list[Submission], idempotency: Idempotency | None
    ) -> Answer | Refused:
        """One outcome a submission, in order. Refused as a whole only as idempotency_key_reused or overloaded."""

    async def message(self, key: ApiKey, message_id: UUID) -> MessageView | None:
        """One message of the key's company, or None."""

    async def messages(self, key: ApiKey, asked: MessagesAsked) -> list[MessageView]:
        """Those of the key's company that are asked for, newest first."""

    def preview(self, key: ApiKey, submission: Submission) -> PreviewView | Refused:
        """What the message would be and cost now; nothing is sent or charged. From memory, never blocks."""

    async def cancel(self, key: ApiKey, message_id: UUID) -> bool:
        """Whether the message was withdrawn before any of it was sent; what was reserved is released then."""

    async def balances(self, key: ApiKey) -> list[BalanceView]:
        """One row for each agreement of the key's company."""


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """`public_url` is the origin customers call, e.g. "https://api.example.com", printed in the documentation; empty =
    the origin the documentation was read from. `serves_metrics` puts /metrics on the same port. `proxies`: networks whose word
    on a caller's address counts."""

    public_url: str = ""
    proxies: Networks = ()
    serves_metrics: bool = True


DEFAULTS: Final = ApiSettings()
