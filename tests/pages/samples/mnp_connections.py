"""A name server; they are the System owner's."""

from typing import Any

from tests.pages.samples import Sample, Values, numbers

_serial = numbers()


def new(company: Any) -> Values:
    return {
        "name": f"Carrier ENUM {next(_serial)}",
        "enabled": "on",
        "kind": "enum",
        "address": "enum.carrier.example",
        "enum_suffix": "mnp.carrier.example",
        "timeout_ms": "250",
        "lifetime_s": "3600",
        "lifetimes": "es=600",
    }


SAMPLE = Sample(
    new=new,
    change={"address": "enum2.carrier.example:5353"},
    changed="address",
    who="owner",
    alone=True,
    silent=frozenset({"look-up"}),
    asked={"look-up": {"number": "34612345678"}},
)
