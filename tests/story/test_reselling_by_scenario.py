"""A chain of three levels out of a scenario file: what a message costs at each, what stops it, and who sees what of it.

The levels are those of `scenarios/reselling.yaml`: the client Cine Lumen buys from the sub-reseller Costa Mensajes, that one
from the reseller Meridian Telecom, that one from the System owner. Every test leaves the chain as it was, but for its messages.
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from tests.conftest import PROJECT, SECRET_KEY, new_database
from tests.pages.conformance import SCRIPTED, by_session, csv_of, entity_names, reader_of
from tests.pages.conftest import pages_on
from tests.story.conftest import House, new_house, stop

SCENARIO = PROJECT / "scenarios" / "reselling.yaml"
KEY = "rk_test_cine_lumen"
SPAIN, ITALY, RUSSIA = "34600123456", "393471234567", "79031234567"
OWNER, MERIDIAN, COSTA = "owner", "meridian", "costa"
TEXT = "Row 7, seats 12 and 13"
DICTIONARIES = {"countries", "networks", "network-codes", "number-prefixes"}


@dataclass
class Chain:
    """The product with that scenario, and a simulated carrier."""

    house: House
    scenario: Path

    def apply(self, text: str) -> None:
        from relais.records.apply import apply_file

        part = self.house.folder / "part.yaml"
        part.write_text(text, encoding="utf-8")
        apply_file(part)

    def post(self, to: str) -> tuple[int, dict[str, Any]]:
        return self.house.post({"from": "CineLumen", "to": to, "text": TEXT}, api_key=KEY)

    def refusal(self, to: str) -> dict[str, Any]:
        """Of a message that must be refused: the problem, as the client is told."""
        status, told = self.post(to)
        assert status >= 400, told
        return told

    def deliver(self, to: str) -> str:
        """The id of a message that has reached its recipient."""
        status, told = self.post(to)
        assert status < 300, told
        path = f"/api/v1/messages/{told['id']}"
        self.house.until(lambda: self.house.get(path, KEY)["status"] == "delivered")
        return str(told["id"])

    def until_known(self, code: str) -> None:
        """Until the gateway knows of a change: what is asked of it is a message that the carrier's rates block, so that none is
        sent or charged on the way."""
        self.house.until(lambda: self.refusal(RUSSIA)["code"] == code)


@pytest.fixture(scope="module")
def chain(server_dsn: str, spain_template: str) -> Iterator[Chain]:
    """Beside the Spain scenario, whose reseller Hornes and Hooves is another one of the System owner's."""
    with new_database(server_dsn, spain_template) as dsn, new_house() as house, pages_on(dsn):
        house.environment |= {"RELAIS_DATABASE_URL": dsn, "RELAIS_SECRET_KEY": SECRET_KEY}
        scenario = house.folder / "reselling.yaml"
        text = SCENARIO.read_text(encoding="utf-8").replace("port: 2776", f"port: {house.simulator_port}")
        scenario.write_text(text, encoding="utf-8")
        applied = house.relais("apply", str(scenario))
        assert applied.returncode == 0, applied.stderr
        processes = [house.start("simulate", "smsc"), house.start("gateway")]
        try:
            made = Chain(house, scenario)
            made.until_known("destination_blocked")
            yield made
        finally:
            for process in processes:
                stop(process)


def money() -> dict[str, tuple[int, int]]:
    """Agreement code → (balance, reserved) of the chain, in micros of the agreement's own currency."""
    from relais.records.agreements.models import Balance

    chain = ("MD-1", "CO-1", "CO-2", "CL-1")
    rows = Balance.objects.filter(agreement__agreement_code__in=chain).order_by("pk")
    return {row.agreement.agreement_code: (row.balance_micros, row.reserved_micros) for row in rows}


def paid(before: dict[str, tuple[int, int]]) -> dict[str, int]:
    """Agreement code → what was taken from its balance since, of those that were charged; nothing is reserved any more."""
    after = money()
    assert all(reserved_micros == 0 for _, reserved_micros in after.values())
    taken = {code: before[code][0] - balance_micros for code, (balance_micros, _) in after.items()}
    return {code: micros for code, micros in taken.items() if micros}


def test_the_scenario_applied_again_changes_nothing(chain: Chain) -> None:
    again = chain.house.relais("apply", str(chain.scenario))
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == "unchanged", again.stdout


def test_RSL_42_RSL_47_a_message_is_charged_at_each_level_in_its_own_currency(chain: Chain) -> None:
    """RSL-35, RSL-2: the client pays 0.05 EUR and 21 % tax, Costa 0.04 EUR, Meridian 0.033 USD. RSL-44: by the agreement that
    is linked with the seller's own legal entity."""
    before = money()
    message_id = chain.deliver(SPAIN)
    assert paid(before) == {"CL-1": 60_500, "CO-1": 40_000, "MD-1": 33_000}
    charged = {login: charges_seen_by(login, message_id) for login in (COSTA, MERIDIAN, OWNER)}
    assert charged == {
        COSTA: [("CL-1", "0.0605"), ("CO-1", "0.0400")],
        MERIDIAN: [("CO-1", "0.0400"), ("MD-1", "0.0330")],
        OWNER: [("MD-1", "0.0330")],
    }


def charges_seen_by(login: str, message_id: str) -> list[tuple[str, str]]:
    """Agreement and amount of the message's EDRs in that person's list, the client's level first."""
    heads, *lines = csv_of(by_session(login), f"/bo/edrs/csv/?q={message_id}&columns=all")
    rows = [dict(zip(heads, line, strict=True)) for line in lines]
    return [(row["Agreement"], row["Amount"]) for row in sorted(rows, key=lambda row: int(row["Level"]))]


def test_RSL_45_the_first_link_with_a_rate_is_charged_and_RSL_46_a_level_may_sell_below_its_price(chain: Chain) -> None:
    """CO-1 knows no rate for Italy, CO-2 does. Costa sells it for 0.03 EUR and pays 0.045."""
    before = money()
    chain.deliver(ITALY)
    assert paid(before) == {"CL-1": 36_300, "CO-2": 45_000, "MD-1": 35_000}


def without_money(code: str) -> tuple[str, str]:
    """What takes all but a cent or two from an agreement; and what pays it back."""
    cents = money()[code][0] // 10_000 - 1
    text = (
        "payments: [{{agreement: {code}, payment_date: 2025-06-01, reference_code: {reference}, direction: {direction},"
        ' payment_amount: "{amount}", payment_confirmed: true}}]'
    )
    amount = f"{cents // 100}.{cents % 100:02}"
    return (
        text.format(code=code, reference=f"{code} out", direction="outbound", amount=amount),
        text.format(code=code, reference=f"{code} in", direction="inbound", amount=amount),
    )


def test_RSL_42_RSL_43_whichever_level_lacks_money_the_client_is_told_the_same(chain: Chain) -> None:
    """RSL-45: although CO-2 has a rate for Spain and money, a CO-1 without money stops the message. The reseller whose balance
    it is sees it in its list of agreements; the client sees its own, which covers the message."""
    told = []
    for code in ("CL-1", "CO-1", "MD-1"):
        empty, full = without_money(code)
        chain.apply(empty)
        before = money()
        told.append({key: value for key, value in chain.refusal(SPAIN).items() if key != "request_id"})
        assert money() == before, code
        if code == "CO-1":
            assert chain.house.get("/api/v1/balance", KEY)["balances"][0]["available"] > "19"
            heads, *lines = csv_of(by_session(COSTA), "/bo/agreements/csv/?columns=all")
            rows = [dict(zip(heads, line, strict=True)) for line in lines]
            [balance] = [row["Balance"] for row in rows if row["Agreement code"] == "CO-1"]
            assert Decimal(balance) < Decimal("0.02")
        chain.apply(full)
    assert told[0]["code"] == "balance_too_low"
    assert told[0] == told[1] == told[2]
    assert not any(name in str(told) for name in ("Costa", "Meridian", "CO-1", "MD-1"))


TREE = (
    "services: [{{name: Carrier rates, company: System owner, type: pay_as_you_go, currency: USD, scopes: [{{effective_from: "
    '"2025-01-01T00:00:00Z", rates: [{{domain: sms_messaging, resources: [{{resource: sms_message, billing_rule: submitted,'
    " quantity_rule: segments, by: country, rates: {value}}}]}}]}}]}}]"
)
WHOLE_TREE = '[{is: ES, price: "0.033"}, {is: RU, price_type: blocked}, {is: others, price: "0.035"}]'
SINCE = 'effective_from: "2025-01-01T00:00:00Z", effective_till: {value}'

# What stops at which level: a scenario with the value that breaks it (NOW: the instant of the test) and the one that mends it,
# and the client's answer.
NOW = "now"
STOPS = {
    "RSL_42_no_rate_at_the_top": (TREE, '[{is: IT, price: "0.035"}]', WHOLE_TREE, "rate_not_found"),
    "RSL_42_no_enabled_service_of_the_reseller": (
        f"enabled_services: [{{{{agreement: MD-1, service: Carrier rates, {SINCE}}}}}]", NOW, "null", "rate_not_found",
    ),
    "RSL_44_no_reselling_agreement_of_the_reseller": (
        f"reselling_agreements: [{{{{legal_entity: Meridian SA, agreement: MD-1, {SINCE}}}}}]", NOW, "null",
        "provider_unavailable",
    ),
    "RSL_48_the_reseller_is_blocked": (
        "companies: [{{name: Meridian Telecom, enabled: {value}}}]", "false", "true", "provider_unavailable",
    ),
}  # fmt: skip


@pytest.mark.parametrize("stop_key", STOPS)
def test_what_is_missing_above_stops_the_client_and_charges_nothing(chain: Chain, stop_key: str) -> None:
    """RSL-42, RSL-44, RSL-48. RSL-3: what is not enabled for the reseller it cannot sell."""
    text, broken, whole, code = STOPS[stop_key]
    broken = f'"{datetime.now(UTC).isoformat()}"' if broken == NOW else broken
    before = money()
    with changed(chain, text.format(value=broken), text.format(value=whole), code):
        told = chain.refusal(SPAIN)
    assert told["code"] == code and "Meridian" not in str(told)
    assert money() == before
    chain.deliver(SPAIN)


VERSIONS = (
    "agreements: [{{agreement_code: MD-1, company: Meridian Telecom, legal_entity: Meridian SA,"
    " own_legal_entity: System owner LE, own_bank_account: Owner EUR, agreement_date: 2025-01-01, currency: USD,"
    " versions: [{{effective_from: {start}, effective_till: {end}, credit_limit: '0.00', billing_timezone: Europe/Lisbon,"
    " billing_period: monthly, days_for_payment: 14}}]}}]"
)


def test_RSL_48_an_agreement_that_is_over_stops_everybody_below(chain: Chain) -> None:
    """What has ended stays ended: the next version takes it on."""
    before, end = money(), f'"{(datetime.now(UTC) + timedelta(seconds=2)).isoformat()}"'
    over = VERSIONS.format(start='"2025-01-01T00:00:00Z"', end=end)
    with changed(chain, over, VERSIONS.format(start=end, end="null"), "provider_unavailable"):
        assert chain.refusal(SPAIN)["code"] == "provider_unavailable"
    assert money() == before


@contextmanager
def changed(chain: Chain, text: str, back: str, code: str) -> Iterator[None]:
    """Inside the block the gateway works with `text` and refuses with `code`; after it with `back` again."""
    chain.apply(text)
    try:
        chain.until_known(code)
        yield
    finally:
        chain.apply(back)
    chain.until_known("destination_blocked")


def test_RSL_48_an_archived_service_stops_those_who_buy_it(chain: Chain) -> None:
    from relais.records.catalog.models import Service

    costa, before = by_session(COSTA), money()
    url = f"/bo/services/{Service.objects.get(name='Tickets').pk}"
    assert costa.post(f"{url}/do/archive/", {"name": "Tickets"}).status_code == 302
    chain.until_known("rate_not_found")
    assert chain.refusal(SPAIN)["code"] == "rate_not_found"
    assert costa.post(f"{url}/do/unarchive/").status_code == 302
    chain.until_known("destination_blocked")
    assert money() == before


def test_RSL_49_a_reseller_with_companies_below_stays_one_and_is_not_deleted(chain: Chain) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.models import Company

    company = Company.objects.get(name="Costa Mensajes")
    with pytest.raises(Invalid, match="cannot become client while the company has clients"):
        chain.apply("companies: [{name: Costa Mensajes, parent: Meridian Telecom, type: client}]")
    answer = by_session(MERIDIAN).post(f"/bo/companies/{company.pk}/delete/", headers=SCRIPTED)
    assert answer.status_code == 409 and "1 company below it" in answer.content.decode()
    company.refresh_from_db()
    assert company.type == "reseller"


def test_RSL_50_no_company_comes_below_itself(chain: Chain) -> None:
    """Where a company stands is a part of its key: the file names another one, which its parent's level refuses (RSL-6)."""
    from relais.records.errors import Invalid
    from relais.records.parties.models import Company

    with pytest.raises(Invalid, match="Costa Mensajes may not create resellers"):
        chain.apply("companies: [{name: Meridian Telecom, parent: Costa Mensajes, type: reseller}]")
    assert Company.objects.get(name="Meridian Telecom").parent.parent is None


def test_RSL_54_the_owner_of_a_sender_id_takes_it_back_from_all_below_while_they_send(chain: Chain) -> None:
    """A message is accepted, charged and delivered, or refused and charged nowhere. RSL-18, RSL-34: given again, it sends."""
    from relais.records.agreements.models import Agreement
    from relais.records.people.models import AuditAction
    from relais.records.senders.actions.save_sender_id import save_sender_id
    from relais.records.senders.models import Handover, SenderId

    seen = {}
    for login in (OWNER, MERIDIAN, COSTA):
        heads, *lines = csv_of(by_session(login), "/bo/handed-down-sender-ids/csv/?columns=all")
        rows = [dict(zip(heads, line, strict=True)) for line in lines]
        seen[login] = [row["Company"] for row in rows if row["Sender ID"] == "CineLumen"]
    assert seen == {OWNER: ["Meridian Telecom"], MERIDIAN: ["Costa Mensajes"], COSTA: ["Cine Lumen"]}
    sender = SenderId.objects.get(sender_id="CineLumen")
    step = Handover.objects.get(sender=sender, given_by__parent=None)
    url = f"/bo/handed-down-sender-ids/{step.pk}"
    assert by_session(MERIDIAN).post(f"{url}/do/withdraw/").status_code == 404

    before, going = money(), Event()

    def send_until_refused() -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = []
        while not told or "code" not in told[-1]:
            told.append(chain.post(SPAIN)[1])
            going.set()
        return told

    with ThreadPoolExecutor(2) as threads:
        senders = [threads.submit(send_until_refused) for _ in range(2)]
        going.wait()
        assert "from all below it" in by_session(OWNER).get(f"{url}/do/withdraw/", headers=SCRIPTED).content.decode()
        assert by_session(OWNER).post(f"{url}/do/withdraw/").headers["Location"] == "/bo/handed-down-sender-ids/"
        told = [answer for one in senders for answer in one.result()]
    accepted = [answer["id"] for answer in told if "id" in answer]
    assert accepted and [answer["code"] for answer in told if "code" in answer] == ["sender_unknown"] * 2
    for message_id in accepted:
        path = f"/api/v1/messages/{message_id}"
        chain.house.until(lambda path=path: chain.house.get(path, KEY)["status"] == "delivered")
    each = {"CL-1": 60_500, "CO-1": 40_000, "MD-1": 33_000}
    assert paid(before) == {code: micros * len(accepted) for code, micros in each.items()}

    sender.refresh_from_db()
    assert (sender.company.name, sender.agreement) == ("System owner", None)
    assert not Handover.objects.filter(sender=sender).exists()
    action = AuditAction.objects.latest("pk")
    lines = Counter(action.lines.values_list("table", flat=True))
    assert action.user_name.endswith("(owner)"), action.action
    assert lines == {"senders_handover": 3, "senders_senderid": 3}, "a step of its way for each level"
    for login in (MERIDIAN, COSTA):
        assert by_session(login).get(f"/bo/sender-ids/{sender.pk}/").status_code == 404
    for code in ("MD-1", "CO-1", "CL-1"):  # handed down again, a level at a time
        sender.agreement = Agreement.objects.get(agreement_code=code)
        sender.company = sender.agreement.company
        save_sender_id(sender, datetime.now(UTC))
    chain.until_known("destination_blocked")
    chain.deliver(SPAIN)


def lists_of(login: str) -> str:
    """Every list of the site as that person sees it, page and file with all columns; without the dictionaries, which are
    everybody's."""
    client, found = by_session(login), []
    for name in set(entity_names()) - DICTIONARIES:
        answer = client.get(f"/bo/{name}/csv/?columns=all")
        if answer.status_code == 403 and reader_of(name) == "owner":
            continue  # the tenant's alone
        assert answer.status_code == 200, name
        found.append(b"".join(answer.streaming_content).decode("utf-8-sig"))
        found.append(client.get(f"/bo/{name}/").content.decode())
    return "\n".join(found)


def test_RSL_52_a_tenant_sees_of_its_resellers_clients_the_charges_of_its_own_level_alone(chain: Chain) -> None:
    """USR-69, RSL-56: with No restrictions as with the role Admin, on every list and on the records themselves. The sender ID
    CineLumen itself each of them knows, who has handed it down (RSL-54)."""
    from relais.records.agreements.models import Agreement
    from relais.records.parties.models import Company
    from relais.records.people.models import User
    from relais.records.senders.models import SenderId

    message_id = chain.deliver(SPAIN)
    client = Company.objects.get(name="Cine Lumen")
    of_client = {
        "companies": client.pk,
        "agreements": Agreement.objects.get(agreement_code="CL-1").pk,
        "sender-ids": SenderId.objects.get(sender_id="CineLumen").pk,
        "portal-users": User.objects.get(login="lumen").pk,
        "messages": message_id,
    }
    hidden = {
        MERIDIAN: ("Cine Lumen", "Lumen SL", "CL-1", "CL-0001", "Tickets", "Box office", TEXT),
        OWNER: ("Cine Lumen", "Costa Mensajes", "Costa SL", "CO-1", "CO-0001", "Reseller desk", "Tickets", TEXT),
    }  # fmt: skip
    for login, words in hidden.items():
        lists = lists_of(login)
        assert [word for word in words if word in lists] == [], login
        visitor = by_session(login)
        for name, key in of_client.items():
            assert visitor.get(f"/bo/{name}/{key}/").status_code == 404, (login, name)
        edr = visitor.get(f"/bo/edrs/{message_id}/").content.decode()
        assert [word for word in words if word in edr] == [], login
    assert by_session(COSTA).get(f"/bo/messages/{message_id}/").status_code == 200


def test_RSL_51_a_reseller_reads_what_it_buys_under_and_changes_nothing_of_it(chain: Chain) -> None:
    """And of the tenant's (GEN-15) other clients and vendors it sees nothing. RSL-22: the legal entity is its own."""
    from relais.records.agreements.models import Agreement
    from relais.records.billing.models import Payment
    from relais.records.catalog.models import EnabledService

    agreement = Agreement.objects.get(agreement_code="MD-1")
    version = agreement.versions.latest("effective_from")
    visitor = by_session(MERIDIAN)
    balance = visitor.get(f"/bo/agreements/{agreement.pk}/", headers=SCRIPTED).content.decode()
    assert "MD-1" in balance and "USD" in balance
    bought = {
        "agreements": agreement.pk,
        "agreement-versions": version.pk,
        "payments": Payment.objects.get(reference_code="MD-0001").pk,
        "enabled-services": EnabledService.objects.get(agreement=agreement).pk,
    }
    before = Agreement.objects.values().get(pk=agreement.pk), list(agreement.versions.values()), money()
    for name, key in bought.items():
        for verb in ("edit", "delete"):
            assert visitor.post(f"/bo/{name}/{key}/{verb}/").status_code == 404, (name, verb)
    assert (Agreement.objects.values().get(pk=agreement.pk), list(agreement.versions.values()), money()) == before
    lists = lists_of(MERIDIAN)
    others = ("Hornes and Hooves", "HH-1", "Simulator", "Carrier,", "SMS wholesale")
    assert [word for word in others if word in lists] == []
    assert [row.label for row in visitor.get("/bo/own-legal-entities/").context["list"].table] == ["Meridian SA"]
    assert visitor.get("/bo/vendor-smpp-connections/").context["list"].table == []


def test_RSL_56_a_role_made_by_the_tenant_opens_its_lines_to_the_sub_resellers_people(chain: Chain) -> None:
    """ROLE-27: Meridian's role Reseller desk is for users of Costa; RSL-56: Admin is every line."""
    desk, admin = by_session("costa-desk"), by_session(COSTA)
    assert [row.label for row in desk.get("/bo/companies/").context["list"].table] == ["Cine Lumen"]
    assert desk.get("/bo/payments/").status_code == 403
    assert not desk.get("/bo/agreements/").context["list"].may_add
    refused = [name for name in entity_names() if admin.get(f"/bo/{name}/").status_code == 403]
    assert refused == [name for name in entity_names() if reader_of(name) == "owner"]


def test_after_all_that_the_books_agree(chain: Chain) -> None:
    verified = chain.house.relais("verify")
    assert verified.returncode == 0, verified.stdout
