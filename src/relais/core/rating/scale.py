"""Scales: read from their stored form, and the price of units at a position of the volume."""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise

from relais.core.rating.types import Parameter, Scale, ScaleType

PRICE_MICROS_MAX = 10**15  # a thousand million currency units; times a message's units it still fits a bigint


def read_price(value: object) -> int:
    """A net price in whole micros, 0 to `PRICE_MICROS_MAX` (SV-251); ValueError saying what is wrong otherwise."""
    if value is None:
        raise ValueError("a price is missing")
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a price is a whole number of micro-units: at most six decimals")
    if value < 0:
        raise ValueError("a price cannot be negative")
    if value > PRICE_MICROS_MAX:
        raise ValueError("the price is too large")
    return value


def read_scale(stored: Mapping[str, object], counter_id: int) -> Scale:
    """The scale of a `NodeRow.scale` (its form is described there).

    ValueError with a sentence for an editor when it breaks SV-252 or has unknown words. Whether the path allows the
    counter group is `problems`'s matter.
    """
    unknown = sorted(set(stored) - {"type", "counter_group", "steps"})
    if unknown:
        raise ValueError(f"a scale has no {unknown[0]!r}")
    kind = stored.get("type")
    if kind not in tuple(ScaleType):
        raise ValueError(f"unknown scale type {kind!r}")
    thresholds, prices_micros = _read_steps(stored.get("steps"))
    return Scale(ScaleType(str(kind)), thresholds, prices_micros, _read_group(stored.get("counter_group")), counter_id)


def _read_steps(steps: object) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(thresholds, prices), one threshold less than prices."""
    if not isinstance(steps, list | tuple) or len(steps) < 2:
        raise ValueError("a scale has at least two steps")
    thresholds: list[int] = []
    prices_micros: list[int] = []
    for number, step in enumerate(steps, 1):
        if not isinstance(step, Mapping) or set(step) - {"up_to", "price_micros"}:
            raise ValueError(f"step {number}: a step is a threshold and a price")
        up_to = step.get("up_to")
        try:
            prices_micros.append(read_price(step.get("price_micros")))
        except ValueError as fault:
            raise ValueError(f"step {number}: {fault}") from None
        if number == len(steps):
            if up_to is not None:
                raise ValueError("the last step has no threshold")
        elif isinstance(up_to, bool) or not isinstance(up_to, int) or up_to <= 0:
            raise ValueError(f"step {number}: a threshold is a positive whole number")
        elif thresholds and up_to <= thresholds[-1]:
            raise ValueError(f"step {number}: thresholds must ascend")
        else:
            thresholds.append(up_to)
    return tuple(thresholds), tuple(prices_micros)


def _read_group(group: object) -> tuple[Parameter, ...]:
    if group is None:
        return ()
    if not isinstance(group, list | tuple):
        raise ValueError("a counter group is a list of parameters")
    if any(name not in tuple(Parameter) for name in group):
        raise ValueError("unknown parameter in the counter group")
    if len(set(group)) != len(group):
        raise ValueError("a parameter stands twice in the counter group")
    return tuple(Parameter(name) for name in group)


def store_scale(scale: Scale) -> dict[str, object]:
    """The stored form; `read_scale` is its inverse. The counter id is not part of it."""
    stored: dict[str, object] = {
        "type": scale.type.value,
        "steps": [
            {"price_micros": step.price_micros}
            if step.up_to is None
            else {"up_to": step.up_to, "price_micros": step.price_micros}
            for step in scale.steps
        ],
    }
    if scale.counter_group:
        stored["counter_group"] = [parameter.value for parameter in scale.counter_group]
    return stored


def tier_pieces(scale: Scale, position: int, units: int) -> tuple[tuple[int, int, int], ...]:
    """(tier index, units, price in micros) of the `units` that follow the first `position` units of the period.

    Units are priced one by one: a threshold belongs to the lower tier (SV-93, SV-256), so no piece is empty and the
    units of the pieces add up to `units`. Both counts are >= 0.
    """
    thresholds = scale.thresholds
    prices_micros = scale.prices_micros
    tier = bisect_left(thresholds, position + 1)
    end = position + units
    if tier == len(thresholds) or end <= thresholds[tier]:
        return ((tier, units, prices_micros[tier]),) if units else ()
    pieces = []
    while position < end:
        stop = end if tier == len(thresholds) else min(end, thresholds[tier])
        pieces.append((tier, stop - position, prices_micros[tier]))
        position = stop
        tier += 1
    return tuple(pieces)


def tier_of(scale: Scale, volume: int) -> int:
    """Index of the step that a period of `volume` units is in: a threshold belongs to the lower one (ruling 5)."""
    return bisect_left(scale.thresholds, volume)


def held_net_micros(scale: Scale, counted: int, reserved: int, void: int) -> int:
    """The most that the thresholds which `reserved` further units may pass can cost the units before them, net.

    `counted` units of the period have a position already; `void` of them were paid back, or not charged.
    """
    return sum(
        max(threshold - void, 0) * (later - earlier)
        for threshold, (earlier, later) in zip(scale.thresholds, pairwise(scale.prices_micros), strict=True)
        if later > earlier and counted <= threshold < counted + reserved
    )
