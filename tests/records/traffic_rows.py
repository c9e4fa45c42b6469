"""Rows of the hot tables as the data plane leaves them, put there by SQL: faster than sending, and any state can be had."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

VODAFONE = "34600123456"
TERMS = {"TM-1": 40_000, "HH-1": 30_000}  # Spain's prices of a segment to Vodafone, by level


def id_at(at: datetime) -> UUID:
    """A UUIDv7 of that instant, to the millisecond."""
    ms = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return UUID(int=ms << 80 | 0x7 << 76 | 0x8 << 60 | secrets.randbits(60))


def put(table: str, **values: Any) -> None:
    from django.db import connection

    names = ", ".join(values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(values))})", list(values.values())
        )


def put_message(
    *,
    at: datetime | None = None,
    status: int = 1,
    sent_parts: Sequence[int] = (),
    codes: Sequence[str] = ("TM-1", "HH-1"),
    **values: Any,
) -> UUID:
    """A message of Telecom Monsters to Vodafone, with those parts taken by the vendor; `codes`: the agreements of its levels."""
    from relais.records.agreements.models import Agreement
    from relais.records.catalog.models import Network, RateNode
    from relais.records.parties.models import Company
    from relais.records.people.models import ApiKey
    from relais.records.senders.models import SenderId

    at = at or datetime.now(UTC)
    sender = SenderId.objects.get(sender_id="Monsters")
    segments_count = values.get("segments_count", 1)
    nodes = [
        RateNode.objects.filter(price_micros=TERMS.get(code, 40_000)).values_list("pk", flat=True)[0] for code in codes
    ]
    row = {
        "id": id_at(at),
        "company_id": Company.objects.get(name="Telecom Monsters").pk,
        "api_key_id": ApiKey.objects.get(name="demo").pk,
        "sender_id": sender.pk,
        "connection_id": sender.smpp_connection_id,
        "network_id": Network.objects.get(codes__mccmnc="21401").pk,
        "final_at": at + timedelta(seconds=3) if status >= 10 else None,
        "validity_s": 3600,
        "status": status,
        "channel": 1,
        "encoding": 0,
        "segments_count": segments_count,
        "delivered_rules": 0,
        "country": "ES",
        "source": "Monsters",
        "destination": VODAFONE,
        "body": "Hola Lucia, your order has left.",
        "agreement_ids": [Agreement.objects.get(agreement_code=code).pk for code in codes],
        "node_ids": nodes,
        "units": [segments_count] * len(codes),
        "reserved_micros": [TERMS.get(code, 40_000) * segments_count for code in codes],
    } | values  # fmt: skip
    put("traffic_message", **row)
    for part in sent_parts:
        put("traffic_sent", message_id=row["id"], connection_id=row["connection_id"], part=part,
            sent_at=at + timedelta(milliseconds=40 + part), vendor_id=f"v{part}")  # fmt: skip
    message_id: UUID = row["id"]
    return message_id


def put_edr(message_id: UUID, code: str, level: int, net_micros: int, *, entry: int = 1, units: int = 1, tax_micros: int = 0,
            at: datetime | None = None) -> None:  # fmt: skip
    from relais.records.agreements.models import Agreement
    from relais.records.catalog.models import RateNode

    node = RateNode.objects.filter(price_micros=TERMS.get(code, 40_000)).values_list("pk", flat=True)[0]
    agreement = Agreement.objects.get(agreement_code=code)
    put("traffic_edr", message_id=message_id, agreement_id=agreement.pk, node_id=node, net_micros=net_micros,
        tax_micros=tax_micros, at=at or datetime.now(UTC), units=units, level=level, entry=entry)  # fmt: skip
