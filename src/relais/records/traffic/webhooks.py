"""What people may ask of clients' webhooks: an event sent again, one to try it out, its secret, and that an address which was
stopped gets events again; and the mail that says that it was stopped.
"""

from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.records.agreements.models import Agreement
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.errors import WHOLE, Invalid
from relais.records.people.models import ApiKey, User
from relais.records.saving import find
from relais.records.senders.models import SenderId
from relais.records.traffic.models import Callback, CallbackState, CallbackStop
from relais.wire.webhooks import secrets_in_force

SEND_STOPPED_MAIL = "send_stopped_mail"
TEST_TYPE = "webhook.test"


def webhook_secrets(key: ApiKey, now: datetime) -> tuple[str, ...]:
    """What the key's webhooks are signed with: the newest first, for a day the former one too."""
    return secrets_in_force(
        settings.SECRET_KEY, f"key {key.pk}", key.webhook_secret_version, key.webhook_secret_changed_at, now
    )


def sender_webhook_secrets(sender: SenderId, now: datetime) -> tuple[str, ...]:
    """What is signed with that tells the sender ID's webhook of incoming messages, likewise."""
    changed_at = sender.webhook_secret_changed_at
    return secrets_in_force(
        settings.SECRET_KEY, f"sender ID {sender.pk}", sender.webhook_secret_version, changed_at, now
    )


@transaction.atomic
def send_again(callback_id: int, now: datetime) -> Callback:
    """The same event under the same id, now, and if need be again for three days. `Invalid` while it waits already, and while its
    address is stopped."""
    callback = find(Callback, callback_id)
    if callback.due_at is not None:
        raise Invalid.of(WHOLE, "waits for its next attempt already")
    if _stop_of(callback).exists():
        raise Invalid.of(WHOLE, "the address said that it is gone: allow it again first")
    callback.state, callback.due_at, callback.since = CallbackState.WAITING, now, now
    callback.save(update_fields=("state", "due_at", "since"))
    return callback


@transaction.atomic
def send_test_event(api_key_id: int, now: datetime) -> Callback:
    """Queue an event for the key's own address. `Invalid` without an address, and while it is stopped."""
    key = find(ApiKey, api_key_id)
    if not key.webhook_url:
        raise Invalid.of(WHOLE, "the key has no webhook URL: give it one first")
    if CallbackStop.objects.filter(api_key=key, url=key.webhook_url).exists():
        raise Invalid.of(WHOLE, "the address said that it is gone: allow it again first")
    event = {"type": TEST_TYPE, "timestamp": now.isoformat(), "data": {"api_key": key.name}}
    return Callback.objects.create(
        created_at=now, since=now, due_at=now, attempts=0, company=key.company, api_key=key, url=key.webhook_url,
        event=event, state=CallbackState.WAITING,
    )  # fmt: skip


@transaction.atomic
def allow_again(stop_id: int) -> None:
    """Events are sent to that address again from now on; what was not sent meanwhile is sent by hand."""
    find(CallbackStop, stop_id).delete()


@transaction.atomic
def tell_stopped(now: datetime) -> int:
    """Defers a mail about each address that was stopped since the last time, to the account e-mails of the company's agreements;
    how many addresses."""
    stops = CallbackStop.objects.select_for_update(skip_locked=True).filter(told_at=None)
    for stop in stops:
        agreements = Agreement.objects.filter(company_id=stop.company_id).values_list("pk", flat=True)
        versions = [version_at(agreement_id, now) for agreement_id in agreements]
        to = [address for version in versions if version is not None for address in addresses(version.account_emails)]
        for address in dict.fromkeys(to):
            app.configure_task(SEND_STOPPED_MAIL).defer(stop_id=stop.pk, address=address)
        stop.told_at = now
        stop.save(update_fields=("told_at",))
    return len(stops)


def send_stopped_mail(stop_id: int, address: str) -> bool:
    """In the language of the company's person with that address. False, and nothing is sent, where it is allowed again already.
    Raises what the mail server raises."""
    stop = CallbackStop.objects.select_related("api_key", "sender").filter(pk=stop_id).first()
    if stop is None:
        return False
    person = User.objects.filter(company_id=stop.company_id, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {"url": stop.url, "of": str(stop.api_key or stop.sender), "at": f"{stop.stopped_at:%d.%m.%Y %H:%M} UTC"}
        subject = _("A webhook is told nothing any more")
        text = (
            _(
                "The address %(url)s of “%(of)s” answered 410 Gone on %(at)s and gets no more events.\n"
                "If that was not meant, have it allowed again: events that were not sent meanwhile can then be sent by hand.\n"
            )
            % words
        )
    send_mail(subject, text, None, [address])
    return True


def _stop_of(callback: Callback) -> QuerySet[CallbackStop]:
    return CallbackStop.objects.filter(api_key=callback.api_key_id, sender=callback.sender_id, url=callback.url)
