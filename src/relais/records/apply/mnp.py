"""Servers that know who serves a number, in scenario files."""

from typing import Any, ClassVar

from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, flag, full_text, mapping, one_of, secret, text, whole
from relais.records.connections.actions.save_mnp_connection import save_mnp_connection
from relais.records.connections.models import (
    MNP_LIFETIME_MAX_S,
    MNP_TIMEOUT_MAX_MS,
    MNP_TIMEOUT_MIN_MS,
    MnpConnection,
    MnpProvider,
)
from relais.records.secrets import holds


class MnpConnections(Section):
    name = "mnp_connections"
    key = ("name",)
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "enabled": Field(flag),
        "kind": Field(one_of(*MnpProvider.values), required=True),
        "address": Field(full_text, required=True),
        "enum_suffix": Field(full_text),
        "mcc_path": Field(full_text),
        "mnc_path": Field(text),
        "login": Field(text),
        "password": Field(secret),
        "timeout_ms": Field(whole(MNP_TIMEOUT_MIN_MS, MNP_TIMEOUT_MAX_MS)),
        "lifetime_s": Field(whole(0, MNP_LIFETIME_MAX_S)),
        "lifetimes": Field(mapping),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        """DEFAULT is there already, without an address and switched off; named here, it is on."""
        found = MnpConnection.objects.filter(name__iexact=entry["name"]).first()
        record = found or MnpConnection(name=entry["name"])
        values: dict[str, Any] = {"enabled": True, **self.given(entry, set(self.shape) - {"name", "password"})}
        changed = assign(record, values)
        password = entry.get("password")
        if password is not None:
            changed = changed or not record.password_encrypted or not holds(record.password_encrypted, password)
        if found is None or changed:
            save_mnp_connection(record, password)
        return Outcome.CREATED if found is None else changed_if(changed)
