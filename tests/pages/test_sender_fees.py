"""Fees of sender IDs on their pages: the setup fee asks first, a rule says what rate it finds, and what was taken is listed."""

import html
import re
from typing import Any

from django.utils import timezone
from tests.core.rating.rating_samples import EXAMPLE_1, rows_of
from tests.pages.conformance import SCRIPTED, by_session, csv_of, made

FEES = {key: shape for key, shape in EXAMPLE_1.items() if "fee" in key[1]}


def priced() -> Any:
    """Monsters, with the fees of Example 1 in its service from now on, and their operators in the dictionary."""
    from relais.records.catalog.actions.replace_rate_tree import replace_rate_tree
    from relais.records.catalog.models import EnabledService, RateNode
    from relais.records.catalog.pricing import current_scope
    from relais.records.catalog.rows import node_rows
    from relais.records.senders.models import SenderId

    sender = SenderId.objects.get(sender_id="Monsters", company__name="Telecom Monsters")
    enabled = EnabledService.objects.filter(agreement=sender.agreement, service__type="pay_as_you_go")[0]
    scope = current_scope(enabled.service_id, timezone.now())
    assert scope is not None
    kept = [
        row for row in node_rows(RateNode.objects.filter(scope=scope, retired_at=None)) if "fee" not in row.resource
    ]
    replace_rate_tree(scope.pk, kept + rows_of(FEES, first_id=max(row.id for row in kept) + 1), timezone.now())
    operators()
    return sender


def operators() -> None:
    from relais.records.catalog.models import Network

    for name in ("DIGI mobil", "Vodafone Spain"):
        Network.objects.get_or_create(country_id="ES", name=f"Of {name}", operator=name)


def test_SID_11_SID_12_SID_248_the_setup_fee_is_shown_before_it_is_taken(pages: str) -> None:
    """SID-13: there is no such control before a service has the fee. SID-240, SID-241, SID-247."""
    from relais.records.people.models import AuditLine
    from relais.records.senders.models import SenderFee, SenderId

    client = by_session("reseller")
    url = f"/bo/sender-ids/{SenderId.objects.get(sender_id='Monsters', company__name='Telecom Monsters').pk}/do/setup-fee/"
    before = client.get(url, headers=SCRIPTED).status_code
    sender = priced()
    asked = client.get(url, headers=SCRIPTED).content.decode()
    assert before in (404, 200) and "Setup fee" in asked and 'name="mno"' in asked
    wish = {"sender_id_type": "alphanumeric", "mno": "DIGI mobil"}
    refused = client.post(url, wish | {"mno": "Vodafone Spain"}, headers=SCRIPTED)
    assert refused.status_code == 200 and "Rate not found" in refused.content.decode()
    told = client.post(url, wish, headers=SCRIPTED)
    assert told.status_code == 200 and re.search(r"[\d.]+ EUR with tax are written off now", told.content.decode())
    assert not SenderFee.objects.exists()
    for status in (204, 409):  # a second click
        answer = client.post(url, wish | {"agreed": "on", "known_count": "0"}, headers=SCRIPTED)
        assert answer.status_code == status, answer.content.decode()
    assert "was charged already" in answer.content.decode()
    fee = SenderFee.objects.get(sender=sender)
    assert (fee.net_micros, fee.user) == (50_000_000, client_user("reseller"))
    again = client.post(url, wish, headers=SCRIPTED).content.decode()
    assert "It was charged already on" in again and 'name="known_count" value="1"' in again
    assert AuditLine.objects.filter(table="senders_senderfee", object_id=str(fee.pk), operation="insert").exists()
    heads, line = csv_of(client, "/bo/sender-fees/csv/?columns=all")
    assert {"Setup fee", "Charged", "50.00", "DIGI mobil"} <= set(line) and "Net (EUR)" not in line and heads
    assert by_session("owner").get(f"/bo/sender-fees/{fee.pk}/").status_code == 404, "another level's charge"


def client_user(login: str) -> Any:
    from relais.records.people.models import User

    return User.objects.get(login=login, interface="backoffice")


def test_SID_14_SID_17_to_SID_27_a_rule_says_in_green_or_red_what_rate_it_finds(pages: str) -> None:
    """SID-18, SID-19, SID-20, SID-24, SID-25, SID-26; SID-30, SID-31: by the period, the type and one operator, or by Others.
    SID-15: a rule that was set before the service had the fee is red until it has."""
    from relais.records.senders.models import SenderId

    client = by_session("reseller")
    operators()
    sent = {"effective_from": "28.03.2030", "every": "monthly", "start_day": "1", "days_beforehand": "1", "retry_hours": "1",
            "max_retries": "3", "sender_id_type": "alphanumeric"}  # fmt: skip
    monsters = SenderId.objects.get(sender_id="Monsters", company__name="Telecom Monsters")
    early = sent | {
        "sender": monsters.pk,
        "effective_from": "28.03.2028",
        "effective_till": "28.03.2029",
        "mno": "DIGI mobil",
    }
    too_early = made(client.post("/bo/fee-rules/new/", early, headers=SCRIPTED))
    assert "Rate not found" in client.get(f"/bo/fee-rules/{too_early}/", headers=SCRIPTED).content.decode()
    sender = priced()
    sent["sender"] = sender.pk
    assert "Rate not found" not in client.get(f"/bo/fee-rules/{too_early}/", headers=SCRIPTED).content.decode()
    form = html.unescape(client.get("/bo/fee-rules/new/", headers=SCRIPTED).content.decode())
    for label in ("Charge every", "Start day", "Charge, day(s) beforehand", "Retry every hour(s)", "Max retries",
                  "Sender ID type", "MNO", "Effective from", "Effective till"):  # fmt: skip
        assert f"{label}</l" in form, label
    assert "DIGI mobil" in form and "Long code" in form and "Week" in form
    found = made(client.post("/bo/fee-rules/new/", sent | {"mno": "DIGI mobil"}, headers=SCRIPTED))
    window = client.get(f"/bo/fee-rules/{found}/", headers=SCRIPTED).content.decode()
    assert re.search(r"note-ok.*15\.00 EUR, Effective: \d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d", window, re.DOTALL)
    missing = made(client.post("/bo/fee-rules/new/", sent, headers=SCRIPTED))
    window = client.get(f"/bo/fee-rules/{missing}/", headers=SCRIPTED).content.decode()
    assert "note-bad" in window and "Rate not found" in window
    overlapping = client.post("/bo/fee-rules/new/", sent | {"effective_from": "01.01.2031"}, headers=SCRIPTED)
    assert overlapping.status_code == 422 and "verlaps with another rule" in overlapping.content.decode()
    wrong = client.post("/bo/fee-rules/new/", sent | {"every": "weekly", "start_day": "9"}, headers=SCRIPTED)
    assert wrong.status_code == 422 and "1 to 7 of a week" in html.unescape(wrong.content.decode())
