"""The live board out of what gateways tell of themselves once a second (`pipeline.beats`).

Counters run from a gateway's start, so a rate is the difference of two beats of one gateway, over the time between them. A viewer
sees the connections of the own company; what is of the gateway as a whole (refusals, ticks) only at the top of the chain.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max
from django.db.models.functions import Extract, Floor
from django.utils.translation import gettext as _

from relais.pages.viewer import Viewer
from relais.records.connections.models import VendorSmppConnection
from relais.records.traffic.models import GatewayBeat

SHOWN = timedelta(minutes=10)
SLOT_S = 10
SLOTS_COUNT = SHOWN // timedelta(seconds=SLOT_S)
NOW_WITHIN = timedelta(seconds=6)  # what "now" is the average of
SILENT_AFTER = timedelta(seconds=10)  # a gateway that said nothing for so long is not there
MINUTE = timedelta(seconds=60)
EVENTS_COUNT_MAX = 8
QUEUED_MANY = 1_000
SPARK_WIDTH, SPARK_HEIGHT, BAR_WIDTH = 100, 26, 44
_TROUBLE = {"bad": 0, "warn": 1, "info": 2, "ok": 3, "hollow": 4}


@dataclass(frozen=True, slots=True)
class Beat:
    gateway: Any
    at: datetime
    told: dict[str, Any]

    def count(self, key: str, connections: Iterable[str]) -> int:
        lanes = self.told["connections"]
        return sum(lanes[name].get(key, 0) for name in connections if name in lanes)


@dataclass(frozen=True, slots=True)
class Line:
    """A connection. `tone` and `label` of its badge, `why` beside it; rates and counts as they are shown."""

    pk: int
    name: str
    label: str
    tone: str
    why: str
    spark: str
    spark_css: str
    now: str
    accepted: str
    delivered_now: str
    failed: str
    limit: int | None
    bar_width: int
    bar_css: str
    window: str
    queued_count: int
    oldest: str
    delivered: str
    errors_count: int

    @property
    def queued(self) -> str:
        return spaced(self.queued_count)

    @property
    def in_trouble(self) -> bool:
        return self.tone.split()[0] in ("bad", "warn")


@dataclass(frozen=True, slots=True)
class Happening:
    at: datetime
    tone: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Board:
    heard_at: datetime | None  # the last beat of any gateway
    silent: bool
    figures: list[tuple[str, str, str, str, str]]  # label, figure, unit, line below, tone
    chart: str  # JSON, as charts.js takes it
    events: list[Happening]
    lines: list[Line]

    @property
    def troubled_count(self) -> int:
        return sum(line.in_trouble for line in self.lines)


def board(viewer: Viewer, now: datetime | None = None) -> Board:
    now = now or datetime.now(UTC)
    connections = list(viewer.rows(VendorSmppConnection).order_by("name", "pk"))
    names = [str(each.pk) for each in connections]
    history = _history(now)
    beats = recent(now)
    latest = {beat.gateway: beat for beat in beats}  # the newest of each gateway comes last
    lines = [_line(each, history, beats, now) for each in connections]
    lines.sort(key=lambda line: (_TROUBLE[line.tone.split()[0]], line.name.lower()))
    heard_at = max((beat.at for beat in [*beats, *history]), default=None)
    return Board(
        heard_at,
        not latest,
        _figures(viewer, names, history, beats, latest.values(), lines),
        _chart(names, history, now, viewer),
        _happenings(connections, latest),
        lines,
    )


def _history(now: datetime) -> list[Beat]:
    """The last beat of each gateway in each slot of time, oldest first: enough for lines, and little to read."""
    beats = GatewayBeat.objects.filter(at__gt=now - SHOWN - timedelta(seconds=SLOT_S), at__lte=now)
    slots = beats.annotate(slot=Floor(Extract("at", "epoch") / SLOT_S)).values("gateway", "slot")
    rows = beats.filter(at__in=slots.annotate(last=Max("at")).values("last")).order_by("at")
    return [Beat(*row) for row in rows.values_list("gateway", "at", "beat")]


def recent(now: datetime) -> list[Beat]:
    """What gateways that are there told lately, oldest first."""
    rows = GatewayBeat.objects.filter(at__gt=now - SILENT_AFTER, at__lte=now).order_by("at")
    return [Beat(*row) for row in rows.values_list("gateway", "at", "beat")]


def _rates(key: str, names: Sequence[str], beats: Iterable[Beat]) -> dict[int, int]:
    """Slot → a second, in hundredths, over all gateways; slots in which no gateway has two beats to compare are missing."""
    found: dict[int, int] = {}
    for former, later in _pairs(beats):
        ms = max(1, (later.at - former.at) // timedelta(milliseconds=1))
        grown = max(0, later.count(key, names) - former.count(key, names))
        slot = int(later.at.timestamp()) // SLOT_S
        found[slot] = found.get(slot, 0) + grown * 100_000 // ms
    return found


def _pairs(beats: Iterable[Beat]) -> Iterable[tuple[Beat, Beat]]:
    last: dict[Any, Beat] = {}
    for beat in beats:
        if beat.gateway in last:
            yield last[beat.gateway], beat
        last[beat.gateway] = beat


def _grown(key: str, names: Sequence[str], beats: Iterable[Beat]) -> int:
    """By how much a counter grew over these beats, of all gateways."""
    return sum(max(0, b.count(key, names) - a.count(key, names)) for a, b in _pairs(beats))


def rate_of(key: str, names: Sequence[str], lately: Sequence[Beat]) -> int:
    """A second, in hundredths, over the last seconds of what was told `lately`."""
    if not lately:
        return 0
    beats = [beat for beat in lately if beat.at >= lately[-1].at - NOW_WITHIN]
    ms = max(1_000, (beats[-1].at - beats[0].at) // timedelta(milliseconds=1))
    return _grown(key, names, beats) * 100_000 // ms


def _line(connection: Any, history: list[Beat], beats: list[Beat], now: datetime) -> Line:
    name = str(connection.pk)
    told: dict[str, Any] | None = None
    for beat in beats:
        told = beat.told["connections"].get(name, told)
    label, tone, why = state_of(connection, told)
    rate, accepted, reported, delivered_now, unsent = (
        rate_of(key, [name], beats) if told else 0 for key in ("sent", "accepted", "receipts", "delivered", "failed")
    )
    limit = told["limit"] if told else connection.rps_limit
    share = min(100, rate // limit) if limit else 0
    lately = [beat for beat in history if beat.at >= now - MINUTE]
    receipts, delivered = (_grown(key, [name], history) for key in ("receipts", "delivered"))
    css = {"warn": "warn", "bad": "off", "hollow": "off"}.get(tone.split()[0], "")
    return Line(
        connection.pk, connection.name, label, tone, why,
        spark(_series(_rates("sent", [name], history), now)), css,
        whole(rate), whole(accepted), whole(delivered_now), whole(unsent + max(0, reported - delivered_now)), limit,
        BAR_WIDTH * share // 100, "w" if share >= 90 or tone == "warn" else "",
        f"{told['window']} / {told['window_max']}" if told else "",
        told["queued"] if told else 0,
        waited(told["oldest_s"]) if told and told["oldest_s"] is not None else "",
        percent(delivered, receipts), _grown("errors", [name], lately),
    )  # fmt: skip


def state_of(connection: Any, told: dict[str, Any] | None) -> tuple[str, str, str]:
    """Label, tone, and the reason beside the badge. `told`: what a gateway last said of the connection, lately."""
    if connection.disabled:
        return _("Disabled"), "hollow", ""
    if connection.disconnected:
        return _("Disconnected"), "hollow", _("by hand")
    if told is None:
        return _("Failed"), "bad", _("no gateway drives it")
    if not told["ready"]:
        connecting = told["reason"] == "connecting"
        return (_("Connecting"), "info live", "") if connecting else (_("Failed"), "bad", told["reason"])
    if told["rate"] < told["limit"]:
        return _("Throttled"), "warn", _("lowered to %(rate)s/s") % {"rate": told["rate"]}
    return _("Bound"), "ok", "" if told["reason"] == "bound" else told["reason"]


def _figures(
    viewer: Viewer, names: list[str], history: list[Beat], beats: list[Beat], latest: Iterable[Beat], lines: list[Line]
) -> list[tuple[str, str, str, str, str]]:
    receipts, delivered = (_grown(key, names, history) for key in ("receipts", "delivered"))
    queued = sum(line.queued_count for line in lines)
    oldest = max((lane["oldest_s"] for beat in latest for key, lane in beat.told["connections"].items()
                  if key in names and lane["oldest_s"] is not None), default=None)  # fmt: skip
    carrying = sum(line.now != "0" for line in lines)
    found = [
        ("Accepted", whole(rate_of("accepted", names, beats)), "/s",
         f"{spaced(_grown('accepted', names, history))} in 10 min", ""),
        ("Sent", whole(rate_of("sent", names, beats)), "/s", f"{carrying} of {len(lines)} connections carry", ""),
        ("Delivery receipts", whole(rate_of("receipts", names, beats)), "/s",
         f"{percent(delivered, receipts)} delivered" if receipts else "none in 10 min", ""),
        ("Queued", spaced(queued), "", f"oldest waits {waited(oldest)}" if oldest is not None else "nothing waits",
         "warn" if queued >= QUEUED_MANY else ""),
    ]  # fmt: skip
    if viewer.company.parent_id is None:
        found += _of_gateways(history)
    return found


def _of_gateways(history: list[Beat]) -> list[tuple[str, str, str, str, str]]:
    refused: dict[str, int] = {}
    ticks = tick_us = 0
    for former, later in _pairs(history):
        for code, count in later.told["refused"].items():
            refused[code] = refused.get(code, 0) + max(0, count - former.told["refused"].get(code, 0))
        ticks += max(0, later.told["ticks"] - former.told["ticks"])
        tick_us += max(0, later.told["tick_us"] - former.told["tick_us"])
    most = max(refused, key=lambda code: refused[code], default="")
    mean = tick_us // ticks // 100 if ticks else None
    return [
        ("Refused", spaced(sum(refused.values())), "", f"{most} most" if most and refused[most] else "in 10 min", ""),
        ("Writing a tick", "\N{EN DASH}" if mean is None else f"{mean // 10}.{mean % 10}", "ms", "mean of 10 min", ""),
    ]


def _series(rates: dict[int, int], now: datetime) -> list[int]:
    last = int(now.timestamp()) // SLOT_S
    return [rates.get(slot, 0) for slot in range(last - SLOTS_COUNT, last)]  # the slot that runs is not full yet


def _chart(names: list[str], history: list[Beat], now: datetime, viewer: Viewer) -> str:
    last = int(now.timestamp()) // SLOT_S
    times = [
        datetime.fromtimestamp(slot * SLOT_S, viewer.zone).strftime("%H:%M:%S")
        for slot in range(last - SLOTS_COUNT, last)
    ]

    def data(key: str) -> list[int]:
        return [(rate + 50) // 100 for rate in _series(_rates(key, names, history), now)]

    told = {
        "x": times,
        "every": 12,
        "colors": ["--rl-c5", "--rl-c1", "--rl-c2"],
        "series": [
            {"name": "Accepted", "data": data("accepted"), "dash": True},
            {"name": "Sent", "data": data("sent"), "area": True},
            {"name": "Receipts", "data": data("receipts")},
        ],
    }
    return json.dumps(told)


def _happenings(connections: Sequence[Any], latest: dict[Any, Beat]) -> list[Happening]:
    """Of the gateways that are there, newest first."""
    names = {str(each.pk): each.name for each in connections}
    keys = [(beat.at, gateway) for gateway, beat in latest.items()]
    rows = GatewayBeat.objects.filter(pk__in=keys).values_list("events", flat=True) if keys else []
    found = [
        Happening(datetime.fromtimestamp(ms // 1000, UTC), "" if tone == "ok" else tone, names[key], text)
        for events in rows
        for key, happened in events.items()
        if key in names
        for ms, tone, text in happened
    ]
    return sorted(found, key=lambda each: each.at, reverse=True)[:EVENTS_COUNT_MAX]


def spark(values: Sequence[int]) -> str:
    """The points of an SVG path over the width; the highest value reaches the top."""
    most = max(values, default=0) or 1
    last = max(1, len(values) - 1)
    points = []
    for n, value in enumerate(values):
        x, y = n * SPARK_WIDTH * 10 // last, (SPARK_HEIGHT - 1) * 10 - value * (SPARK_HEIGHT - 5) * 10 // most
        points.append(f"{x // 10}.{x % 10},{y // 10}.{y % 10}")
    return " ".join(points)


def whole(hundredths: int) -> str:
    """A rate for people: one decimal below ten, none above."""
    if 0 < hundredths < 1_000:
        tenths = max(1, (hundredths + 5) // 10)
        return f"{tenths // 10}.{tenths % 10}"
    return spaced((hundredths + 50) // 100)


def spaced(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NO-BREAK SPACE}")


def percent(part: int, of: int) -> str:
    return f"{part * 1000 // of // 10}.{part * 1000 // of % 10} %" if of else ""


def waited(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
