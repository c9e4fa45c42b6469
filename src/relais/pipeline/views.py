"""What a client may read back: its own messages and balances."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from relais.core.lifecycle import State
from relais.core.opt_out import Asked
from relais.pipeline.channels import CHANNELS
from relais.pipeline.configuration import Snapshot, in_force
from relais.pipeline.ids import accepted_at, floor
from relais.pipeline.rows import ENCODINGS
from relais.pipeline.submission import BalanceView, IncomingView, MessagesAsked, MessageView
from relais.store.blocks import blocks

_SQL = blocks("messages")


async def message(pool: asyncpg.Pool, snapshot: Snapshot, company_id: int, message_id: UUID) -> MessageView | None:
    """One message of this company, or None."""
    row = await pool.fetchrow(_SQL["message"], message_id, company_id)
    return None if row is None else _view(row, snapshot)


async def messages(pool: asyncpg.Pool, snapshot: Snapshot, company_id: int, asked: MessagesAsked) -> list[MessageView]:
    """Those of this company that were asked for, newest first."""
    rows = await pool.fetch(
        _SQL["messages"], company_id, floor(asked.since), asked.before or floor(asked.until), asked.status,
        asked.source, asked.destination, asked.client_ref, asked.count_max,
    )  # fmt: skip
    return [_view(row, snapshot) for row in rows]


async def incoming(pool: asyncpg.Pool, company_id: int, asked: MessagesAsked) -> list[IncomingView]:
    """Messages from phones to this company that were asked for, newest first."""
    rows = await pool.fetch(
        _SQL["incoming"], company_id, floor(asked.since), asked.before or floor(asked.until), asked.source,
        asked.destination, asked.count_max,
    )  # fmt: skip
    return [
        IncomingView(
            message_id=row["id"],
            source=row["source"],
            destination=row["destination"],
            text=row["body"],
            asked=row["asked"] and Asked(row["asked"]).name.lower(),
            received_at=row["received_at"],
        )
        for row in rows
    ]


def _view(row: Any, snapshot: Snapshot) -> MessageView:
    message_id: UUID = row["id"]
    accepted = accepted_at(message_id)
    times = {State.ACCEPTED.label: accepted}
    if row["send_at"] is not None:
        times[State.SCHEDULED.label] = accepted
    if row["sent_at"] is not None:
        times[State.SENT.label] = row["sent_at"]
    state = State(row["status"])
    if state.final:
        times[state.label] = row["final_at"]
    elif row["sent_count"] >= row["segments_count"]:
        state = State.SENT
    elif row["send_at"] is not None and row["sent_count"] == 0 and row["send_at"] > datetime.now(row["send_at"].tzinfo):
        state = State.SCHEDULED
    else:
        state = State.QUEUED
    network = snapshot.networks.get(row["network_id"]) if row["network_id"] is not None else None
    charged_micros = row["charged_micros"]
    return MessageView(
        message_id=message_id,
        channel=CHANNELS[row["channel"]],
        source=row["source"],
        destination=row["destination"],
        country=row["country"],
        network=network.mccmnc if network else None,
        encoding=ENCODINGS[row["encoding"]],
        segments_count=row["segments_count"],
        price_micros=row["reserved_micros"] if charged_micros is None else charged_micros,
        currency=snapshot.agreements[row["agreement_id"]].currency,
        client_ref=row["client_ref"],
        status=state.label,
        final=state.final,
        times=times,
        error=row["error"],
    )


async def balances(pool: asyncpg.Pool, snapshot: Snapshot, company_id: int, now: datetime) -> list[BalanceView]:
    """Every agreement of this company; without a version in force there is no credit."""
    views = []
    for row in await pool.fetch(_SQL["balances"], company_id):
        agreement = snapshot.agreements.get(row["id"])
        versions = in_force(agreement.versions, now) if agreement else []
        limit_micros = versions[0].credit_limit_micros if versions else 0
        free_micros = row["balance_micros"] - row["reserved_micros"]
        views.append(
            BalanceView(
                agreement=row["agreement_code"],
                currency=row["currency"],
                balance_micros=row["balance_micros"],
                reserved_micros=row["reserved_micros"],
                credit_limit_micros=limit_micros,
                available_micros=None if limit_micros is None else free_micros + limit_micros,
            )
        )
    return views
