"""Makes the number plan out of the dictionary's rows."""

from collections.abc import Iterable
from typing import Any

from relais.core.numbers import CallingCode, NumberPlan, Range


def build_number_plan(prefixes: Iterable[Any], calling_codes: Iterable[Any]) -> NumberPlan:
    """From rows of `number_prefixes` and `calling_codes` of `store/configuration.sql`."""
    return NumberPlan(
        {row["prefix"]: Range(row["country_id"], row["network_id"]) for row in prefixes},
        [
            CallingCode(row["calling_code"], row["country_id"], row["main"], tuple(row["national_lengths"]))
            for row in calling_codes
        ],
    )
