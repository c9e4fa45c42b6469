"""Reselling as people set it up, page by page: the System owner makes a reseller, that one a sub-reseller, that one a client, who
sends a message that is charged at three levels.

Scenario A and B of the guide (RSL-7 to RSL-35), twice over. What they need and the product has no pages for yet: portals (A7, A8,
B1, and the log-in of the client's user in B13), and the constructor of rates (B4), which come out of a file here. The test
account of B3 is made by the same steps as the client of B6 to B12.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from tests.browser import answers, chromium
from tests.conftest import SECRET_KEY
from tests.story.conftest import House, stop
from tests.story.desk import OWNER, Desk

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TO = "34600123456"  # of Vodafone Spain
SENDER = "NovaFilms"
RATES = """
services:
  - name: {service}
    company: {seller}
    type: pay_as_you_go
    currency: EUR
    scopes:
      - effective_from: "2025-01-01T00:00:00Z"
        rates:
          - domain: sms_messaging
            resources:
              - {{resource: sms_message, billing_rule: submitted, quantity_rule: segments, price: "{price}"}}
"""


@dataclass(frozen=True)
class Buyer:
    """A company that the level above makes, and what it buys: a service under an agreement."""

    company: str
    entity: str
    code: str
    service: str
    own_account: str  # of the seller
    paid: str

    @property
    def log_in(self) -> tuple[str, str]:
        return self.code.lower(), f"{self.company.split()[0]}-2025"


RESELLER = Buyer("Meridian Telecom", "Meridian SA", "MD-1", "SMS wholesale", "Owner EUR", "100.00")  # 0.03 a message
SUB_RESELLER = Buyer("Costa Mensajes", "Costa SL", "CO-1", "Meridian SMS", "Meridian EUR", "50.00")
CLIENT = Buyer("Nova Films", "NF SL", "NF-1", "Costa SMS", "Costa EUR", "25.00")
PRICES = {"Meridian SMS": "0.036", "Costa SMS": "0.05"}


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


@pytest.mark.timeout(600)
def test_RSL_7_to_35_two_levels_of_resellers_are_set_up_and_a_message_is_charged_at_three(
    house: House, running: str
) -> None:
    """RSL-7, RSL-8, RSL-9, RSL-10, RSL-12, RSL-13, RSL-14, RSL-17, RSL-18, RSL-20; RSL-22, RSL-23, RSL-24, RSL-25, RSL-26,
    RSL-27, RSL-28, RSL-29, RSL-30, RSL-31, RSL-32, RSL-33, RSL-34; of RSL-35 the message and its charges. RSL-1, RSL-2, RSL-5,
    RSL-38, USR-51."""
    with chromium() as browser:
        owner = arrive(browser, running, OWNER)
        add_carrier(owner, house.simulator_port)
        make_reseller(owner, RESELLER)
        add_sender(owner, RESELLER)

        reseller = arrive_first(browser, running, RESELLER)
        see_what_was_made(reseller, RESELLER)
        begin_to_sell(house, reseller, RESELLER, SUB_RESELLER)
        make_reseller(reseller, SUB_RESELLER)
        hand_down_sender(reseller, SUB_RESELLER)

        sub_reseller = arrive_first(browser, running, SUB_RESELLER)
        see_what_was_made(sub_reseller, SUB_RESELLER)
        begin_to_sell(house, sub_reseller, SUB_RESELLER, CLIENT)
        make_buyer(sub_reseller, CLIENT)
        hand_down_sender(sub_reseller, CLIENT)
        add_portal_user(sub_reseller, CLIENT)
        key = add_api_key(sub_reseller, CLIENT)

        message_id = send(house, key)
        see_message(sub_reseller, message_id)
        see_charges(reseller, {SUB_RESELLER: "0.0360", RESELLER: "0.0300"})
        see_charges(owner, {RESELLER: "0.0300"})
        see_balance(sub_reseller, CLIENT, "24.95")
        see_balance(sub_reseller, SUB_RESELLER, "49.96")
        see_balance(reseller, RESELLER, "99.97")
        assert owner.troubles == reseller.troubles == sub_reseller.troubles == []
    verified = house.relais("verify")
    assert verified.returncode == 0, verified.stdout


def arrive(browser: "Browser", url: str, who: tuple[str, str]) -> Desk:
    desk = Desk.in_new_browser(browser, url)
    desk.log_in(who)
    return desk


def arrive_first(browser: "Browser", url: str, who: Buyer) -> Desk:
    """With the password that the level above has set, which is to be changed."""
    desk = arrive(browser, url, who.log_in)
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
    for name in ("New password", "Confirm password"):
        desk.page.get_by_role("textbox", name=name).fill(f"{who.entity}-own-2025")
    desk.page.get_by_role("button", name="Save and go on").click()
    expect(desk.page.get_by_label("Main navigation")).to_be_visible()
    return desk


def add_carrier(desk: Desk, port: int) -> None:
    desk.open_list("Vendors SMPP connections")
    desk.open_new("vendor SMPP connection")
    desk.fill(Name="Carrier", Host_name="127.0.0.1", Port=str(port), System_ID="relais", Password="secret")
    desk.add("Carrier")


def make_reseller(desk: Desk, buyer: Buyer) -> None:
    """A1 to A6 and A9."""
    make_buyer(desk, buyer, kind="Reseller")
    desk.open_list("Legal entities")
    desk.open_record(buyer.entity)
    desk.drawer.get_by_role("link", name="Add reselling agreement").click()
    desk.see_title("Add Reselling agreement")
    desk.choose("Agreement", buyer.code)
    desk.fill(Effective_from="21.11.2023, 00:00:00")
    desk.add("")

    desk.open_list("BackOffice users")
    desk.open_new("user")
    fill_person(desk, buyer)
    desk.choose("Role", "Admin")
    desk.add(buyer.log_in[0])


def make_buyer(desk: Desk, buyer: Buyer, kind: str = "Client") -> None:
    """Company, legal entity, agreement, enabled service, payment: A1 to A3, A5 and A9, or B6 to B10."""
    desk.open_list("Companies")
    desk.open_new("company")
    desk.fill(Company=buyer.company)
    desk.choose("Type", kind)
    if buyer is RESELLER:
        desk.field("Creator of resellers").check()
    desk.add(buyer.company)
    is_reseller = "true" if kind == "Reseller" else "false"
    expect(desk.row(buyer.company).locator("td", has_text=re.compile(f"^{is_reseller}$")).first).to_be_visible()

    desk.open_list("Legal entities")
    desk.open_new("legal entity")
    desk.fill(Name=buyer.entity)
    desk.choose("Company", buyer.company)
    desk.fill(Legal_company_name=f"{buyer.company} SL")
    desk.choose("Country", "Spain")
    desk.add(buyer.entity)

    desk.open_list("Agreements")
    desk.open_new("agreement")
    desk.choose("Company", buyer.company)
    desk.choose("Legal entity", buyer.entity)
    desk.choose("Own bank account", buyer.own_account)
    desk.fill(Agreement_code=buyer.code, Credit_limit="0")
    desk.choose("Currency", "EUR")
    desk.fill(Effective_from="01.01.2025, 00:00:00")
    desk.add(buyer.code)

    desk.open_list("Enabled services")
    desk.open_new("enabled service")
    desk.choose("Service", buyer.service)
    desk.choose("Agreement", buyer.code)
    desk.add("")

    desk.open_list("Payments")
    desk.open_new("payment")
    desk.choose("Company", buyer.company)
    desk.choose("Agreement", buyer.code)
    desk.fill(Reference_code=f"{buyer.code} first", Payment_amount=buyer.paid)
    desk.choose("Currency of payment", "EUR")
    desk.field("Payment confirmed").check()
    desk.add(f"{buyer.code} first")


def fill_person(desk: Desk, buyer: Buyer) -> None:
    login, password = buyer.log_in
    desk.choose("Company", buyer.company)
    desk.fill(Login=login, Password=password, First_name="Ana", Last_name=buyer.company.split()[0])
    desk.field("Re-type password").fill(password)
    desk.field("E-mail").fill(f"{login}@example.com")


def add_sender(desk: Desk, buyer: Buyer) -> None:
    """A10: with the owner's connection, which no level below sees."""
    desk.open_list("Sender IDs")
    desk.open_new("sender ID")
    desk.fill(Sender_ID=SENDER, Name="Nova Films")
    desk.choose("Company", buyer.company)
    desk.choose("Agreement", buyer.code)
    desk.choose("Status", "Active")
    desk.choose("Connection", "Carrier")
    desk.add(SENDER)


def hand_down_sender(desk: Desk, buyer: Buyer) -> None:
    """A10 of the next level, B11 and B13: another company uses it, under its own agreement."""
    desk.open_list("Sender IDs")
    desk.open_record(SENDER)
    desk.drawer.get_by_role("link", name="Edit").click()
    desk.see_title("Edit Sender ID")
    assert "Carrier" not in desk.drawer.inner_text()
    desk.choose("Company", buyer.company)
    desk.choose("Agreement", buyer.code)
    desk.save()
    desk.see_toast(f"{SENDER} saved")
    desk.close()
    expect(desk.row(SENDER)).to_contain_text(buyer.company)


def see_what_was_made(desk: Desk, buyer: Buyer) -> None:
    """B0, B2 and B5, and that nothing of the level above is there (A6)."""
    desk.open_list("Own legal entities")
    expect(desk.rows).to_have_count(1)
    expect(desk.row(buyer.entity)).to_be_visible()
    desk.open_list("Sender IDs")
    expect(desk.rows).to_have_count(1)
    expect(desk.row(SENDER)).to_contain_text(buyer.company)
    desk.open_list("Companies")
    expect(desk.rows).to_have_count(0)


def begin_to_sell(house: House, desk: Desk, seller: Buyer, buyer: Buyer) -> None:
    """An account that buyers pay into, and the service that they are to have (B4) with its one price."""
    desk.open_list("Own bank accounts")
    desk.open_new("own bank account")
    desk.fill(Name=buyer.own_account, Account_holder=seller.company, Account_number=f"{seller.code} 0001")
    desk.choose("Legal entity", seller.entity)
    desk.choose("Parent bank", "Iberian")
    desk.add(buyer.own_account)

    desk.open_list("Services")
    desk.open_new("service")
    desk.fill(Name=buyer.service)
    desk.choose("Type", "Pay-as-you-go")
    desk.choose("Currency", "EUR")
    desk.save()
    expect(desk.page.get_by_role("heading", level=1)).to_have_text(buyer.service)
    file = house.folder / "rates.yaml"
    text = RATES.format(service=buyer.service, seller=seller.company, price=PRICES[buyer.service])
    file.write_text(text, encoding="utf-8")
    applied = house.relais("apply", str(file))
    assert applied.returncode == 0, applied.stderr


def add_portal_user(desk: Desk, buyer: Buyer) -> None:
    """B12; into a department that is made on the way."""
    desk.open_list("Client portal users")
    desk.open_new("client portal user")
    fill_person(desk, buyer)
    desk.create("Department", "Box office")
    desk.choose("Role", "Admin")
    desk.add(buyer.log_in[0])
    desk.open_list("Departments")
    expect(desk.row("Box office")).to_contain_text(buyer.company)


def add_api_key(desk: Desk, buyer: Buyer) -> str:
    desk.open_list("API keys")
    desk.open_new("API key")
    desk.fill(Name="Cinema tickets")
    desk.choose("Company", buyer.company)
    desk.save()
    key = desk.drawer.locator("#api-key").inner_text()
    assert key.startswith("rk_")
    desk.page.reload()
    expect(desk.drawer).to_be_visible()
    assert key not in desk.page.content(), "a key is shown once"
    desk.close()
    return key


def send(house: House, key: str) -> str:
    """The id of a message that has reached its recipient, as the client is told."""
    accepted: list[dict[str, Any]] = []

    def is_taken() -> bool:  # once the gateway knows of what was made just now
        status, told = house.post({"from": SENDER, "to": TO, "text": "Your seats: row 7, 12 and 13"}, api_key=key)
        accepted.extend([told] if status < 300 else [])
        return bool(accepted)

    house.until(is_taken)
    message_id = str(accepted[0]["id"])
    house.until(lambda: house.get(f"/api/v1/messages/{message_id}", key)["status"] == "delivered")
    return message_id


def see_message(desk: Desk, message_id: str) -> None:
    """As the client's own seller: the message, what the client pays for it and what itself."""
    desk.open_list("Messages")
    expect(desk.rows).to_have_count(1)
    expect(desk.row(TO)).to_contain_text(SENDER)
    desk.row(TO).locator("[data-record]").click()
    desk.page.wait_for_url(re.compile(rf"/bo/messages/{message_id}/$"))
    expect(desk.page.locator(".page-h .st")).to_have_text("Delivered")
    charges = desk.page.locator("[aria-labelledby=charges] tbody tr")
    expect(charges).to_have_count(2)
    expect(charges.filter(has_text=CLIENT.code).locator("td.m2")).to_contain_text("0.05")
    expect(charges.filter(has_text=SUB_RESELLER.code).locator("td.m2")).to_contain_text("0.036")


def see_charges(desk: Desk, amounts: dict[Buyer, str]) -> None:
    """From further up: no message, and the charges of the levels that this one sells and buys at."""
    desk.open_list("Messages")
    expect(desk.rows).to_have_count(0)
    desk.open_list("EDRs")
    expect(desk.rows).to_have_count(len(amounts))
    for buyer, amount in amounts.items():
        expect(desk.row(buyer.code)).to_contain_text(amount)


def see_balance(desk: Desk, buyer: Buyer, left: str) -> None:
    desk.open_list("Agreements")
    desk.open_record(buyer.code)
    expect(desk.drawer.locator(".kpi", has_text="Balance").locator("b")).to_contain_text(left)
    expect(desk.drawer.locator(".kpi", has_text="Reserved").locator("b")).to_contain_text("0.00")
    desk.close()
