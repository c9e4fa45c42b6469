"""A second branch beside the scenario's, with everything a reseller has: its name, its users, its client, and what they own.

The reseller is called Strange Reseller and sells to Strange Client; Nothing yet is a reseller that has just begun.
"""

from pathlib import Path

LOG_IN = ("stranger", "Stan-demo-2025")
NEWCOMER = ("newcomer", "Nina-demo-2025")
BRANCH = Path(__file__).with_name("strangers.yaml")


def make_stranger() -> None:
    from relais.records.apply.run import apply_file

    apply_file(BRANCH)


def put_traffic() -> None:
    """A charged message of each of the two clients, and what each was told of it."""
    from django.utils import timezone
    from tests.records.traffic_rows import id_at, put, put_edr, put_message

    from relais.records.parties.models import Company
    from relais.records.people.models import ApiKey
    from relais.records.senders.models import SenderId
    from relais.records.traffic.models import Callback, CallbackAttempt, CallbackState

    put_edr(put_message(status=10, sent_parts=[0]), "TM-1", 0, 40_000)
    sender = SenderId.objects.get(sender_id="Strange")
    theirs = put_message(
        codes=("SC-1", "SR-1"), source="Strange", sender_id=sender.pk, connection_id=sender.smpp_connection_id,
        company_id=Company.objects.get(name="Strange Client").pk, api_key_id=ApiKey.objects.get(name="strange demo").pk,
    )  # fmt: skip
    put_edr(theirs, "SC-1", 0, 40_000)
    for name, code in (("demo", 200), ("strange demo", 500)):
        key = ApiKey.objects.get(name=name)
        made = Callback.objects.create(
            created_at=timezone.now(), since=timezone.now(), attempts=1, company=key.company, api_key=key, status=code,
            state=CallbackState.ANSWERED if code == 200 else CallbackState.GIVEN_UP,
            url="https://shop.example/hooks", event={"type": "message.delivered", "data": {"status": "delivered"}},
        )  # fmt: skip
        put(
            "traffic_incoming", id=id_at(timezone.now()), received_at=timezone.now(), company_id=key.company_id,
            sender_id=SenderId.objects.filter(company=key.company_id).values_list("pk", flat=True)[0], connection_id=1,
            source="34600123456", destination="2525", body="Yes please",
        )  # fmt: skip
        CallbackAttempt.objects.create(
            callback=made, attempt=1, at=timezone.now(), took_ms=12, status=code, error="", answer="taken"
        )


def put_guarded() -> None:
    """Of each reseller a message that a guard stopped, and a notice that a sender ID of its client sends nothing."""
    from django.utils import timezone
    from tests.records.traffic_rows import put

    from relais.records.guards.models import TrafficNotice
    from relais.records.senders.models import SenderId

    for sender in SenderId.objects.filter(sender_id__in=("Monsters", "Strange")).exclude(agreement=None):
        client = sender.company
        put("guards_guarded", at=timezone.now(), company_id=client.parent_id, client_id=client.pk, sender=sender.sender_id,
            recipient="34600123456", country="ES", why="identical", guard_id=1, detail="5", refused=True, messages=1)  # fmt: skip
        TrafficNotice.objects.create(
            company_id=client.parent_id, client=client, sender=sender, trouble="silent", at=timezone.now(),
            true_at=timezone.now(), ended_at=timezone.now(), window_minutes=20, messages=50, failed=0,
        )  # fmt: skip


def put_fees() -> None:
    """A fee of each client's sender ID that could not be taken."""
    from relais.records.senders.models import SenderFee, SenderId

    for sender in SenderId.objects.filter(sender_id__in=("Monsters", "Strange")).exclude(agreement=None):
        SenderFee.objects.create(
            agreement=sender.agreement, sender=sender, kind="setup", sender_id_type="alphanumeric", tries=1,
            reason="Rate not found",
        )  # fmt: skip


def use_mnp_connection(key: str) -> None:
    """The System owner has chosen it for itself."""
    from relais.records.parties.models import Company

    Company.objects.filter(parent=None).update(mnp_connection_id=key)
