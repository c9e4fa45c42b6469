"""Webhooks in the BackOffice: what was told and what was answered, sending again, a test event, secrets, addresses that are
gone."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.pages.conftest import arrived

URL = "/bo/webhook-deliveries/"
HOOK = "https://shop.example/hooks"


def key_of(name: str = "demo") -> Any:
    from relais.records.people.models import ApiKey

    return ApiKey.objects.select_related("company").get(name=name)


def made(**values: Any) -> Any:
    """A delivery of the demo key that was answered, or as `values` say."""
    from relais.records.traffic.models import Callback, CallbackAttempt, CallbackState

    key, now = key_of(), datetime.now(UTC)
    callback = Callback.objects.create(
        **{"created_at": now, "since": now, "attempts": 1, "company": key.company, "api_key": key, "url": HOOK,
           "message_id": uuid4(), "event": {"type": "message.delivered", "data": {"status": "delivered"}},
           "state": CallbackState.ANSWERED, "status": 200} | values
    )  # fmt: skip
    CallbackAttempt.objects.create(
        callback=callback, attempt=1, at=now, took_ms=48, status=callback.status, error="", answer="<b>thanks</b>"
    )
    return callback


def test_deliveries_are_filtered_looked_at_and_sent_again(reseller: Any) -> None:
    from relais.records.traffic.models import Callback, CallbackState, CallbackStop

    good, bad = made(), made(state=CallbackState.GIVEN_UP, status=500)
    for asked, found in (
        ("", [bad.pk, good.pk]), ("?state=3", [bad.pk]), ("?status_min=200&status_max=299", [good.pk]),
        (f"?message_id={good.message_id}", [good.pk]), (f"?api_key={key_of().pk}&state=2", [good.pk]),
        (f"?message_id={str(good.message_id)[:8]}", [good.pk]),
    ):  # fmt: skip
        assert [row.pk for row in reseller.get(URL + asked).context["list"].table] == found, asked
    page = reseller.get(f"{URL}{good.pk}/").content.decode()
    assert f"msg_{good.pk}" in page and "&lt;b&gt;thanks&lt;/b&gt;" in page and "message.delivered" in page
    assert reseller.post(f"{URL}{bad.pk}/do/resend/").status_code == 302
    again = Callback.objects.get(pk=bad.pk)
    assert (again.state, again.attempts) == (CallbackState.WAITING, 1) and again.due_at is not None
    assert reseller.get(f"{URL}{bad.pk}/do/resend/").status_code == 404  # it waits already
    CallbackStop.objects.create(company=good.company, api_key=good.api_key, url=HOOK, stopped_at=good.created_at)
    refused = reseller.post(f"{URL}{good.pk}/do/resend/")
    assert refused.status_code == 409 and "allow it again first" in refused.content.decode()
    assert Callback.objects.get(pk=good.pk).due_at is None


def test_a_key_has_a_webhook_that_is_tried_and_whose_secret_is_renewed_and_that_is_allowed_again(reseller: Any) -> None:
    from django.core import mail
    from procrastinate.contrib.django.models import ProcrastinateJob

    from relais.records.agreements.models import AgreementVersion
    from relais.records.people.models import ApiKey
    from relais.records.traffic.models import Callback, CallbackStop
    from relais.records.traffic.webhooks import send_stopped_mail, tell_stopped

    key = key_of()
    url = f"/bo/api-keys/{key.pk}/"
    assert reseller.get(f"{url}do/test/").status_code == 404
    values = {"name": "demo", "rights": ["1", "2", "4"], "networks": "192.0.2.7; 2001:db8::/32", "rps_limit": "50",
              "webhook_events": "final"}  # fmt: skip
    assert reseller.post(f"{url}edit/", values | {"webhook_url": HOOK}).status_code == 302
    stored = ApiKey.objects.get(pk=key.pk)
    assert (stored.webhook_url, stored.networks, stored.rps_limit) == (HOOK, "192.0.2.7, 2001:db8::/32", 50)
    assert stored.webhook_events == "final" and "Final status only" in reseller.get(url).content.decode()
    refused = reseller.post(f"{url}edit/", values | {"webhook_events": "some"})
    assert refused.status_code == 422 and "is not one of the available choices" in refused.content.decode()
    assert ApiKey.objects.get(pk=key.pk).webhook_events == "final"
    refused = reseller.post(f"{url}edit/", values | {"networks": "shop"})
    assert refused.status_code == 422 and "is neither an IP address" in refused.content.decode()

    assert reseller.post(f"{url}do/test/").status_code == 302
    test_event = Callback.objects.get(api_key=key)
    assert (test_event.event["type"], test_event.url, test_event.due_at is None) == ("webhook.test", HOOK, False)

    shown = reseller.post(f"{url}do/secret/", follow=True).content.decode()
    assert shown.count('data-copy="whsec_') == 1 and "whsec_" not in reseller.get(url).content.decode()
    assert reseller.post(f"{url}do/renew-secret/", follow=True).content.decode().count('data-copy="whsec_') == 2
    refused = reseller.post(f"{url}do/renew-secret/")
    assert refused.status_code == 409 and "less than a day ago" in refused.content.decode()
    assert ApiKey.objects.get(pk=key.pk).webhook_secret_version == 2

    AgreementVersion.objects.filter(agreement__company=key.company).update(account_emails="a@example.com")
    stop = CallbackStop.objects.create(company=key.company, api_key=key, url=HOOK, stopped_at=datetime.now(UTC))
    assert tell_stopped(datetime.now(UTC)) == 1 and tell_stopped(datetime.now(UTC)) == 0
    (job,) = ProcrastinateJob.objects.filter(task_name="send_stopped_mail")
    assert (
        send_stopped_mail(**job.args) and HOOK in mail.outbox[-1].body and mail.outbox[-1].to == [job.args["address"]]
    )
    assert "answered 410 Gone" in reseller.get(url).content.decode()
    assert reseller.post(f"{url}do/test/").status_code == 409
    assert reseller.post(f"{url}do/allow-again/").status_code == 302
    assert not CallbackStop.objects.exists() and send_stopped_mail(stop.pk, "a@example.com") is False
    assert reseller.post(f"{url}do/test/").status_code == 302


def test_deliveries_of_a_resellers_client_are_nothing_to_the_owner(reseller: Any) -> None:
    callback = made()
    owner = arrived("owner")
    assert owner.get(URL).context["list"].table == []
    assert (
        owner.get(f"{URL}{callback.pk}/").status_code == owner.post(f"{URL}{callback.pk}/do/resend/").status_code == 404
    )
