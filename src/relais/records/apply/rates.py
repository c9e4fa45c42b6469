"""Rate trees in scenario files, to the rows that `relais.core.rating` knows.

    rates: [{domain, resources: [{resource, billing_rule, quantity_rule, <terms>}]}]

with terms one of `price`, `price_type: free | blocked | ...`, `scale`, or `by` and `rates: [{is, <terms>}]`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from relais.core.rating.problems import problems
from relais.core.rating.types import NodeRow, Parameter, PriceType, ServiceType
from relais.records.apply.shapes import (
    Entry,
    Faults,
    Field,
    Shape,
    anything,
    full_text,
    money,
    one_of,
    read_entry,
    whole,
)
from relais.records.catalog.models import Country, NetworkCode, Service

OTHERS = "others"
PAY_AS_YOU_GO, INITIATOR = ServiceType.PAY_AS_YOU_GO, ServiceType.BUNDLE_INITIATOR
_TERMS: Shape = {
    "by": Field(full_text),
    "rates": Field(anything),
    "price": Field(money),
    "price_type": Field(one_of(*PriceType)),
    "scale": Field(anything),
    "billing_rule": Field(full_text),
    "quantity_rule": Field(full_text),
}
_DOMAIN: Shape = {"domain": Field(full_text, required=True), "resources": Field(anything, required=True)}
_RESOURCE: Shape = {"resource": Field(full_text, required=True), **_TERMS}
_VALUE: Shape = {"is": Field(full_text, required=True), **_TERMS}
_SCALE: Shape = {
    "type": Field(full_text, required=True),
    "counter_group": Field(anything),
    "steps": Field(
        anything,
        required=True,
        entries={"up_to": Field(whole(1, 10**15), blank=True), "price": Field(money, required=True)},
    ),
}


@dataclass(slots=True)
class _Reading:
    """Rows so far, each row's path in the file by its id, and faults."""

    faults: Faults
    service: Service
    rows: list[NodeRow] = field(default_factory=list)
    paths: dict[int, str] = field(default_factory=dict)


def read_rates(raw: object, path: str, service: Service, faults: Faults) -> list[NodeRow]:
    """The rows of a scope of that service; ids are counted from 1. A tree with any fault, an incomplete record too, gives no
    rows: in a file nobody comes back to complete it."""
    reading = _Reading(faults, service)
    known = len(faults.found)
    for domain in _entries(reading, raw, _DOMAIN, path):
        for resource in _entries(reading, domain["resources"], _RESOURCE, f"{domain.path}.resources"):
            _read_record(reading, resource, domain["domain"], resource["resource"], None, None)
    if len(faults.found) > known:
        return []
    for problem in problems(reading.rows, ServiceType(service.type)):
        faults.add(reading.paths[problem.node_id], problem.reason)
    return reading.rows if len(faults.found) == known else []


def _entries(reading: _Reading, raw: object, shape: Shape, path: str) -> Iterator[Entry]:
    if not isinstance(raw, list):
        reading.faults.add(path, "a list is expected")
        return
    for number, item in enumerate(raw):
        entry = read_entry(item, shape, f"{path}[{number}]", reading.faults)
        if entry.sound:
            yield entry


def _read_record(
    reading: _Reading, entry: Entry, domain: str, resource: str, parent_id: int | None, split_by: str | None
) -> None:
    """The record and everything below it."""
    node_id = len(reading.rows) + 1
    reading.paths[node_id] = entry.path
    is_others = entry.get("is") == OTHERS
    price_type = _price_type(reading, entry)
    value = None if parent_id is None or is_others else _value(reading, entry, split_by)
    reading.rows.append(
        NodeRow(
            id=node_id,
            parent_id=parent_id,
            domain=domain,
            resource=resource,
            price_type=price_type,
            is_others=is_others,
            value=value,
            split_by=entry.get("by"),
            price_micros=entry.get("price"),
            scale=_scale(reading, entry),
            billing_rule=entry.get("billing_rule"),
            quantity_rule=entry.get("quantity_rule"),
        )
    )
    for child in _entries(reading, entry.get("rates", []), _VALUE, f"{entry.path}.rates"):
        _read_record(reading, child, domain, resource, node_id, entry.get("by"))


def _price_type(reading: _Reading, entry: Entry) -> str:
    """Said, or told by what else the record has."""
    signs = {"by": PriceType.DEPENDS_ON, "price": PriceType.FLAT, "scale": PriceType.SCALE}
    told = [price_type for sign, price_type in signs.items() if sign in entry]
    if "price_type" in entry and entry["price_type"] not in told:
        told.append(entry["price_type"])
    if len(told) != 1:
        reading.faults.add(entry.path, "takes one of: by with rates, price, scale, price_type")
        return PriceType.NOT_INCLUDED
    if "rates" in entry and told[0] != PriceType.DEPENDS_ON:
        reading.faults.add(f"{entry.path}.rates", "goes with by only")
    return str(told[0])


def _value(reading: _Reading, entry: Entry, split_by: str | None) -> str:
    """As the tree stores it: dictionary entries must exist, and a network is written as any of its MCCMNC codes."""
    text: str = entry["is"]
    if split_by == Parameter.COUNTRY and not Country.objects.filter(pk=text).exists():
        reading.faults.add(f"{entry.path}.is", f"no country {text!r} in the dictionary")
    if split_by == Parameter.NETWORK:
        code = NetworkCode.objects.filter(pk=text).first()
        if code is None:
            reading.faults.add(f"{entry.path}.is", f"no network has the code {text!r} in the dictionary")
            return text
        return str(code.network_id)
    if split_by == Parameter.PACK:
        packs = Service.objects.filter(company_id=reading.service.company_id, name__iexact=text)
        found = list(packs.exclude(type__in=[PAY_AS_YOU_GO, INITIATOR]).values_list("pk", flat=True)[:2])
        if len(found) != 1:
            reading.faults.add(f"{entry.path}.is", f"{'no' if not found else 'more than one'} pack is called {text!r}")
            return text
        return str(found[0])
    return text


def _scale(reading: _Reading, entry: Entry) -> dict[str, Any] | None:
    """As `NodeRow.scale` holds it; its rules are checked with the tree's."""
    if "scale" not in entry:
        return None
    scale = read_entry(entry["scale"], _SCALE, f"{entry.path}.scale", reading.faults)
    if not scale.sound:
        return None
    group = scale.get("counter_group", [])
    steps = [
        ({} if step.get("up_to") is None else {"up_to": step["up_to"]}) | {"price_micros": step["price"]}
        for step in scale["steps"]
    ]
    return {"type": scale["type"], "counter_group": [group] if isinstance(group, str) else group, "steps": steps}
