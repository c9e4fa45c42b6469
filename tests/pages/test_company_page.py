"""The page of a company: its head, figures, finance and assets."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.pages.test_companies import company, own_entity

NOW = datetime.now(tz=UTC)


def put(
    at: datetime, status: int, *, company_id: int, sender_id: int = 1, agreement_ids: Any = (1,), n: int = 0
) -> None:
    """A message accepted at `at`."""
    from django.db import connection

    row = {
        "id": UUID(int=(int(at.timestamp() * 1000) << 80) + n), "company_id": company_id, "api_key_id": 1,
        "sender_id": sender_id, "connection_id": 1, "validity_s": 60, "status": status, "channel": 1, "encoding": 0,
        "segments_count": 1, "delivered_rules": 0, "country": "ES", "source": "M", "destination": "34612345678",
        "body": "", "agreement_ids": list(agreement_ids), "node_ids": [1], "units": [1], "reserved_micros": [0],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO traffic_message ({', '.join(row)}) VALUES ({', '.join(['%s'] * len(row))})", [*row.values()]
        )


def page(client: Any, name: str, **query: Any) -> Any:
    answer = client.get(f"/bo/companies/{company(name).pk}/", query)
    assert answer.status_code == 200
    return answer


def test_CO_28_CO_29_CO_30_the_head_says_who_it_is_and_what_is_on(owner: Any) -> None:
    from relais.records.parties.models import Company

    Company.objects.filter(name="Hornes and Hooves").update(moderation=True)
    answer = page(owner, "Hornes and Hooves")
    assert answer.context["chips"] == ["Reseller", "Creator of resellers", "Moderation"]
    text = answer.content.decode()
    shown = company("Hornes and Hooves")
    assert f"ID {shown.pk} · Created {shown.created_at:%d.%m.%Y}" in text
    assert ">Enabled<" in text and 'href="/bo/companies/">Companies</a>' in text


def test_CO_51_CO_52_Edit_in_the_menu_opens_the_view_window_with_its_fields(reseller: Any) -> None:
    key = company("Telecom Monsters").pk
    assert f'hx-get="/bo/companies/{key}/"' in page(reseller, "Telecom Monsters").content.decode()
    window = reseller.get(f"/bo/companies/{key}/", headers={"HX-Request": "true", "HX-Target": "drawer"})
    labels = [item.label for section in window.context["drawer"].sections for item in section.items]
    assert labels[:5] == ["Company", "Enabled", "Own legal entity", "Description", "Type"]
    assert "<html" not in window.content.decode() and f"ID {key}" in window.content.decode()


def test_CO_18_MNP_stands_in_the_tenants_view_alone(owner: Any, reseller: Any) -> None:
    from relais.records.parties.models import Company

    Company.objects.update(mnp_requests=True, mnp_channels=["sms"])
    for client, name, shown in ((owner, "Hornes and Hooves", True), (reseller, "Telecom Monsters", False)):
        answer = page(client, name)
        titles = [section.title for section in answer.context["drawer"].sections]
        assert ("MNP" in titles, "MNP Requests" in answer.context["chips"]) == (shown, shown)


def test_CO_34_CO_71_overview_counts_by_channel_and_names_the_senders_that_sent_most(reseller: Any) -> None:
    from relais.core.lifecycle import State
    from relais.records.senders.models import SenderId

    client = company("Telecom Monsters")
    sender = SenderId.objects.get(company=client)
    states = [State.ACCEPTED, State.DELIVERED, State.READ, State.UNDELIVERED, State.CANCELED]
    for n, state in enumerate(states):
        put(NOW, state, company_id=client.pk, sender_id=sender.pk, n=n)
    answer = page(reseller, "Telecom Monsters", period="year")
    [line] = answer.context["channels"]
    assert (line.label, line.sent, line.delivered, line.failed, line.received) == ("SMS", "4", "2", "1", "0")
    assert [(each.sender_id, sent) for each, sent in answer.context["senders"]] == [("Monsters", "4")]
    assert "No chatbot held a conversation in this period." in answer.content.decode()


def test_CO_71_at_most_ten_senders_stand_there(reseller: Any) -> None:
    from relais.records.senders.models import SenderId

    client = company("Telecom Monsters")
    made = [SenderId.objects.create(company=client, sender_id=f"S{n}", name=f"S{n}") for n in range(12)]
    for n, sender in enumerate(made):
        for again in range(n + 1):
            put(NOW, 1, company_id=client.pk, sender_id=sender.pk, n=n * 100 + again)
    senders = page(reseller, "Telecom Monsters", period="year").context["senders"]
    assert [(each.sender_id, sent) for each, sent in senders] == [(f"S{n}", str(n + 1)) for n in range(11, 1, -1)]


def test_RSL_52_a_resellers_clients_count_in_its_figures_but_their_senders_are_not_named(owner: Any) -> None:
    from relais.records.agreements.models import Agreement
    from relais.records.senders.models import SenderId

    client = company("Telecom Monsters")
    chain = [Agreement.objects.get(agreement_code=code).pk for code in ("TM-1", "HH-1")]
    put(NOW, 10, company_id=client.pk, sender_id=SenderId.objects.get(company=client).pk, agreement_ids=chain)
    answer = page(owner, "Hornes and Hooves", period="year")
    assert answer.context["total"].sent == "1" and answer.context["senders"] == []


def test_CO_33_CO_67_a_period_is_the_current_one_on_the_viewers_clock(reseller: Any) -> None:
    from zoneinfo import ZoneInfo

    from relais.records.people.models import User

    User.objects.filter(login="reseller").update(timezone="Asia/Tokyo")
    for key in ("day", "month", "year"):
        period = page(reseller, "Telecom Monsters", period=key).context["period"]
        local = datetime.now(tz=ZoneInfo("Asia/Tokyo")).replace(hour=0, minute=0, second=0, microsecond=0)
        since = {"day": local, "month": local.replace(day=1), "year": local.replace(month=1, day=1)}[key]
        assert (period.key, period.since) == (key, since)
        assert period.since <= NOW < period.till
    period = page(reseller, "Telecom Monsters", period="day").context["period"]
    put(period.since - timedelta(milliseconds=1), 10, company_id=company("Telecom Monsters").pk)
    put(period.since, 10, company_id=company("Telecom Monsters").pk, n=1)
    assert page(reseller, "Telecom Monsters", period="day").context["total"].sent == "1"
    assert page(reseller, "Telecom Monsters", period="nonsense").context["period"].key == "month"


def test_CO_35_CO_37_CO_38_CO_66_finance_has_a_card_an_agreement(reseller: Any) -> None:
    from relais.records.agreements.models import Agreement, AgreementVersion, Balance

    agreement = Agreement.objects.get(agreement_code="TM-1")
    Balance.objects.filter(agreement=agreement).update(balance_micros=-19_906_670_000)
    [card] = page(reseller, "Telecom Monsters", tab="finance").context["cards"]
    assert (card.agreement, card.starts, card.ends) == (agreement, "01.01.2025", "∞ (indefinitely)")
    assert "-19\N{NO-BREAK SPACE}906.67" in card.balance and "EUR" in card.balance
    assert card.credit_limit.startswith("0.00")
    AgreementVersion.objects.filter(agreement=agreement).update(
        credit_limit_micros=None, effective_till=datetime(2030, 12, 30, 12, tzinfo=UTC)
    )
    [card] = page(reseller, "Telecom Monsters", tab="finance").context["cards"]
    assert (card.credit_limit, card.ends) == ("Unlimited", "30.12.2030")


def test_CO_36_the_legal_entity_chosen_decides_which_agreements_stand_there(reseller: Any) -> None:
    from relais.records.parties.models import LegalEntity

    client = company("Telecom Monsters")
    other = LegalEntity.objects.create(
        company=client, name="Another", legal_company_name="A", country="ES", is_default=True
    )
    answer = page(reseller, "Telecom Monsters", tab="finance")
    assert (answer.context["chosen"], answer.context["cards"]) == (other, [])
    answer = page(reseller, "Telecom Monsters", tab="finance", entity=own_entity("TM SL"))
    assert [card.agreement.agreement_code for card in answer.context["cards"]] == ["TM-1"]
    answer = page(reseller, "Telecom Monsters", tab="finance", entity=own_entity("HH Ltd"))
    assert answer.context["chosen"] == other, "one of another company is none of these"


def test_CO_41_CO_45_finance_operations_are_invoices_or_payments(reseller: Any) -> None:
    text = page(reseller, "Telecom Monsters", tab="finance").content.decode()
    for label in ("Direction", "Reference #", "Total due", "Currency", "Status"):
        assert f">{label}</th>" in text
    [line] = page(reseller, "Telecom Monsters", tab="finance", operations="payments").context["payments"]
    assert (line.direction, line.payment.reference_code) == ("Inbound", "TM-0001")
    assert "100.00" in line.amount and "Confirmed" in line.status


def test_CO_43_services_stand_with_their_dates(reseller: Any) -> None:
    answer = page(reseller, "Telecom Monsters", tab="finance")
    assert [(each.service.name, each.effective_till) for each in answer.context["services"]] == [("SMS service", None)]


def test_CO_46_CO_47_assets_has_templates_in_three_parts(reseller: Any) -> None:
    answer = page(reseller, "Telecom Monsters", tab="assets", kind="whatsapp")
    assert list(answer.context["kinds"].values()) == ["Content", "Conversation", "Whats App"]
    text = answer.content.decode()
    assert all(f">{label}</th>" in text for label in ("Name", "Channel", "Updated"))


def test_CO_68_without_a_line_of_finance_there_is_no_such_tab(reseller: Any, monkeypatch: Any) -> None:
    from relais.backoffice.company_finance import FINANCE_LINES
    from relais.pages.viewer import Viewer

    allowed = Viewer.may
    monkeypatch.setattr(
        Viewer, "may", lambda self, line, level="view": line not in FINANCE_LINES and allowed(self, line, level)
    )
    answer = page(reseller, "Telecom Monsters", tab="finance")
    assert (list(answer.context["tabs"]), answer.context["tab"]) == (["overview", "assets"], "overview")
