"""The rows beside the balances that charging works on: counters, packs and the members of bundles, locked and stored.

Balances are locked first, then counters, then packs, each in the order of their keys; members are safe behind their pack, or, of
sessions, behind the balance of their agreement.
"""

from collections.abc import Mapping

from relais.core.charging.charge import Touched
from relais.core.charging.types import Account, CounterKey, Hold, Member, PackUse, State
from relais.store.tick import TickTransaction

_NOTHING_HELD = Hold()


async def lock(transaction: TickTransaction, accounts: Mapping[int, Account], rows: Touched) -> State:
    """The state of `accounts`, whose balances are locked, with everything else that is touched."""
    counters: dict[CounterKey, int] = {}
    holds: dict[CounterKey, Hold] = {}
    packs: dict[int, PackUse] = {}
    members: set[Member] = set()
    places: dict[Member, int] = {}
    if rows.counter_keys:
        for key, (units, *hold) in (await transaction.lock_counters(rows.counter_keys)).items():
            counters[CounterKey(*key)] = units
            if any(hold):
                holds[CounterKey(*key)] = Hold(*hold)
    if rows.pack_ids:
        packs = {pack_id: PackUse(*use) for pack_id, use in (await transaction.lock_packs(rows.pack_ids)).items()}
    pairs = [(member.of, member.recipient) for member in rows.members if isinstance(member.of, int)]
    if pairs:
        for pack_id, recipient, counted, messages in await transaction.members(pairs):
            member = Member(pack_id, recipient)
            if counted:
                members.add(member)
            if messages:
                places[member] = messages
    sessions = [(member.of, member.recipient) for member in rows.members if isinstance(member.of, str)]
    if sessions:
        members |= {Member(*pair) for pair in await transaction.session_members(sessions)}
    return State(accounts, counters, holds, packs, members, places)


async def store(transaction: TickTransaction, before: State, after: State) -> None:
    """What charging changed of the rows that `lock` locked."""
    keys = after.counters.keys() | after.holds.keys()
    changed = [
        key
        for key in keys
        if before.counters.get(key, 0) != after.counters.get(key, 0)
        or before.holds.get(key, _NOTHING_HELD) != after.holds.get(key, _NOTHING_HELD)
    ]
    if changed:
        rows = {}
        for key in changed:
            hold = after.holds.get(key, _NOTHING_HELD)
            rows[(*key,)] = (after.counters.get(key, 0), hold.reserved, hold.void, hold.micros)
        await transaction.update_counters(rows)
    if after.packs:
        used = {
            pack_id: (pack.used, pack.reserved, pack.held_micros)
            for pack_id, pack in after.packs.items()
            if pack != before.packs[pack_id]
        }
        fresh = [
            (member.of, member.recipient) for member in after.members - before.members if isinstance(member.of, int)
        ]
        await transaction.update_packs(used, fresh)
        moved = [(*member, count) for member, count in after.places.items() if count != before.places.get(member, 0)]
        if moved:
            await transaction.update_places(moved)
    opened = [(member.of, member.recipient) for member in after.members - before.members if isinstance(member.of, str)]
    if opened:
        await transaction.insert_session_members(opened)
