"""MNP connections in the BackOffice: the tenant's alone, with what came of them and a number to try."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.test import override_settings
from tests.number_servers import name_server
from tests.pages.samples.mnp_connections import new
from tests.records.traffic_rows import put, put_message

URL = "/bo/mnp-connections/"
NUMBER = "34612345678"


class Served:
    """A name server in a thread of its own: the page waits for its answer."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers, self.address = answers, ""
        self._ready, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        async with name_server(answers=self.answers) as server:
            self.address = server.address
            self._ready.set()
            await asyncio.to_thread(self._over.wait)

    def __enter__(self) -> "Served":
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_: Any) -> None:
        self._over.set()
        self._thread.join(10)


def test_CO_18_CO_69_the_tenant_keeps_MNP_connections_sees_what_came_of_them_and_tries_a_number(
    owner: Any, reseller: Any
) -> None:
    from relais.records.connections.models import MnpConnection
    from relais.records.traffic.models import GatewayBeat

    listed = owner.get(URL).context["list"]
    assert [header.label for header in listed.headers] == [
        "ID", "Name", "Enabled", "Provider type", "Address", "Companies", "Timeout, ms", "Lifetime of answers, s",
    ]  # fmt: skip
    assert reseller.get(URL).status_code == 403
    assert "MNP connections" not in reseller.get("/bo/companies/").content.decode()
    assert reseller.post(f"{URL}new/", new(None)).status_code == 403 and MnpConnection.objects.count() == 1
    with Served({NUMBER: r"tel:\1;mcc=214;mnc=01", "34600000000": "mcc=1"}) as server:
        values = new(None) | {"name": "Carrier", "address": server.address, "timeout_ms": "300"}
        assert owner.post(f"{URL}new/", values).status_code == 302
        made = MnpConnection.objects.get(name="Carrier")
        assert (made.lifetimes, made.mcc_path) == ({"ES": 600}, "mcc")

        def tried(number: str) -> str:
            answer = owner.post(f"{URL}{made.pk}/do/look-up/", {"number": number})
            assert answer.status_code == 302, answer.content.decode()
            return str(owner.get(f"{URL}{made.pk}/").content.decode())

        assert "address is not public" in tried(NUMBER)
        with override_settings(CALLBACKS_ALLOW_PRIVATE=True):
            assert "Served by Vodafone" in tried(f"+{NUMBER}")
            assert "the number range counts" in tried("34611111111")
            assert "No answer that can be used" in tried("34600000000")
            wrong = owner.post(f"{URL}{made.pk}/do/look-up/", {"number": "12"})
            assert wrong.status_code == 409 and "international form" in wrong.content.decode()
    assert "No gateway has asked it" in owner.get(f"{URL}{made.pk}/").content.decode()
    told = {"answered": 4, "asked_ms": 48, "from_memory": 7, "failed": 5, "left_alone": 9, "resting": True,
            "last_error": "no answer within 300 ms", "last_error_at": "2026-01-02T03:04:05+00:00"}  # fmt: skip
    GatewayBeat.objects.create(at=datetime.now(UTC), gateway=uuid4(), events={}, beat={"mnp": {str(made.pk): told}})
    shown = owner.get(f"{URL}{made.pk}/").content.decode()
    for words in ("in 12 ms on average", "no answer within 300 ms", "left alone for a while", "02.01.2026"):
        assert words in shown, words


def test_CO_70_the_page_of_a_message_says_where_its_operator_came_from(reseller: Any) -> None:
    from relais.records.catalog.models import Network

    vodafone, other = Network.objects.get(codes__mccmnc="21401"), Network.objects.get(codes__mccmnc="21422")
    for result, mccmnc, served, said in (
        (1, "21422", other, ("Served by", other.name, "21422", "the number range is of Vodafone", "Answered", "12 ms")),
        (2, "21401", vodafone, ("as its number range says", "From memory")),
        (3, None, vodafone, ("The number range counts", "No answer")),
    ):
        message_id = put_message(network_id=served.pk)
        put("traffic_lookup", message_id=message_id, connection_id=1, result=result, mccmnc=mccmnc, took_ms=12,
            range_network_id=vodafone.pk)  # fmt: skip
        page = reseller.get(f"/bo/messages/{message_id}/").content.decode()
        assert "Operator looked up" in page and "DEFAULT" not in page, "whom the tenant asks is its own affair"
        for words in said:
            assert words in page, words
    assert "Operator looked up" not in reseller.get(f"/bo/messages/{put_message()}/").content.decode()
