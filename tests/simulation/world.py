"""One seed's world: two gateways, a vendor with two connections, a client, and whatever may befall them; and what must hold then.

The seed decides everything, so that a seed that fails does so again: `make simulate SEEDS=1 FROM=<seed>`.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from tests.simulation.gateway import Gateway
from tests.simulation.kept import Kept
from tests.simulation.vendor import UNSENT, Centre
from tests.simulation.virtual_time import VirtualTime

from relais.core.lifecycle import State
from relais.pipeline.configuration import ApiKey, Snapshot
from relais.pipeline.ids import accepted_at
from relais.pipeline.message import RECEIPT_GRACE
from relais.pipeline.origin import SUCCESS_OR_FAILURE, ClientReceipt, Origin, Place
from relais.pipeline.submission import Submission
from relais.store.tick import EDR_CORRECTED

STEPS, GATEWAYS, SLICES_MAX = 20, 2, 4
GONE = 0.15  # of worlds in which one of the two connections does not come back
BEGAN_AT = datetime(2031, 3, 30, 22, 0, tzinfo=UTC)  # two hours before a billing period of Madrid ends
NUMBERS = (
    "34600123456",
    "34641123456",
    "34606123456",
    "393471234567",
)  # flat, a tier scale, on delivery, Back-to-First
# Until retries, validities, and waiting for receipts end.
PEACE_S = (1.0, 8.0, 40.0, 40.0, 8_000.0, 2.0, 100_000.0, 8.0, 8.0, 2.0)
TEXTS = ("Hello", "x" * 200, "Привет " * 20)
VALIDITIES_S = (60, 600, 86_400)
CLIENT_MICROS = (0, 300_000, 10_000_000)


class Setting(NamedTuple):
    """What all seeds share: the configuration, and the rates as their rows say."""

    snapshot: Snapshot
    key: ApiKey
    rate_nodes: Mapping[int, Mapping[str, Any]]


class World:
    """See the module."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.chance = random.Random(seed)
        self.loop = VirtualTime()
        self.centre = Centre(self.chance)
        (connection,) = setting.snapshot.connections.values()
        self.connection = msgspec.structs.replace(
            connection,
            rps_limit=self.chance.choice((5, 100)),
            window_limit=self.chance.choice((1, 10)),
            statuses_map={UNSENT: "unsent"},
            receipt_parts=self.chance.choice(("all", "first", "last")),
            resends=self.chance.random() < 0.7,
            move_after_s=self.chance.choice((0.5, 3.0, None)),
        )
        second = msgspec.structs.replace(self.connection, id=connection.id + 1, name="second")
        senders = {
            key: msgspec.structs.replace(sender, second_connection_id=second.id)
            for key, sender in setting.snapshot.senders.items()
        }
        self.snapshot = msgspec.structs.replace(
            setting.snapshot, connections={each.id: each for each in (self.connection, second)}, senders=senders
        )
        self.key = setting.key
        limits = {each.id: each.versions[0].credit_limit_micros for each in self.snapshot.agreements.values()}
        opening = {
            each.id: self.chance.choice(CLIENT_MICROS) if each.code == "TM-1" else 1_000_000_000
            for each in self.snapshot.agreements.values()
        }
        self.kept = Kept(opening, limits, setting.rate_nodes)
        self.gateways: list[Gateway] = []
        self.answered: list[UUID] = []
        self.doubtful: Counter[tuple[UUID, int]] = Counter()
        self.kills = self.falls = self.moved = self.serial = self._checked = 0
        self._beats: dict[UUID, tuple[float, set[int]]] = {}  # by gateway: what it told to be bound, and when
        self._now = 0.0, BEGAN_AT

    def run(self) -> None:
        """All steps, then peace until everything is over. AssertionError where something does not hold."""
        asyncio.set_event_loop(None)
        try:
            self.loop.run_until_complete(self._story())
        finally:
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.close()

    def now(self) -> datetime:
        if self._now[0] != self.loop.now_s:
            self._now = self.loop.now_s, BEGAN_AT + timedelta(seconds=self.loop.now_s)
        return self._now[1]

    async def _story(self) -> None:
        self.gateways = [self._gateway() for _ in range(GATEWAYS)]
        for _ in range(STEPS):
            self.chance.choices((self._submit, self._kill, self._fall, self._rest), cum_weights=(70, 75, 83, 100))[0]()
            await self._pass(self.chance.choice((0.001, 0.01, 0.1, 1.0, 6.0)) * self.chance.random())
        self.centre.calm = True
        if self.chance.random() < GONE:
            self._lose_one_for_good()
        for pause_s in PEACE_S:
            await self._pass(pause_s)
        for gateway in self.gateways:
            gateway.kill()
        self._bury()
        self._holds_at_the_end()

    # What happens.

    def _gateway(self) -> Gateway:
        return Gateway(
            self.loop, self.kept, self.centre, self.snapshot, self.key, self.now, self._fault, self._bound_elsewhere
        )

    def _bound_elsewhere(self, gateway: Gateway) -> set[int]:
        """As others told within the last seconds, so that it may be so no more."""
        latest_s = self.loop.now_s - 4.0
        told = [bound for each, (at_s, bound) in self._beats.items() if each != gateway.instance and at_s >= latest_s]
        return set().union(*told)

    def _fault(self) -> str:
        if self.centre.calm:
            return ""
        return self.chance.choices(("", "rolled back", "killed"), cum_weights=(94, 98, 100))[0]

    def _submit(self) -> None:
        submissions = []
        for _ in range(self.chance.choice((1, 1, 2, 5))):
            self.serial += 1
            address = self.chance.choice(NUMBERS)
            origin = Origin(1, Place(5, 0, "Monsters"), Place(1, 1, address), (("", SUCCESS_OR_FAILURE),))
            submissions.append(
                Submission(
                    source="Monsters",
                    destination=address,
                    text=f"{self.serial} {self.chance.choice(TEXTS)}",
                    validity_s=self.chance.choice(VALIDITIES_S),
                    send_at=self.now() + timedelta(seconds=30) if self.chance.random() < 0.1 else None,
                    origin=origin if self.chance.random() < 0.7 else None,
                )
            )
        self.chance.choice(self.gateways).submit(submissions)

    def _kill(self) -> None:
        self.chance.choice(self.gateways).kill()

    def _bury(self) -> None:
        """Others take the place of those that fell; their connections go to whoever is first."""
        for position, fallen in enumerate(self.gateways):
            if fallen.killed:
                self.kills += not self.centre.calm
                self.doubtful += fallen.doubtful
                self.answered += fallen.answered
                self.moved += fallen.moved_count
                self.gateways[position] = self._gateway()

    def _fall(self) -> None:
        for link in list(self.centre.links):
            if link.up and self.chance.random() < 0.8:
                self.falls += 1
                link.fall(self.chance.choice((0.0, 0.0, 2.0, 20.0)))

    def _lose_one_for_good(self) -> None:
        """What waits has to leave by the other one, or expires."""
        lost = self.chance.choice(sorted(self.snapshot.connections))
        self.centre.gone.add(lost)
        for link in [link for link in self.centre.links if link.connection_id == lost]:
            link.fall(0.0)

    def _rest(self) -> None: ...

    async def _pass(self, pause_s: float) -> None:
        """Let time go by, in steps of housekeeping; then look whether all is well."""
        slices = min(int(pause_s / 0.5) + 1, SLICES_MAX)
        for _ in range(slices):
            await self.loop.pause(pause_s / slices)
            self._bury()
            owned = {connection_id for each in self.gateways for connection_id in each.lanes}
            for connection_id in sorted(set(self.snapshot.connections) - owned):
                self.chance.choice(self.gateways).own(connection_id)
            for link in list(self.centre.links):
                if self.centre.calm or self.chance.random() < 0.3:
                    link.rise()
            for gateway in self.gateways:
                gateway.keep_house()
                self._beats[gateway.instance] = self.loop.now_s, gateway.bound
        for gateway in self.gateways:
            gateway.raise_what_broke()
        if self.loop.faults:
            raise self.loop.faults[0]
        if self.kept.commits_count != self._checked:
            self._checked = self.kept.commits_count
            self._holds()

    # What must hold.

    def _holds(self) -> None:
        """After every step; rules 1, 3, 4 and 5 of ARCHITECTURE."""
        kept = self.kept
        settled: dict[UUID, list[int]] = defaultdict(list)  # the levels of each message, as often as they are
        posted: Counter[int] = Counter()
        for (message_id, level, entry), edr in kept.edrs.items():
            if entry in (1, 2):
                settled[message_id].append(level)
            posted[edr["agreement_id"]] -= edr["net_micros"] + edr["tax_micros"]
        for levels in settled.values():
            assert len(levels) == len(set(levels)), "a level is settled twice"
        reserved: Counter[int] = Counter()
        queued = Counter(message_id for batch in kept.outbox.values() for message_id in batch.message_ids)
        for message_id, row in kept.messages.items():
            done, agreement_ids = settled.get(message_id, ()), row["agreement_ids"]
            if row["status"] >= State.DELIVERED:
                assert set(done) >= set(range(len(agreement_ids))), (
                    f"{message_id} is final and not settled at every level"
                )
            else:
                assert queued[message_id] == 1, f"{message_id} is open and in {queued[message_id]} batches"
            for level, (agreement_id, micros) in enumerate(zip(agreement_ids, row["reserved_micros"], strict=True)):
                reserved[agreement_id] += 0 if level in done else micros
        for key, hold in kept.holds.items():
            reserved[key.agreement_id] += hold.micros
        for agreement_id, balance_micros in kept.balances.items():
            assert balance_micros == kept.opening[agreement_id] + kept.ledger[agreement_id], "balance and ledger"
            assert posted[agreement_id] == kept.ledger[agreement_id], "EDRs and ledger"
            assert kept.reserved[agreement_id] == reserved[agreement_id], "reserved is what is not settled"
            limit_micros = kept.limits[agreement_id]
            assert limit_micros is None or balance_micros - reserved[agreement_id] + limit_micros >= 0, "credit limit"
        answered = self.answered + [each for gateway in self.gateways for each in gateway.answered]
        assert kept.messages.keys() >= set(answered), "an answered id is lost"

    def _holds_at_the_end(self) -> None:
        """Everything is final, paid as its end says, told once, and sent again only where nobody could know."""
        kept = self.kept
        assert not kept.outbox, f"{len(kept.outbox)} batches are left"
        receipts: Counter[str] = Counter()
        for told in kept.told:
            assert isinstance(told, ClientReceipt)
            receipts[told.told_id] += State(told.state).final
        charged: Counter[tuple[UUID, int]] = Counter()
        for (message_id, level, entry), edr in kept.edrs.items():
            charged[message_id, level] += edr["net_micros"] if entry < EDR_CORRECTED else 0
        for message_id, row in kept.messages.items():
            assert row["status"] >= State.DELIVERED
            assert receipts[str(message_id)] == (row["client_options"] is not None), "each is told its end once"
            vendor_ids = [kept.sent.get((message_id, part)) for part in range(row["segments_count"])]
            for level in range(len(row["agreement_ids"])):
                due = row["status"] == State.DELIVERED
                if not row["delivered_rules"] >> level & 1:
                    due = all(vendor_ids) and row["status"] != State.FAILED
                assert bool(charged[message_id, level]) == due, (
                    f"{message_id} is {row['status']}, and charged otherwise"
                )
            self._no_receipt_is_lost(message_id, row, vendor_ids)
        for part, count in self.centre.taken.items():
            assert count <= 1 + self.doubtful[part], (
                f"{part} was sent {count} times, {self.doubtful[part]} times for a reason"
            )

    def _no_receipt_is_lost(self, message_id: UUID, row: Mapping[str, Any], vendor_ids: list[str | None]) -> None:
        """Once the reports that decide were answered, nobody waits for the end of waiting."""
        decisive = {"all": vendor_ids, "first": vendor_ids[:1], "last": vendor_ids[-1:]}[self.connection.receipt_parts]
        reported_s = [self.centre.reported_s.get(each or "", 1e9) for each in decisive]
        expires_at = (row["send_at"] or accepted_at(message_id)) + timedelta(seconds=row["validity_s"])
        if all(vendor_ids) and BEGAN_AT + timedelta(seconds=max(reported_s)) < expires_at + RECEIPT_GRACE:
            assert row["final_at"] < expires_at + RECEIPT_GRACE, f"{message_id} waited for reports that had come"
