"""Every named block of SQL fits the migrated schema."""

import asyncio

import asyncpg
import pytest

from relais.store.blocks import all_blocks


def test_every_block_can_be_prepared(db: str) -> None:
    async def prepare() -> dict[str, str]:
        session = await asyncpg.connect(db)
        faults = {}
        try:
            for name, sql in all_blocks().items():
                try:
                    await session.prepare(sql)
                except asyncpg.PostgresError as error:
                    faults[name] = str(error)
        finally:
            await session.close()
        return faults

    assert asyncio.run(prepare()) == {}


def test_every_block_is_explained() -> None:
    """Each numbered parameter of a block is named in its comment."""
    unexplained = []
    for name, sql in all_blocks().items():
        comment = "\n".join(line for line in sql.splitlines() if line.startswith("--"))
        code = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
        wanted = {f"${n}" for n in range(1, 20) if f"${n}" in code.replace(f"${n}0", "")}
        if "four columns of `lock_counters`" in comment:
            wanted -= {"$1", "$2", "$3", "$4"}
        unexplained += [f"{name} {each}" for each in sorted(wanted) if each not in comment]
    assert unexplained == []


@pytest.mark.parametrize("table", ["traffic_message", "traffic_sent", "traffic_part_receipt", "traffic_edr"])
def test_the_month_and_the_next_three_have_partitions(db: str, table: str) -> None:
    async def count() -> int:
        session = await asyncpg.connect(db)
        try:
            return int(await session.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = $1::regclass", table))
        finally:
            await session.close()

    assert asyncio.run(count()) == 5  # four months and the default
