"""Connections to servers that know who serves a number: DEFAULT always exists, and what nobody could ask is refused."""

from typing import Any

import pytest
from tests.records.conftest import Books
from tests.records.test_parties import copy_of, reasons_of


def test_CO_19_CO_69_DEFAULT_always_exists_and_a_connection_is_one_that_can_be_asked(books: Books) -> None:
    """CO-21: what a company holds while its requests are off keeps the connection too."""
    from django.db import IntegrityError, transaction

    from relais.records.connections.actions.delete_mnp_connection import delete_mnp_connection
    from relais.records.connections.actions.save_mnp_connection import save_mnp_connection
    from relais.records.connections.models import MnpConnection
    from relais.records.parties.models import Company
    from relais.records.secrets import unseal

    (default,) = MnpConnection.objects.all()
    assert (default.name, default.enabled, default.address) == ("DEFAULT", False, "")
    reasons: Any = reasons_of(delete_mnp_connection, default.pk)
    assert reasons == {"": ("DEFAULT always exists: switch it off instead",)}
    assert reasons_of(save_mnp_connection, copy_of(default, name="Other"), None) == {
        "name": ("DEFAULT always exists, under this name",)
    }
    for change in (MnpConnection.objects.filter(pk=default.pk).delete, lambda: rename(default)):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert list(reasons_of(save_mnp_connection, copy_of(default, enabled=True), None)) == ["address"]
    assert list(reasons_of(save_mnp_connection, MnpConnection(name="default", enabled=False), None)) == ["name"]

    def http(**fields: Any) -> Any:
        return MnpConnection(**{"name": "Lookup", "address": "https://mnp.example/{number}?key={password}"} | fields)

    for field, value in (
        ("address", "https://mnp.example/number"),
        ("address", "ftp://mnp.example/{number}"),
        ("address", "https://{number}/"),
        ("address", "https://mnp.example:x/{number}"),
        ("address", "https://mnp.example/ {number}"),
        ("mcc_path", ""),
        ("mcc_path", "a..b"),
        ("mnc_path", "a b"),
        ("timeout_ms", 301),
        ("timeout_ms", 0),
        ("lifetime_s", -1),
        ("lifetimes", {"XX": 5}),
        ("lifetimes", {"ES": -1}),
        ("lifetimes", {"ES": True}),
        ("lifetimes", ["ES"]),
    ):
        assert list(reasons_of(save_mnp_connection, http(**{field: value}), None)) == [field], (field, value)
    for address in ("mnp.example:0", "mnp.example/x", ":53", "mnp.example:99999", "a.example,", "a,b,c,d,e"):
        asked = MnpConnection(name="Enum", kind="enum", address=address)
        assert list(reasons_of(save_mnp_connection, asked, None)) == ["address"], address
    several = MnpConnection(name="Several", kind="enum", address="[::1]:5353, mnp.example")
    assert save_mnp_connection(several, None).address == "[::1]:5353,mnp.example"
    several.delete()
    suffix = MnpConnection(name="Enum", kind="enum", address="[::1]:5353", enum_suffix="e164 arpa")
    assert list(reasons_of(save_mnp_connection, suffix, None)) == ["enum_suffix"]
    assert list(reasons_of(save_mnp_connection, http(), "s\r\nX: 1")) == ["password"]
    assert MnpConnection.objects.count() == 1

    made = save_mnp_connection(http(lifetimes={"PT": 60, "ES": 600}), "s3cret")
    assert unseal(made.password_encrypted) == "s3cret" and list(made.lifetimes) == ["ES", "PT"]
    kept = save_mnp_connection(copy_of(made, timeout_ms=100), None)
    assert unseal(kept.password_encrypted) == "s3cret"
    assert save_mnp_connection(kept, "").password_encrypted == ""
    Company.objects.filter(pk=books.reseller.pk).update(mnp_connection=made)
    assert reasons_of(delete_mnp_connection, made.pk) == {
        "": (f"Lookup cannot be deleted: it has 1 company ({books.reseller.name})",)
    }
    Company.objects.filter(pk=books.reseller.pk).update(mnp_connection=default)
    delete_mnp_connection(made.pk)
    assert MnpConnection.objects.count() == 1


def rename(connection: Any) -> None:
    type(connection).objects.filter(pk=connection.pk).update(name="Other")


def test_CO_69_a_scenario_makes_them_before_the_companies_that_name_them(records: str, tmp_path: Any) -> None:
    from relais.records.apply.run import apply_file
    from relais.records.connections.models import MnpConnection
    from relais.records.errors import Invalid
    from relais.records.parties.models import Company

    file = tmp_path / "mnp.yaml"
    file.write_text(
        "mnp_connections:\n"
        "  - {name: DEFAULT, kind: enum, address: '192.0.2.1:5353', enum_suffix: mnp.example}\n"
        "  - {name: HTTP lookup, kind: http, address: 'https://mnp.example/{number}', mcc_path: mccmnc, mnc_path: '',\n"
        "     login: we, password: s3cret, timeout_ms: 200, lifetime_s: 60, lifetimes: {ES: 5}, enabled: false}\n"
        "companies:\n"
        "  - {name: System owner, mnp_requests: true, mnp_connection: HTTP lookup, mnp_channels: [sms]}\n"
    )
    Company.objects.filter(parent=None).update(name="System owner")
    assert str(apply_file(file)).splitlines()[0] == "mnp_connections: 1 created, 1 changed"
    assert MnpConnection.objects.filter(name="DEFAULT", enabled=True, kind="enum").exists()
    assert Company.objects.get(parent=None).mnp_connection == MnpConnection.objects.get(name="HTTP lookup")
    assert str(apply_file(file)).endswith("unchanged")
    file.write_text("companies: [{name: System owner, mnp_connection: HTTP lokup}]")
    with pytest.raises(Invalid, match="no MNP connection is called 'HTTP lokup'; near it: 'HTTP lookup'"):
        apply_file(file)
