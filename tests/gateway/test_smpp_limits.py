"""What an account may do over all gateways: limits, and the number of its sessions."""

import asyncio

import asyncpg
from tests.gateway.smpp_clients import Client, Served, served, submit

from relais.wire.smpp import pdus, statuses

SEATS = 720_600_000  # what advisory locks of seats begin at


def test_VSMPP_41_limits_hold_over_two_gateways(spain_db: str) -> None:
    """A vendor connection is one gateway's; a client's limits are shared by its sessions that hand messages in, wherever they
    are, and their number is limited over all of them."""

    async def told() -> None:
        async with served(spain_db) as here, served(spain_db) as there:
            assert sorted(len(house.traffic._lanes) for house in (here, there)) == [0, 1]
            clients = [await here.bind(), await there.bind(), await there.bind(pdus.BindReceiver)]
            accounts = [next(iter(house.server._accounts.values())) for house in (here, there)]
            async with asyncio.timeout(20):
                while [account.elsewhere_count for account in accounts] != [1, 1]:
                    await asyncio.sleep(0.01)
            assert [account.share_of(9) for account in accounts] == [4, 4] and accounts[0].share_of(1) == 1
            await here.configure("rps_limit = 8")
            async with asyncio.timeout(20):
                while {house.traffic.snapshot.change for house in (here, there)} != {here.traffic.snapshot.change}:
                    await asyncio.sleep(0.01)
            responses = await asyncio.gather(*(client.ask(submit()) for client in clients[:2] for _ in range(30)))
            taken = sum(response.status == 0 for response in responses)
            assert 8 <= taken <= 14, "a second's worth, and what the next brought meanwhile; 16 and more without shares"
            await here.until("SELECT count(*) = $1 FROM traffic_sent", taken)
            await here.books_agree()
            await _sessions_are_counted(here, there, clients)

    asyncio.run(told())


async def _sessions_are_counted(here: Served, there: Served, clients: list[Client]) -> None:
    """Three sessions are bound. When the database ends the session that has the seats, whoever comes first has them."""
    await here.configure("sessions_limit = 4")
    while there.traffic.snapshot.change != here.traffic.snapshot.change:
        await asyncio.sleep(0.01)
    tried = await asyncio.gather(here.try_bind(), there.try_bind(), here.try_bind(pdus.BindReceiver))
    assert sorted(client.bind_status or 0 for client in tried) == [0, 5, 5], "one seat is left"
    (fourth,) = (client for client in tried if client.bind_status == 0)
    assert fourth.end and clients[0].end
    await clients[0].end.unbind()
    async with asyncio.timeout(20):
        while (again := await there.try_bind()).bind_status:
            await asyncio.sleep(0.01)
    assert (await here.try_bind()).bind_status == statuses.ESME_RALYBND
    await fourth.end.unbind()
    async with asyncio.timeout(20):
        while len(there.server._seat_of) + len(here.server._seat_of) != 3:
            await asyncio.sleep(0.01)
    client_id = here.traffic.snapshot.client_connections["monsters"].id
    others = await asyncpg.connect(
        here.dsn
    )  # as a third gateway: it takes the free seat, and one that is not free for long
    free = [
        n for n in (1, 2, 3, 4) if await others.fetchval("SELECT pg_try_advisory_lock($1, $2)", SEATS + n, client_id)
    ]
    assert len(free) == 1
    taking = asyncio.create_task(
        others.execute(f"SELECT pg_advisory_lock({SEATS + (1 if free != [1] else 2)}, {client_id})")
    )
    await here.until("SELECT EXISTS (SELECT FROM pg_locks WHERE objsubid = 2 AND classid > $1 AND NOT granted)", SEATS)
    await here.session.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE objsubid = 2 AND classid > $1 AND granted AND pid <> $2", SEATS,
        others.get_server_pid(),
    )  # fmt: skip
    await taking
    async with asyncio.timeout(20):
        while sum(not client.left for client in (clients[1], clients[2], again)) != 2:
            await asyncio.sleep(0.01)
    await others.close()
    await _the_database_is_away(here)
    await here.books_agree()


async def _the_database_is_away(house: Served) -> None:
    """A gateway goes by its own sessions then. Another one has two of the four seats, as is seen afterwards."""
    seats = house.server._seats
    dsn, seats._dsn = seats._dsn, "postgresql://127.0.0.1:1/nowhere"
    seats._drop()
    clients = [await house.bind() for _ in range(4)]
    assert (await house.try_bind()).bind_status == statuses.ESME_RALYBND
    seats._dsn = dsn
    async with asyncio.timeout(20):
        while len([client for client in clients if not client.left]) != 2:
            await asyncio.sleep(0.01)
    assert all(seat.number for seat in seats._taken) and len(seats._taken) == 2
