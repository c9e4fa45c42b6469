"""The story of one message as a viewer may read it: its text in parts, what happened when, and the charges of the levels that
the viewer sells and buys at (ruling 9)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from msgspec import structs

from relais.backoffice.rate_values import rule_words
from relais.core.lifecycle import State
from relais.core.rating.types import BillingRule
from relais.core.segments import NotEncodable, TooManyParts, decode, encode
from relais.pages.choices import COUNTRY_NAMES
from relais.pages.kinds import amount
from relais.pages.traffic import ENTRIES, RESERVED, STATES, api_key_name
from relais.pages.viewer import Viewer
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import EnabledService, Network, RateNode
from relais.records.connections.models import MnpConnection, VendorSmppConnection
from relais.records.traffic.models import (
    PLATFORM_KEY_ID,
    Callback,
    Edr,
    Entry,
    Fallback,
    Lookup,
    LookupResult,
    Message,
    PartReceipt,
    SentPart,
)

PRICE_DECIMALS, AMOUNT_DECIMALS = 5, 4
CALLBACKS_COUNT_MAX = 20
TREE_DEPTH_MAX = 8  # resource, direction, country, network, then attributes


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened. `since`: how long after the step before."""

    at: datetime
    title: str
    detail: str
    tone: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    letters_count: int | None
    vendor_id: str
    sent_at: datetime | None
    reported_at: datetime | None
    vendor_status: str
    state: int


@dataclass(frozen=True, slots=True)
class Charge:
    """What one level pays. `sold`: the viewer's company is paid, else it pays. `entry` is RESERVED or of `Entry`."""

    agreement: Agreement
    sold: bool
    service: str
    path: str
    each: str  # the price of a unit where there is one price
    units: int
    gross_micros: int
    tax_micros: int
    entry: Any
    at: datetime | None
    rule: str

    @property
    def currency(self) -> str:
        return self.agreement.currency

    @property
    def label(self) -> str:
        return _(ENTRIES[self.entry][0])


def texts_of_parts(message: Message) -> list[str]:
    """The text cut as it was sent; whole when it does not come out at the stored number of parts. A log-in code is for
    nobody's eyes but its owner's (TFA-71)."""
    if message.api_key_id == PLATFORM_KEY_ID:
        return [_("A log-in code. Its text is not shown.")]
    try:
        encoded = encode(message.body)
    except (NotEncodable, TooManyParts):
        return [message.body]
    if len(encoded.parts) != message.segments_count or encoded.data_coding != message.encoding:
        return [message.body]
    return [decode(structs.replace(encoded, parts=(part,))) for part in encoded.parts]


def parts(message: Any, viewer: Viewer, texts: Sequence[str]) -> list[Part]:
    sent = {each.part: each for each in viewer.rows(SentPart).filter(message=message)}
    several = message.segments_count > 1  # the receipt of one part alone is the message's
    reports = {each.part: each for each in viewer.rows(PartReceipt).filter(message=message)} if several else {}
    alone = not several and message.final_at is not None
    found = []
    for number in range(message.segments_count):
        handed, report = sent.get(number), reports.get(number)
        if report is not None:
            ended: tuple[datetime | None, str, int] = (report.at, report.error or "", report.status)
        elif alone:
            ended = (message.final_at, message.error or "", message.status)
        else:
            state = State.SENT if handed else message.state
            ended = (None, "", message.status if message.final_at and not handed else state)
        letters_count = len(texts[number]) if len(texts) == message.segments_count else None
        found.append(
            Part(number + 1, letters_count, handed.vendor_id if handed else "", handed and handed.sent_at, *ended)
        )
    return found


def charges(message_id: Any, viewer: Viewer, message: Message | None = None) -> list[Charge]:
    """By level, the client first. Without the message (it is not the viewer's to read) only what EDRs say."""
    edrs: dict[int, list[Edr]] = {}
    for edr in viewer.rows(Edr).filter(message=message_id).order_by("level", "entry"):
        edrs.setdefault(edr.level, []).append(edr)
    agreement_ids = {level: found[0].agreement_id for level, found in edrs.items()}
    nodes = {level: found[0].node_id for level, found in edrs.items()}
    if message is not None:
        agreement_ids |= dict(enumerate(message.agreement_ids))
        nodes |= dict(enumerate(message.node_ids))
    agreements = viewer.rows(Agreement).select_related("company", "own_legal_entity", "legal_entity")
    enabled = viewer.rows(EnabledService).filter(agreement=OuterRef("pk")).values("service_id")
    seen = agreements.annotate(service_ids=ArraySubquery(enabled)).in_bulk(list(agreement_ids.values()))
    bought = {(agreement.pk, pk) for agreement in seen.values() for pk in agreement.service_ids}
    rates = _rates(nodes, agreement_ids, bought, viewer, message.network if message is not None else None)
    found_charges = []
    for level in sorted(agreement_ids):
        agreement = seen.get(agreement_ids[level])
        if agreement is None:
            continue
        service, path = rates.get(level, ("", ""))
        sold = agreement.own_legal_entity.company_id == viewer.company.pk
        if level in edrs:
            found_charges.append(_charged(edrs[level], agreement, sold, service, path, message, level))
        elif message is not None:
            units, gross_micros = message.units[level], message.reserved_micros[level]
            taxed = bool(message.tax_bp and message.tax_bp[level])
            each = "" if taxed else _each(gross_micros, units)
            found_charges.append(
                Charge(agreement, sold, service, path, each, units, gross_micros, 0, RESERVED, message.accepted_at,
                       _rule(message, level))
            )  # fmt: skip
    return found_charges


def _charged(
    edrs: list[Edr], agreement: Agreement, sold: bool, service: str, path: str, message: Message | None, level: int
) -> Charge:
    """The sum of a level's entries, and the last of them."""
    net_micros, tax_micros = sum(edr.net_micros for edr in edrs), sum(edr.tax_micros for edr in edrs)
    first, last = edrs[0], edrs[-1]
    each = "" if first.pieces else _each(first.net_micros, first.units)
    rule = _rule(message, level) if message is not None else ""
    return Charge(
        agreement, sold, service, path, each, sum(edr.units for edr in edrs), net_micros + tax_micros, tax_micros,
        Entry(last.entry), last.at, rule,
    )  # fmt: skip


def _each(micros: int, units: int) -> str:
    return amount(micros // units, PRICE_DECIMALS) if units and micros % units == 0 else ""


def _rule(message: Message, level: int) -> str:
    return rule_words(BillingRule.DELIVERED if message.delivered_rules >> level & 1 else BillingRule.SUBMITTED)


def _rates(
    nodes: dict[int, int],
    agreement_ids: dict[int, int],
    bought: set[tuple[int, int]],
    viewer: Viewer,
    own: Network | None,
) -> dict[int, tuple[str, str]]:
    """Level → service and place in its tree, where the viewer's company sells it, or buys it and it is not hidden (ES-16):
    `bought` by agreement and service. `own`: the network of the message, which need not be read again."""
    parents = "__".join(["parent"] * TREE_DEPTH_MAX)
    rows = RateNode.objects.select_related("scope__service", parents).in_bulk(list(nodes.values()))
    shown = {}
    for level, node_id in nodes.items():
        node = rows.get(node_id)
        if node is None:
            continue
        service = node.scope.service
        if service.company_id == viewer.company.pk or (agreement_ids[level], service.pk) in bought:
            shown[level] = (service.name, _line(node))
    ids = {
        int(value) for _, line in shown.values() for split, value in line if split == "network" and value.isdecimal()
    }
    known = {own.pk: own} if own is not None else {}
    others = Network.objects.in_bulk(ids - known.keys()) if ids - known.keys() else {}
    networks = {str(pk): network.name for pk, network in (known | others).items()}
    names = {"network": networks, "country": COUNTRY_NAMES}
    return {
        level: (service, " / ".join(names.get(split, {}).get(value, value) for split, value in line))
        for level, (service, line) in shown.items()
    }


def _line(node: Any) -> list[tuple[str, str]]:
    """From the top of the tree to the node: by what its parent is split, and its value."""
    line: list[tuple[str, str]] = []
    while node.parent_id is not None and len(line) < TREE_DEPTH_MAX:
        line.append((node.parent.split_by or "", "Others" if node.is_others else node.value))
        node = node.parent
    return line[::-1]


def callbacks(message: Message, viewer: Viewer) -> list[Any]:
    """What the client's system was told of it, or is to be told; for a week."""
    if message.callback_url is None:
        return []
    return list(viewer.rows(Callback).filter(message_id=message.pk).order_by("pk")[:CALLBACKS_COUNT_MAX])


def received_by(message: Any) -> str:
    """The name of the API key; of a message that came over SMPP, or that the platform sent itself, there is none."""
    return message.api_key_name or ""


def with_traces(rows: QuerySet[Any], viewer: Viewer) -> QuerySet[Any]:
    """Messages with what else is told of them. `connection_name`: where they go out; a connection of another level stays that
    level's (SID-231). `replaced`: the `Fallback` that they went out under since the vendor refused their own sender.
    `has_lookup`: whether there is a `Lookup` to read, which few have."""
    connections = viewer.rows(VendorSmppConnection).filter(pk=OuterRef("connection_id"))
    replaced = viewer.rows(Fallback).filter(message_id=OuterRef("pk"))
    return rows.annotate(
        api_key_name=api_key_name(),
        connection_name=Subquery(connections.values("name")[:1]),
        replaced=Subquery(replaced.values(told=JSONObject(at="at", source="source", error="error"))[:1]),
        has_lookup=Exists(viewer.rows(Lookup).filter(pk=OuterRef("pk"))),
    )


def fallback(message: Any) -> Fallback | None:
    """Under which sender it went out since the vendor refused its own. `message` is one of `with_traces`, here and below."""
    if message.replaced is None:
        return None
    return Fallback(**message.replaced | {"at": datetime.fromisoformat(message.replaced["at"])})


def looked_up(message: Any, viewer: Viewer) -> Step | None:
    """Where the operator of the number came from, of a message whose number was looked up (CO-70). Who was asked is the tenant's
    to know."""
    if not message.has_lookup:
        return None
    names = viewer.rows(MnpConnection).filter(pk=OuterRef("connection_id")).values("name")[:1]
    found = viewer.rows(Lookup).annotate(asked=Subquery(names)).select_related("range_network")
    lookup: Any = found.get(pk=message.pk)
    asked = lookup.asked
    if lookup.mccmnc and message.network_id is not None and lookup.range_network_id != message.network_id:
        words = _("Served by %(network)s, %(code)s") % {"network": message.network.name, "code": lookup.mccmnc}
        if lookup.range_network is not None:
            words += "; " + _("the number range is of %(network)s") % {"network": lookup.range_network.name}
    elif lookup.mccmnc and message.network_id is not None:
        words = _("Served by %(network)s, as its number range says") % {"network": message.network.name}
    else:
        words = _("The number range counts")
    result = _(LookupResult(lookup.result).label)
    told = [words, f"{asked}: {result}" if asked else result]
    if lookup.result in (LookupResult.ANSWERED, LookupResult.FAILED):
        told.append(f"{lookup.took_ms} ms")
    tone = "warn" if lookup.result in (LookupResult.FAILED, LookupResult.LEFT_ALONE) else "mute"
    return Step(message.accepted_at, _("Operator looked up"), "; ".join(told), tone)


def steps(
    message: Any,
    parts: Sequence[Part],
    charges: Sequence[Charge],
    connection: str,
    other: Fallback | None = None,
    lookup: Step | None = None,
) -> list[Step]:
    """What happened, oldest first."""
    found = [*([lookup] if lookup else []), _accepted(message, charges)]
    if message.send_at is not None:
        words = _("For %(at)s UTC") % {"at": f"{message.send_at:%d.%m.%Y %H:%M}"}
        found.append(Step(message.accepted_at, _("Scheduled"), words, "hollow"))
    if other is not None:
        names = {"sender": message.source, "error": other.error, "other": other.source}
        words = _("The vendor refused %(sender)s (%(error)s): sent as from %(other)s, at no further charge") % names
        found.append(Step(other.at, _("Sender replaced"), words, "warn"))
    sent = sorted((part for part in parts if part.sent_at is not None), key=lambda part: part.sent_at)
    if sent:
        if len(sent) < message.segments_count:
            counts = {"count": len(sent), "total": message.segments_count}
            words = _("Vendor accepted %(count)s of %(total)s parts") % counts
        else:
            words = _("Vendor accepted all parts") if len(sent) > 1 else _("Vendor accepted it")
        found.append(Step(sent[-1].sent_at, _("Sent"), f"{words}, {connection}" if connection else words, "info"))
    if len(parts) > 1:
        found += [
            Step(
                part.reported_at,
                _("Receipt of part %(number)s") % {"number": part.number},
                part.vendor_status or _(STATES[part.state][0]),
                "mute",
            )
            for part in parts
            if part.reported_at is not None
        ]
    for at in sorted({each.at for each in charges if each.entry != RESERVED and each.at is not None}):
        done = [f"{_on(each)} {each.label.lower()}" for each in charges if each.at == at and each.entry != RESERVED]
        title = _("Charged") if any(each.gross_micros for each in charges) else _("Not charged")
        found.append(Step(at, title, "; ".join(done), "mute"))
    if message.final_at is not None:
        label, tone = STATES[message.status]
        found.append(Step(message.final_at, _(label), message.error or "", tone))
    found.sort(key=lambda step: step.at)  # stable: what has the same instant stays in the order above
    return [
        Step(step.at, step.title, step.detail, step.tone, lapse(step.at - found[n - 1].at) if n else "")
        for n, step in enumerate(found)
    ]


def _accepted(message: Any, charges: Sequence[Charge]) -> Step:
    key = received_by(message)
    if key:
        told = [_("HTTP API, key %(key)s") % {"key": key}]
    else:
        told = ["SMPP" if message.client_connection_id else _("By the platform")]
    if reserved := [_on(each) for each in charges if each.entry == RESERVED]:
        told.append(_("reserved %(amounts)s") % {"amounts": ", ".join(reserved)})
    return Step(message.accepted_at, _("Accepted"), "; ".join(told), "hollow")


def _on(charge: Charge) -> str:
    money = f"{amount(charge.gross_micros, AMOUNT_DECIMALS)} {charge.currency}"
    return _("%(money)s on %(agreement)s") % {"money": money, "agreement": charge.agreement}


def lapse(time: timedelta) -> str:
    """+40 ms, +3.4 s, +4 min 12 s, +2 h 5 min."""
    ms = time // timedelta(milliseconds=1)
    if ms < 1_000:
        return f"+{ms} ms"
    if ms < 60_000:
        return f"+{ms // 1_000}.{ms % 1_000 // 100} s"
    if ms < 3_600_000:
        return f"+{ms // 60_000} min {ms // 1_000 % 60} s"
    return f"+{ms // 3_600_000} h {ms // 60_000 % 60} min"
