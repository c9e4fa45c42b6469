"""A manager of the reseller makes a client from nothing; the client sends a message; the manager sees what it was charged."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect
from tests.browser import answers, chromium
from tests.conftest import SECRET_KEY
from tests.story.conftest import House, stop
from tests.story.desk import RESELLER, Desk

TO = "34600123456"  # of Vodafone Spain
PAID, PRICE, LEFT = "25.00", "0.04", "24.96"  # the price is that of the reseller's service


@pytest.fixture
def running(house: House, spain_db: str) -> Iterator[str]:
    """The product with a simulated carrier on a fresh Spain; the URL of its pages."""
    house.environment |= {"RELAIS_DATABASE_URL": spain_db, "RELAIS_SECRET_KEY": SECRET_KEY}
    url = f"http://127.0.0.1:{house.environment['RELAIS_WEB_PORT']}"
    simulator, up = house.start("simulate", "smsc"), house.start("up")
    try:
        house.until(lambda: "Running." in house.output("up"))
        house.until(lambda: answers(url))
        yield url
    finally:
        stop(up)
        stop(simulator)


@pytest.mark.timeout(300)
def test_a_client_made_from_nothing_sends_a_message_and_is_charged_for_it(house: House, running: str) -> None:
    with chromium() as browser:
        desk = Desk.in_new_browser(browser, running)
        desk.log_in(RESELLER)
        key = _make_client(desk, house.simulator_port)
        message_id = _send(house, key)
        _see_it_charged(desk, message_id)
        assert desk.troubles == []
    verified = house.relais("verify")
    assert verified.returncode == 0, verified.stdout


def _make_client(desk: Desk, carrier_port: int) -> str:
    """A way to a carrier, then company, legal entity, agreement, service, sender ID, payment and API key; the key."""
    desk.open_list("Vendors SMPP connections")
    desk.open_new("vendor SMPP connection")
    desk.fill(Name="Carrier", Host_name="127.0.0.1", Port=str(carrier_port), System_ID="relais", Password="secret")
    desk.add("Carrier")

    desk.open_list("Companies")
    desk.open_new("company")
    desk.fill(Company="Nova Films")
    desk.add("Nova Films")

    desk.open_list("Legal entities")
    desk.open_new("legal entity")
    desk.fill(Name="NF SL")
    desk.choose("Company", "Nova Films")
    desk.fill(Legal_company_name="Nova Films SL")
    desk.choose("Country", "Spain")
    desk.add("NF SL")

    desk.open_list("Agreements")
    desk.open_new("agreement")
    desk.choose("Company", "Nova Films")
    chosen = desk.drawer.locator(".ts-wrapper", has=desk.page.locator("[id^=id_legal_entity]"))
    expect(chosen.locator(".ts-control .item")).to_have_text("NF SL")  # the company's only one (LE-26)
    desk.choose("Own bank account", "HH EUR")
    desk.fill(Agreement_code="NF-1", Credit_limit="0")
    desk.choose("Currency", "EUR")
    desk.fill(Effective_from="01.01.2025, 00:00:00")
    desk.add("NF-1")

    desk.open_list("Enabled services")
    desk.open_new("enabled service")
    desk.choose("Service", "SMS service")
    desk.choose("Agreement", "NF-1")
    desk.add("")

    desk.open_list("Sender IDs")
    desk.open_new("sender ID")
    desk.fill(Sender_ID="NovaFilms", Name="Nova Films")
    desk.choose("Company", "Nova Films")
    desk.choose("Agreement", "NF-1")
    desk.choose("Status", "Active")
    desk.choose("Connection", "Carrier")
    desk.add("NovaFilms")

    desk.open_list("Payments")
    desk.open_new("payment")
    desk.choose("Company", "Nova Films")
    desk.choose("Agreement", "NF-1")
    desk.fill(Reference_code="NF-0001", Payment_amount=PAID)
    desk.choose("Currency of payment", "EUR")
    desk.field("Payment confirmed").check()
    desk.add("NF-0001")

    desk.open_list("API keys")
    desk.open_new("API key")
    desk.fill(Name="Cinema tickets")
    desk.choose("Company", "Nova Films")
    desk.save()
    key = desk.drawer.locator("#api-key").inner_text()
    assert key.startswith("rk_")
    desk.page.reload()
    expect(desk.drawer).to_be_visible()
    assert key not in desk.page.content(), "a key is shown once"
    desk.close()
    return key


def _send(house: House, key: str) -> str:
    """The id of a message that has reached its recipient, as the client is told."""
    body = json.dumps({"from": "NovaFilms", "to": TO, "text": "Your seats: row 7, 12 and 13"}).encode()
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def asked(path: str, sent: bytes | None = None) -> dict[str, Any]:
        request = urllib.request.Request(f"{house.api_url}/api/v1/{path}", sent, headers)
        with urllib.request.urlopen(request, timeout=15) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    ids: list[str] = []

    def is_taken() -> bool:  # once the gateway knows of what was made just now
        ids.append(asked("messages", body)["id"])
        return True

    house.until(is_taken)
    house.until(lambda: asked(f"messages/{ids[0]}")["status"] == "delivered")
    return ids[0]


def _see_it_charged(desk: Desk, message_id: str) -> None:
    desk.open_list("Messages")
    expect(desk.rows).to_have_count(1)
    expect(desk.row(TO)).to_contain_text("NovaFilms")
    desk.row(TO).locator("[data-record]").click()
    desk.page.wait_for_url(re.compile(rf"/bo/messages/{message_id}/$"))
    expect(desk.page.locator(".page-h .st")).to_have_text("Delivered")
    client = desk.page.locator("[aria-labelledby=charges] tbody tr", has_text="Nova Films")
    expect(client.locator("td.m2")).to_contain_text(PRICE)

    desk.open_list("Agreements")
    desk.open_record("NF-1")
    expect(desk.drawer.locator(".kpi", has_text="Balance").locator("b")).to_contain_text(LEFT)
    expect(desk.drawer.locator(".kpi", has_text="Reserved").locator("b")).to_contain_text("0.00")
