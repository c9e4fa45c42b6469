"""Thousands of seeded worlds in virtual time: whatever falls, everything is charged once, ends once and is told once."""

import os

import structlog
from tests.conftest import SECRET_KEY
from tests.simulation.setting import setting_of
from tests.simulation.world import World

FIRST_SEED = int(os.environ.get("SIMULATE_FROM", "1"))
SEEDS_COUNT = int(os.environ.get("SIMULATE_SEEDS", "2000"))


def test_whatever_befalls_gateways_and_vendors_the_books_agree_and_nothing_is_lost(spain_db: str) -> None:
    setting = setting_of(spain_db, SECRET_KEY)
    kills = falls = moved = messages = sent_again = 0
    with structlog.testing.capture_logs() as told:
        for seed in range(FIRST_SEED, FIRST_SEED + SEEDS_COUNT):
            world = World(setting, seed)
            try:
                world.run()
            except Exception as fault:
                fault.add_note(f"seed {seed}: make simulate FROM={seed} SEEDS=1 shows it alone")
                raise
            told.clear()
            kills, falls, messages = kills + world.kills, falls + world.falls, messages + len(world.kept.messages)
            moved += world.moved
            sent_again += sum(count - 1 for count in world.centre.taken.values())
    print(
        f"{SEEDS_COUNT} seeds: {messages} messages, {kills} kills, {falls} falls, {moved} moved, {sent_again} parts sent again"
    )
    if SEEDS_COUNT >= 100:
        assert min(kills, falls, moved, sent_again) > SEEDS_COUNT // 4, "the worlds are not as hostile as they claim"
