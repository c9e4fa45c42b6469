"""How fast rating and charging are by themselves: `python -m bench.engine`. Pure Python on one core, best of five rounds."""

import time
from collections.abc import Callable
from itertools import count

from relais.core.charging.charge import charge, touched
from relais.core.charging.types import Account, Capture, Choose, Chosen, PackUse, Reserve, State
from relais.core.rating.message import Level, PackSource, offer_message, rate_message
from relais.core.rating.tree import compile_tree, lookup
from relais.core.rating.types import CoverKind, NodeRow, Parameter, Term, Tree

SMS = ("sms_messaging", "sms_message")
PATH = (
    (Parameter.DIRECTION, ("A2P", "P2A")),
    (Parameter.COUNTRY, tuple(f"{first}{second}" for first in "ABCDEFGH" for second in "ABCDEFGH")),
    (Parameter.MCC, ("214", "208")),
    (Parameter.NETWORK, tuple(str(number) for number in range(1, 9))),
    (Parameter.SENDER_ID_TYPE, ("alphanumeric", "short_code")),
)
BATCH_COUNT, LEVELS_COUNT, ROUNDS_COUNT = 500, 3, 5


def five_levels() -> Tree:
    """Four thousand prices below five splits."""
    ids = count(1)
    rows: list[NodeRow] = []

    def add(depth: int, parent_id: int | None, value: str | None) -> None:
        row_id = next(ids)
        if depth == len(PATH):
            rows.append(NodeRow(row_id, parent_id, *SMS, "flat", value=value, price_micros=40_000))
            return
        parameter, values = PATH[depth]
        rows.append(NodeRow(row_id, parent_id, *SMS, "depends_on", value=value, split_by=parameter))
        for each in values:
            add(depth + 1, row_id, each)

    add(0, None, None)
    return compile_tree(rows)


def best(what: str, events_count: int, work: Callable[[], object]) -> None:
    fastest_s = float("inf")
    for _ in range(ROUNDS_COUNT):
        began_s = time.perf_counter()
        work()
        fastest_s = min(fastest_s, time.perf_counter() - began_s)
    print(f"{what:<70}{events_count / fastest_s:>12,.0f} a second")


def main() -> None:
    tree = five_levels()
    messages = [{parameter: values[number % len(values)] for parameter, values in PATH} for number in range(100)] * 500
    level = Level(1, 0, (tree,))
    best("lookups in a tree of five levels", len(messages), lambda: [lookup(tree, *SMS, each) for each in messages])
    best("messages rated by it", len(messages), lambda: [rate_message(level, *SMS, each, 1) for each in messages])

    accounts = {number: Account(10**12, 0, 0) for number in range(1, LEVELS_COUNT + 1)}
    rated = [rate_message(Level(number, 0, (tree,)), *SMS, messages[0], 1) for number in accounts]
    terms = tuple(term for term in rated if isinstance(term, Term))
    reserving, capturing = [Reserve(terms)] * BATCH_COUNT, [Capture(terms)] * BATCH_COUNT

    def plain() -> None:
        touched(reserving)
        state, _ = charge(State(accounts, {}), reserving)
        touched(capturing)
        charge(state, capturing)

    best("messages reserved and captured through three levels", 20 * BATCH_COUNT, lambda: [plain() for _ in range(20)])

    included = compile_tree([NodeRow(1, None, *SMS, "included")])
    sold = [Level(number, 0, (tree,), (PackSource(number, CoverKind.UNITS, included),)) for number in accounts]
    route = tuple(offer for each in sold if not isinstance(offer := offer_message(each, *SMS, messages[0], 1), str))
    choosing = [Choose((route,), str(number)) for number in range(BATCH_COUNT)]
    packs = {number: PackUse(BATCH_COUNT // 2, 0, 0) for number in accounts}

    def by_packs() -> None:
        touched(choosing)
        state, outcomes = charge(State(accounts, {}, {}, packs), choosing)
        chosen = [Capture(outcome.terms, None, "1") for outcome in outcomes if isinstance(outcome, Chosen)]
        touched(chosen)
        charge(state, chosen)

    best("the same with a pack at each, used up halfway", 10 * BATCH_COUNT, lambda: [by_packs() for _ in range(10)])


if __name__ == "__main__":
    main()
