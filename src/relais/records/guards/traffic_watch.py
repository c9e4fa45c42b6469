"""Watches the traffic of sender IDs whose notification block is on (SID-39 to 45, 239), and tells of it (SID-252, AG-46).

Once a minute about all of them together, beside the gateways: the messages of the longest window are read once, by their ids, and
those of the window before only of a sender ID that has just fallen silent. bench/README.md says what that takes. What is
scheduled counts by its acceptance, once its time has come.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.core.mail import send_mail
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from procrastinate.contrib.django import app

from relais.core.lifecycle import State
from relais.records.agreements.terms import version_at
from relais.records.agreements.versions import addresses
from relais.records.guards.models import Event, NoticeAddresses, TrafficNotice, Trouble
from relais.records.people.models import User
from relais.records.senders.models import SenderId, SenderStatus
from relais.records.traffic.instants import first_id_from

SEND_TRAFFIC_MAIL = "send_traffic_mail"
FAILED = tuple(int(state) for state in (State.UNDELIVERED, State.EXPIRED, State.REJECTED, State.FAILED))
KEPT = timedelta(days=90)

_ONE_AT_A_TIME = "SELECT pg_try_advisory_xact_lock(hashtext('traffic_watch'))"
_COUNT = """
SELECT sender_id, count(*), count(*) FILTER (WHERE status = ANY (%(failed)s))
FROM traffic_message
WHERE id >= %(first)s AND id < %(till)s AND sender_id = ANY (%(senders)s::bigint[]) AND (send_at IS NULL OR send_at <= %(now)s)
GROUP BY sender_id
"""
_BUSY = "SELECT sender_id, busy FROM guards_watchedsender"
_REMEMBER = """
INSERT INTO guards_watchedsender (sender_id, busy) SELECT * FROM unnest(%s::bigint[], %s::boolean[])
ON CONFLICT (sender_id) DO UPDATE SET busy = excluded.busy
"""
_FORGET = "DELETE FROM guards_watchedsender WHERE sender_id <> ALL (%s::bigint[])"


class Counted(NamedTuple):
    """What a sender ID sent in its window, and what of it failed so far."""

    sender_id: int
    company_id: int
    parent_id: int | None
    trigger_percent: int
    minimal_message_count: int
    window_minutes: int
    messages: int
    failed: int

    @property
    def failing(self) -> bool:
        enough = self.messages >= self.minimal_message_count
        return enough and self.failed * 100 >= self.trigger_percent * self.messages


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
    TrafficNotice.objects.filter(ended_at=None).exclude(sender__in=watched).update(ended_at=now)
    counted = _counted(watched, now)
    standing = TrafficNotice.objects.filter(ended_at=None).values_list("sender_id", "trouble")
    return _failures(counted, set(standing), now) + _silences(counted, set(standing), now)


def _counted(watched: QuerySet[SenderId], now: datetime) -> list[Counted]:
    """Window by window, the shortest first: each reads what the one before has not read, and all add up."""
    senders = list(
        watched.values_list(
            "pk", "company_id", "company__parent_id", "trigger_percent", "minimal_message_count", "window_size_minutes"
        )
    )
    windows = sorted({window for *_, window in senders})
    messages: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    found: list[Counted] = []
    for n, window in enumerate(windows):
        of_longer = [pk for pk, *_, each in senders if each >= window]
        till = windows[n - 1] if n else 0
        for sender_id, sent_count, failed_count in _read(of_longer, window, till, now):
            messages[sender_id] += sent_count
            failed[sender_id] += failed_count
        found += [Counted(*each, messages[each[0]], failed[each[0]]) for each in senders if each[-1] == window]
    return found


def _read(senders: list[int], first_minutes: int, till_minutes: int, now: datetime) -> list[tuple[int, int, int]]:
    """Of each sender ID that sent something from so many minutes ago till so many: what it sent, and what of it failed."""
    first, till = (first_id_from(now - timedelta(minutes=minutes)) for minutes in (first_minutes, till_minutes))
    values = {"first": first, "till": till, "senders": senders, "failed": list(FAILED), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, values)
        return list(cursor.fetchall())


def _failures(counted: list[Counted], standing: set[tuple[int, str]], now: datetime) -> int:
    begun = 0
    over = [each.sender_id for each in counted if not each.failing and (each.sender_id, Trouble.FAILING) in standing]
    TrafficNotice.objects.filter(sender__in=over, trouble=Trouble.FAILING, ended_at=None).update(ended_at=now)
    for each in (each for each in counted if each.failing):
        notices = TrafficNotice.objects.filter(sender_id=each.sender_id, trouble=Trouble.FAILING)
        latest = notices.order_by("-at").first()
        if latest is not None and latest.true_at > now - timedelta(minutes=each.window_minutes):
            TrafficNotice.objects.filter(pk=latest.pk).update(true_at=now, ended_at=None)
            continue
        notices.filter(ended_at=None).update(ended_at=now)
        begun += _begin(each, Trouble.FAILING, each.messages, now)
    return begun


def _silences(counted: list[Counted], standing: set[tuple[int, str]], now: datetime) -> int:
    """Only who sent something in its window a minute ago, or was not watched then, can have fallen silent since: of these alone
    the window before is read."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [[each.sender_id for each in counted]])
        cursor.execute(_BUSY)
        busy = dict(cursor.fetchall())
        changed = [each for each in counted if busy.get(each.sender_id) != bool(each.messages)]
        cursor.execute(_REMEMBER, [[e.sender_id for e in changed], [bool(e.messages) for e in changed]])
    back = [each.sender_id for each in counted if each.messages and (each.sender_id, Trouble.SILENT) in standing]
    TrafficNotice.objects.filter(sender__in=back, trouble=Trouble.SILENT, ended_at=None).update(ended_at=now)
    fallen = {each.sender_id: each for each in changed if not each.messages}
    begun = 0
    for window in sorted({each.window_minutes for each in fallen.values()}):
        senders = [each.sender_id for each in fallen.values() if each.window_minutes == window]
        for sender_id, before_count, _failed in _read(senders, 2 * window, window, now):
            each = fallen[sender_id]
            if before_count >= each.minimal_message_count and (sender_id, Trouble.SILENT) not in standing:
                begun += _begin(each, Trouble.SILENT, before_count, now)
    return begun


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
