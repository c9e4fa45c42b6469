"""Incoming messages and stop lists in the BackOffice."""

from datetime import UTC, datetime
from typing import Any

from tests.pages.conftest import arrived
from tests.records.traffic_rows import id_at, put


def test_incoming_messages_are_listed_and_shown(reseller: Any) -> None:
    from relais.records.senders.models import SenderId

    sender = SenderId.objects.get(sender_id="Monsters")
    for text, asked in (("<i>Hola</i>", None), ("STOP", 1)):
        now = datetime.now(UTC)
        put("traffic_incoming", id=id_at(now), received_at=now, connection_id=sender.smpp_connection_id, asked=asked,
            company_id=sender.company_id, sender_id=sender.pk, source="34600123456", destination="2525", body=text)  # fmt: skip
    page = reseller.get("/bo/incoming-messages/")
    assert len(page.context["list"].table) == 2 and "&lt;i&gt;Hola" in page.content.decode()
    (row,) = reseller.get("/bo/incoming-messages/?asked=1").context["list"].table
    assert "Monsters" in reseller.get(f"/bo/incoming-messages/{row.pk}/").content.decode()
    assert arrived("owner").get("/bo/incoming-messages/").context["list"].table == []


def test_the_secret_of_a_senders_webhook_is_shown_renewed_and_a_webhook_that_was_gone_allowed_again(
    reseller: Any,
) -> None:
    from relais.records.people.models import AuditAction
    from relais.records.senders.models import SenderId
    from relais.records.traffic.models import CallbackStop

    sender = SenderId.objects.get(sender_id="Monsters")
    url = f"/bo/sender-ids/{sender.pk}/"
    assert reseller.get(f"{url}do/webhook-secret/").status_code == 404
    SenderId.objects.update(webhook_url="https://shop.example/incoming")
    assert 'data-copy="whsec_' in reseller.post(f"{url}do/webhook-secret/", follow=True).content.decode()
    assert "whsec_" not in reseller.get(url).content.decode()
    assert AuditAction.objects.filter(action__startswith="Show secret").exists()
    assert reseller.post(f"{url}do/renew-secret/", follow=True).content.decode().count('data-copy="whsec_') == 2
    refused = reseller.post(f"{url}do/renew-secret/")
    assert refused.status_code == 409 and "less than a day ago" in refused.content.decode()
    assert SenderId.objects.get(pk=sender.pk).webhook_secret_version == 2
    assert reseller.get(f"{url}do/allow-again/").status_code == 404
    stop = {"url": "https://shop.example/incoming", "stopped_at": datetime.now(UTC)}
    CallbackStop.objects.create(company=sender.company, sender=sender, **stop)
    assert "answered 410 Gone" in reseller.get(url).content.decode()
    assert reseller.post(f"{url}do/allow-again/").status_code == 302 and not CallbackStop.objects.exists()


def test_numbers_are_pasted_onto_a_stop_list_and_one_that_is_none_puts_nobody_there(reseller: Any) -> None:
    from relais.records.parties.models import Company
    from relais.records.people.models import AuditLine
    from relais.records.senders.models import SenderId, StopEntry

    client = Company.objects.get(name="Telecom Monsters")
    sender = SenderId.objects.get(sender_id="Monsters")
    values = {
        "company": client.pk,
        "sender": sender.pk,
        "note": "letter",
        "numbers": "+34 600 12 34 56\n34606123456, 34600123456",
    }
    assert reseller.post("/bo/stop-list/new/", values).status_code == 302
    stored = StopEntry.objects.filter(company=client, sender=sender, origin="hand", note="letter")
    assert set(stored.values_list("number", flat=True)) == {"34600123456", "34606123456"}
    refused = reseller.post("/bo/stop-list/new/", values | {"numbers": "34641123456\nMonsters", "sender": ""})
    assert refused.status_code == 422 and "is no phone number" in refused.content.decode()
    assert StopEntry.objects.count() == 2
    entry = stored.get(number="34606123456")
    assert reseller.post(f"/bo/stop-list/{entry.pk}/delete/").status_code == 302
    assert StopEntry.objects.count() == 1
    assert AuditLine.objects.filter(table="senders_stopentry").count() == 3
