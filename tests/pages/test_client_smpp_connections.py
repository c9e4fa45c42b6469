"""Clients' SMPP connections in the BackOffice."""

from typing import Any

from tests.pages.samples.client_smpp_connections import new
from tests.records.traffic_rows import put

URL = "/bo/client-smpp-connections/"


def connection(name: str = "Monsters gateway") -> Any:
    from relais.records.connections.models import ClientSmppConnection

    return ClientSmppConnection.objects.get(name=name)


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.content.decode()
    found: dict[str, list[str]] = answer.context["drawer"].form.errors
    return found


def test_CSMPP_3_to_CSMPP_18_the_page_of_connections(reseller: Any) -> None:
    """CSMPP-4: a row as in the guide; CSMPP-5, CSMPP-16: the controls; CSMPP-8, CSMPP-11: the network is asked for, a system type
    may be given."""
    from relais.records.parties.models import Company
    from relais.records.secrets import unseal

    listed = reseller.get(URL).context["list"]
    assert [header.label for header in listed.headers][:7] == [
        "ID", "Name", "Company", "Network", "Login", "Status", "Sessions",
    ]  # fmt: skip
    cells = [str(cell.html) for cell in listed.table[0].cells]
    assert cells[1] == "Monsters gateway" and "Telecom Monsters" in cells[2] and cells[4] == "monsters", cells
    assert "Active" in cells[5] and "not bound" in cells[6]

    values = new(Company.objects.get(name="Hornes and Hooves"))
    for fault, field in (
        ({"name": ""}, "name"),  # CSMPP-6
        ({"company": ""}, "company"),  # CSMPP-7
        ({"network": ""}, "network"),  # CSMPP-8
        ({"network": "192.0.2.0/24, 9"}, "network"),  # CSMPP-9: "9" is no address
        ({"network": "192.0.2.7/24"}, "network"),  # nor is a range that begins within itself
        ({"login": ""}, "login"),  # CSMPP-10
        ({"login": "MONSTERS"}, "login"),  # CSMPP-18: once, whatever its case
        ({"login": "a b"}, "login"),
        ({"password": ""}, "password"),
        ({"password": "ninechars"}, "password"),
        ({"password": "señor"}, "password"),
        ({"ssl_type": ""}, "ssl_type"),  # CSMPP-12
        ({"default_data_coding": ""}, "default_data_coding"),  # CSMPP-13
        ({"rps_limit": "0"}, "rps_limit"),
    ):
        assert list(errors(reseller.post(f"{URL}new/", values | fault))) == [field], fault
    assert (
        reseller.post(
            f"{URL}new/", values | {"name": "Long", "password": "ninechars", "long_password": "on"}
        ).status_code
        == 302
    )
    assert unseal(connection("Long").password_encrypted) == "ninechars"
    assert connection("Long").network == "192.0.2.0/24, 2001:db8::1"

    assert connection().network == "", "CSMPP-4: a connection of before may have none"
    offered = reseller.get(URL).content.decode()
    assert "New client SMPP connection" in offered and 'popovertarget="columns-menu"' in offered
    system_type = {"name": "VA_switch", "login": "vav", "system_type": "VMA"}
    assert reseller.post(f"{URL}new/", values | system_type).status_code == 302
    row = next(row for row in reseller.get(URL).context["list"].table if row.label == "VA_switch")
    cells = [str(cell.html) for cell in row.cells]
    assert cells[4] == "vav" and "Active" in cells[5] and connection("VA_switch").system_type == "VMA"

    page = reseller.get(f"{URL}{connection().pk}/edit/").content.decode()
    assert ">Save<" in page.replace("\n", "") and ">Cancel<" in page.replace("\n", "")
    assert "smpp-tm1" not in page and connection().password_encrypted not in page, "HTTPC-50"
    sent = {"name": "Monsters gateway", "login": "monsters", "password": "", "ssl_type": "none",
            "default_data_coding": "latin1", "disabled": "on"}  # fmt: skip
    assert reseller.post(f"{URL}{connection().pk}/edit/", sent).status_code == 302
    assert unseal(connection().password_encrypted) == "smpp-tm1", "left blank, the stored one stays"
    assert (connection().default_data_coding, connection().disabled) == ("latin1", True)


def test_what_gateways_tell_of_sessions_and_what_keeps_a_connection(reseller: Any) -> None:
    from datetime import UTC, datetime
    from uuid import uuid4

    told = '{"sessions": 2, "receivers": 0, "accepted": 7, "refused": 1, "throttled": 3, "waiting": 4}'
    beat = f'{{"connections": {{}}, "clients": {{"{connection().pk}": {told}}}}}'
    put("traffic_gateway_beat", at=datetime.now(UTC), gateway=uuid4(), beat=beat, events="{}")
    cell = str(reseller.get(URL).context["list"].table[0].cells[6].html)
    assert "st-warn" in cell and "2 sessions" in cell and "7 taken, 1 refused, 3 throttled, 4 receipts wait" in cell
    put("traffic_delivery", created_at=datetime.now(UTC), connection_id=connection().pk, receipts=b"\x90")
    refused = reseller.post(f"{URL}{connection().pk}/delete/", headers={"HX-Request": "true"})
    assert "1 batches of receipts it has not taken" in refused.content.decode()
    assert connection().pk
