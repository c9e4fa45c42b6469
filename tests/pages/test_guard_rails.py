"""Guard rails and notices of traffic in the BackOffice: what their forms refuse, who sees what, whom a notice reaches."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.account.test_reset_by_mail import mail_server, text_of, work
from tests.pages.conformance import by_session
from tests.pages.test_notices import told
from tests.records.traffic_rows import put, put_message

NOW = datetime.now(UTC).replace(microsecond=0)


def company(name: str) -> Any:
    from relais.records.parties.models import Company

    return Company.objects.get(name=name)


def refused(client: Any, url: str, values: dict[str, Any]) -> dict[str, list[str]]:
    answer = client.post(url, values)
    assert answer.status_code == 422, answer.status_code
    errors: dict[str, list[str]] = answer.context["drawer"].form.errors
    return errors


def test_guard_rails_are_set_changed_and_seen_by_their_keeper_alone(pages: str) -> None:
    from relais.records.connections.models import ClientSmppConnection
    from relais.records.guards.models import Cap, FloodFilter, LinkList, TrustedNumber
    from relais.records.people.models import ApiKey
    from relais.records.senders.models import SenderId

    reseller, owner = by_session("reseller"), by_session("owner")
    client, sender = company("Telecom Monsters"), SenderId.objects.get(sender_id="Monsters")
    cap = {"client": client.pk, "period": "hour", "doing": "refuse"}
    bound = ClientSmppConnection.objects.get(login="monsters")
    of_both = {"client_connection": bound.pk, "api_key": ApiKey.objects.filter(company=client)[0].pk}
    for values, field in (
        (cap, "messages_max"),
        (cap | {"spend_max": "5"}, "currency"),
        (cap | {"spend_max": "0", "currency": "EUR"}, "spend_max"),
        (cap | {"messages_max": "5", "prefix": "34x"}, "prefix"),
        (cap | {"messages_max": "0"}, "messages_max"),
        (cap | {"messages_max": "5", "client": company("System owner").pk}, "client"),
        (cap | {"messages_max": "5"} | of_both, "client_connection"),
    ):
        assert field in refused(reseller, "/bo/caps/new/", values), field
    assert "client" in refused(owner, "/bo/caps/new/", cap | {"messages_max": "5"}), "not the owner's own client"
    flood = {"client": client.pk, "sender": sender.pk, "doing": "watch"}
    links = {"sender": sender.pk, "doing": "refuse", "hosts": "example.com\nno host"}
    for name, values, field in (
        ("flood-filters", flood, "identical_max"),
        ("flood-filters", flood | {"different_max": "101"}, "different_max"),
        ("link-lists", links, "hosts"),
        ("trusted-numbers", {"numbers": "34600123456\nMonsters"}, "numbers"),
    ):
        assert field in refused(reseller, f"/bo/{name}/new/", values), field
    assert (
        not TrustedNumber.objects.filter(company=client.parent).exists()
        and not LinkList.objects.exists()
        and not FloodFilter.objects.exists()
    )
    spend = {"spend_max": "7.50", "currency": "EUR"}
    for name, values in (
        ("caps", cap | spend | {"messages_max": "5", "prefix": "+34 6", "client_connection": bound.pk}),
        ("flood-filters", flood | {"identical_max": "3"}),
        ("link-lists", links | {"hosts": "https://Example.com/x, example.com\n\nmüller.de"}),
        ("trusted-numbers", {"numbers": "+34 600 123 456\n34600123457"}),
    ):
        assert reseller.post(f"/bo/{name}/new/", values).status_code == 302, name
    made = Cap.objects.get(company__name="Hornes and Hooves")
    assert (made.spend_max_micros, made.prefix, LinkList.objects.get().hosts) == (
        7_500_000, "346", "https://Example.com/x\nmüller.de",
    )  # fmt: skip
    for hour in range(2):  # this one, and the next, which may begin meanwhile
        began = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=hour)
        put("guards_capuse", cap_id=made.pk, period_start=began, messages=4, micros=1_250_000)
    shown = reseller.get(f"/bo/caps/{made.pk}/").content.decode()
    assert "1.25" in shown and "7.50" in shown and str(bound) in shown
    assert reseller.post(
        f"/bo/flood-filters/{FloodFilter.objects.get().pk}/edit/", {"identical_max": "9", "doing": "refuse"}
    )
    assert FloodFilter.objects.get().identical_max == 9
    assert owner.get(f"/bo/caps/{made.pk}/").status_code == 404, "a level does not see what another keeps"
    put("guards_guarded", at=NOW, company_id=client.parent_id, client_id=client.pk, sender="Monsters",
        recipient="34600123456", country="ES", why="identical", guard_id=1, detail="3", refused=True, messages=1)  # fmt: skip
    listed = reseller.get("/bo/guard-rails/?refused=true").content.decode()
    assert "3460•••••56" in listed and "34600123456" not in listed and "Flood: same text" in listed
    assert "3460•••••56" not in owner.get("/bo/guard-rails/").content.decode()
    assert b"34600123456" not in b"".join(reseller.get("/bo/guard-rails/csv/").streaming_content)


def test_NTF_22_30_additional_emails_are_addresses_and_each_level_has_its_own(pages: str) -> None:
    from relais.records.guards.models import NoticeAddresses

    reseller, owner = by_session("reseller"), by_session("owner")
    url = "/bo/notice-addresses/new/"
    assert "emails" in refused(reseller, url, {"event": "traffic", "emails": "noc@example.com, nobody"})
    sent = {"event": "traffic", "emails": " noc@example.com,night@example.com, noc@example.com"}
    assert reseller.post(url, sent).status_code == 302
    told = NoticeAddresses.objects.get()
    assert (told.emails, told.company.name) == ("noc@example.com, night@example.com", "Hornes and Hooves")
    assert "noc@example.com" not in owner.get("/bo/notice-addresses/").content.decode()


def sends(count: int, status: int, at: datetime) -> None:
    from relais.records.senders.models import SenderId

    sender = SenderId.objects.get(sender_id="Monsters")
    for _ in range(count):
        put_message(at=at, status=status, sender_id=sender.pk, company_id=sender.company_id)


def test_SID_39_to_45_239_252_AG_46_failing_and_missing_traffic_is_noticed_once_and_told(pages: str) -> None:
    """With 60 / 40 / 20, the figures of SID-40 to SID-42; what has no final status counts as not failed. SID-2: of failures
    and of silence; SID-252: at the level directly above, and by mail to its further addresses."""
    from relais.core.lifecycle import State
    from relais.records.agreements.models import AgreementVersion
    from relais.records.guards.models import NoticeAddresses, TrafficNotice
    from relais.records.guards.traffic_watch import watch_traffic
    from relais.records.senders.models import SenderId

    def minutes(count: float) -> datetime:
        return NOW + timedelta(minutes=count)

    sends(15, State.ACCEPTED, minutes(-2))
    sends(24, State.UNDELIVERED, minutes(-2))
    assert watch_traffic(NOW) == 0 and not TrafficNotice.objects.exists(), "it is off (SID-39)"
    SenderId.objects.filter(sender_id="Monsters").update(
        notifications=True, trigger_percent=60, minimal_message_count=40, window_size_minutes=20
    )
    AgreementVersion.objects.filter(agreement__agreement_code="TM-1").update(account_emails="client@example.com")
    level = company("Hornes and Hooves")
    NoticeAddresses.objects.create(company=level, emails="noc@reseller.example, client@example.com")
    NoticeAddresses.objects.create(company=company("System owner"), emails="owner@example.com")
    assert watch_traffic(NOW) == 0, "39 messages are too few (SID-41)"
    sends(1, State.ACCEPTED, minutes(-1))
    assert watch_traffic(NOW) == 1, "24 of 40 are 60 % (SID-44)"
    assert [watch_traffic(minutes(1)), watch_traffic(minutes(2))] == [0, 0], "one notice while it is so (SID-239)"
    notice = TrafficNotice.objects.get()
    assert (notice.company, notice.trouble, notice.messages, notice.failed, notice.true_at) == (
        level,
        "failing",
        40,
        24,
        minutes(2),
    )
    reseller, owner = by_session("reseller"), by_session("owner")
    text = "24 of 40 messages of Monsters of Telecom Monsters failed within 20 minutes."
    assert told(reseller) == [(f"/bo/traffic-notices/{notice.pk}/", text)] and told(owner) == []
    assert "Messages fail" in reseller.get(f"/bo/traffic-notices/{notice.pk}/").content.decode()
    sends(1, State.DELIVERED, minutes(3))
    assert watch_traffic(minutes(3.5)) == 0 and told(reseller) == [], (
        "24 of 41 are less than 60 %: nothing is said of that"
    )
    sends(20, State.REJECTED, minutes(4))
    assert watch_traffic(minutes(5)) == 0 and len(told(reseller)) == 1, "it was not false for a whole window"
    assert watch_traffic(minutes(27)) == 1, "nothing in twenty minutes after 61 in those before"
    assert [watch_traffic(minutes(28)), watch_traffic(minutes(60))] == [0, 0], "reported once"
    assert TrafficNotice.objects.get(trouble="silent").messages == 61
    assert told(reseller)[0][1] == "Monsters of Telecom Monsters has sent no message for 20 minutes."
    sends(40, State.FAILED, minutes(61))
    assert watch_traffic(minutes(62)) == 1, "failing again, after more than a window"
    assert not TrafficNotice.objects.filter(trouble="silent", ended_at=None).exists(), "traffic has returned"
    assert watch_traffic(minutes(85)) == 1, "and silent again"
    SenderId.objects.filter(sender_id="Monsters").update(notifications=False)
    assert watch_traffic(minutes(86)) == 0 and told(reseller) == []
    with mail_server() as sink:
        work(pages)
    assert sorted(mail["To"] for mail in sink.mails) == ["client@example.com"] * 4 + ["noc@reseller.example"] * 4
    texts = " ".join(text_of(mail) for mail in sink.mails)
    assert "Of 40 messages that Monsters of Telecom Monsters sent in the last 20 minutes, 24 had failed" in texts
    assert "sent no message in the 20 minutes before" in texts
    sums_up_windows_of_different_lengths(minutes)


def sums_up_windows_of_different_lengths(minutes: Any) -> None:
    from relais.core.lifecycle import State
    from relais.records.guards.models import TrafficNotice
    from relais.records.guards.traffic_watch import watch_traffic
    from relais.records.senders.models import SenderId

    SenderId.objects.filter(sender_id="Monsters").update(notifications=True, window_size_minutes=5)
    other = SenderId.objects.get(sender_id="Monsters")
    other.pk, other.sender_id, other.webhook_guid, other.is_default = None, "Others", None, False
    other.trigger_percent, other.minimal_message_count, other.window_size_minutes = 80, 5, 60
    other.save()
    for at, state in (
        (239, State.FAILED),
        (241, State.EXPIRED),
        (250, State.SENT),
        (296, State.FAILED),
        (299, State.REJECTED),
    ):
        put_message(at=minutes(at), status=state, sender_id=other.pk, company_id=other.company_id)
    assert watch_traffic(minutes(300)) == 0, "four in the last hour"
    put_message(at=minutes(300), status=State.FAILED, sender_id=other.pk, company_id=other.company_id)
    assert watch_traffic(minutes(300.5)) == 1
    notice = TrafficNotice.objects.get(sender=other)
    assert (notice.messages, notice.failed, notice.window_minutes) == (5, 4, 60)
