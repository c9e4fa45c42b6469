"""Watches the traffic of sender IDs whose notification block is on (SID-39 to 45, 239), and tells of it (SID-252, AG-46).

One question a minute about all of them together. It reads the messages of twice the longest window by their ids, about a second a
million on one core, beside the gateways; where no sender ID is watched it reads none. What is scheduled counts by its acceptance,
once its time has come.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.mail import send_mail
from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.core.lifecycle import State
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.guards.models import Event, NoticeAddresses, TrafficNotice, Trouble
from relais.records.people.models import User
from relais.records.senders.models import SenderId, SenderStatus

SEND_TRAFFIC_MAIL = "send_traffic_mail"
FAILED = tuple(int(state) for state in (State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.FAILED))
KEPT = timedelta(days=90)

_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('traffic_watch'))"
_COUNT = """
SELECT s.id, s.company_id, c.parent_id, s.trigger_percent, s.minimal_message_count, s.window_size_minutes,
       count(m.id) FILTER (WHERE m.id >= traffic_uuid_floor(%(now)s - w.size)),
       count(m.id) FILTER (WHERE m.id >= traffic_uuid_floor(%(now)s - w.size) AND m.status = ANY (%(failed)s)),
       count(m.id) FILTER (WHERE m.id < traffic_uuid_floor(%(now)s - w.size))
FROM senders_senderid AS s
JOIN parties_company AS c ON c.id = s.company_id
CROSS JOIN LATERAL (SELECT make_interval(mins => s.window_size_minutes) AS size) AS w
LEFT JOIN traffic_message AS m ON m.sender_id = s.id
    AND m.id >= traffic_uuid_floor(%(first)s) AND m.id < traffic_uuid_floor(%(now)s)
    AND m.id >= traffic_uuid_floor(%(now)s - 2 * w.size) AND (m.send_at IS NULL OR m.send_at <= %(now)s)
WHERE s.id = ANY (%(senders)s)
GROUP BY s.id, c.parent_id, w.size
"""


class Counted(NamedTuple):
    """What a sender ID sent in its window, what of it failed so far, and what it sent in the window before."""

    sender_id: int
    company_id: int
    parent_id: int | None
    trigger_percent: int
    minimal_message_count: int
    window_minutes: int
    messages: int
    failed: int
    before: int

    @property
    def failing(self) -> bool:
        enough = self.messages >= self.minimal_message_count
        return enough and self.failed * 100 >= self.trigger_percent * self.messages

    @property
    def silent(self) -> bool:
        return not self.messages and self.before >= self.minimal_message_count


@transaction.atomic
def watch_traffic(now: datetime) -> int:
    """How many notices began: one when it becomes true, the next of failures only after they were few for a whole window, that of
    silence only after traffic has returned (SID-239)."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_AT_A_TIME)
        (alone,) = cursor.fetchone() or (False,)
        if not alone:
            return 0
    TrafficNotice.objects.filter(at__lt=now - KEPT).delete()
    watched = SenderId.objects.filter(notifications=True, status=SenderStatus.ACTIVE)
    windows = dict(watched.values_list("pk", "window_size_minutes"))
    TrafficNotice.objects.filter(ended_at=None).exclude(sender__in=windows).update(ended_at=now)
    if not windows:
        return 0
    begun = 0
    for counted in _counted(list(windows), max(filter(None, windows.values())), now):
        begun += _failures(counted, now) + _silence(counted, now)
    return begun


def _counted(senders: list[int], longest_minutes: int, now: datetime) -> list[Counted]:
    first = now - timedelta(minutes=2 * longest_minutes)
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"now": now, "first": first, "failed": list(FAILED), "senders": senders})
        return [Counted(*row) for row in cursor.fetchall()]


def _failures(counted: Counted, now: datetime) -> int:
    notices = TrafficNotice.objects.filter(sender_id=counted.sender_id, trouble=Trouble.FAILING)
    if not counted.failing:
        notices.filter(ended_at=None).update(ended_at=now)
        return 0
    latest = notices.order_by("-at").first()
    if latest is not None and latest.true_at > now - timedelta(minutes=counted.window_minutes):
        TrafficNotice.objects.filter(pk=latest.pk).update(true_at=now, ended_at=None)
        return 0
    notices.filter(ended_at=None).update(ended_at=now)
    return _begin(counted, Trouble.FAILING, counted.messages, now)


def _silence(counted: Counted, now: datetime) -> int:
    standing = TrafficNotice.objects.filter(sender_id=counted.sender_id, trouble=Trouble.SILENT, ended_at=None)
    if counted.messages:
        standing.update(ended_at=now)
        return 0
    if not counted.silent or standing.exists():
        return 0
    return _begin(counted, Trouble.SILENT, counted.before, now)


def _begin(counted: Counted, trouble: Trouble, messages: int, now: datetime) -> int:
    keeper_id = counted.parent_id or counted.company_id
    notice = TrafficNotice.objects.create(
        company_id=keeper_id, client_id=counted.company_id, sender_id=counted.sender_id, trouble=trouble, at=now, true_at=now,
        window_minutes=counted.window_minutes, messages=messages, failed=counted.failed,
    )  # fmt: skip
    agreement_id = notice.sender.agreement_id
    version = version_at(agreement_id, now) if agreement_id is not None else None
    further = NoticeAddresses.objects.filter(company_id=keeper_id, event=Event.TRAFFIC).values_list("emails", flat=True)
    to = [*addresses(version.account_emails if version else ""), *addresses(",".join(further))]
    for address in dict.fromkeys(to):
        app.configure_task(SEND_TRAFFIC_MAIL).defer(notice_id=notice.pk, address=address)
    return 1


def send_traffic_mail(notice_id: int, address: str) -> bool:
    """In the language of the person with that address at either company. False, and nothing is sent, for a notice that is gone.
    Raises what the mail server raises."""
    notice: Any = TrafficNotice.objects.select_related("sender", "client").filter(pk=notice_id).first()
    if notice is None:
        return False
    companies = (notice.company_id, notice.client_id)
    person = User.objects.filter(company_id__in=companies, e_mail__iexact=address).order_by("pk").first()
    with translation.override(person.language if person is not None else "en"):
        words = {"sender": str(notice.sender), "company": str(notice.client), "failed": notice.failed,
                 "messages": notice.messages, "minutes": notice.window_minutes,
                 "at": f"{notice.at:%d.%m.%Y %H:%M} UTC"}  # fmt: skip
        if notice.trouble == Trouble.FAILING:
            subject = _("Messages of %(sender)s fail") % words
            text = _(
                "Of %(messages)d messages that %(sender)s of %(company)s sent in the last %(minutes)d minutes, %(failed)d had "
                "failed on %(at)s.\n"
            )
        else:
            subject = _("%(sender)s sends nothing any more") % words
            text = _(
                "%(sender)s of %(company)s sent no message in the %(minutes)d minutes before %(at)s; it sent %(messages)d in the "
                "%(minutes)d minutes before those.\n"
            )
    send_mail(subject, text % words, None, [address])
    return True
