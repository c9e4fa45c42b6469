"""Vendor SMPP connections and SMS sender IDs, as forms save and delete them."""

import uuid
from typing import Any

import pytest
from django.test import override_settings
from tests.records.conftest import NOW, Books
from tests.records.test_parties import copy_of, reasons_of


def connection(books: Books, name: str = "Main", password: str | None = "secret", **columns: Any) -> Any:
    from relais.records.connections.actions.save_vendor_smpp_connection import save_vendor_smpp_connection
    from relais.records.connections.models import VendorSmppConnection

    options = {key: columns.pop(key) for key in ("companies", "limits") if key in columns}
    defaults = {"company": books.owner, "host_name": "smsc.example", "port": 2775, "system_id": "relais"}
    record = columns.pop("record", None) or VendorSmppConnection(name=name, **(defaults | columns))
    return save_vendor_smpp_connection(record, password, **options)


def sender(books: Books, via: Any, name: str = "Monsters", **columns: Any) -> Any:
    from relais.records.senders.actions.save_sender_id import save_sender_id
    from relais.records.senders.models import SenderId

    defaults = {
        "company": books.client,
        "agreement": books.agreement,
        "name": name,
        "status": "active",
        "smpp_connection": via,
    }
    return save_sender_id(SenderId(sender_id=name, **(defaults | columns)), NOW)


def resaved(record: Any, **changes: Any) -> Any:
    from relais.records.senders.actions.save_sender_id import save_sender_id

    return save_sender_id(copy_of(record, **changes), NOW)


def test_VSMPP_38_VSMPP_39_names_and_ports(books: Books) -> None:
    connection(books)
    assert reasons_of(connection, books, " main ") == {"name": ("is taken: choose another",)}
    assert list(reasons_of(connection, books, "x", port=65536)) == ["port"]
    assert list(reasons_of(connection, books, "x", host_name=" ")) == ["host_name"]
    assert list(reasons_of(connection, books, "x", window_limit=0)) == ["window_limit"]
    assert list(reasons_of(connection, books, "x", system_id="s" * 16)) == ["system_id"]
    assert list(reasons_of(connection, books, "x", password="nine char")) == ["password"]
    assert connection(books, "Main", company=books.reseller).pk


def test_HTTPC_50_a_password_left_blank_on_edit_stays(books: Books) -> None:
    from relais.records.secrets import holds

    made = connection(books)
    assert reasons_of(connection, books, "x", None) == {"password": ("is required",)}
    kept = connection(books, password=None, record=copy_of(made, system_id="other"))
    assert (kept.system_id, holds(copy_of(made).password_encrypted, "secret")) == ("other", True)
    connection(books, password="new", record=copy_of(made))
    assert holds(copy_of(made).password_encrypted, "new")


def test_VSMPP_40_limits_when_ticked_need_one_and_when_unticked_go(books: Books) -> None:
    assert reasons_of(connection, books, limits=True) == {
        "rps_limit": ("give an RPS limit or a window limit, or untick Limits",)
    }
    made = connection(books, limits=True, window_limit=10)
    assert (made.rps_limit, made.window_limit) == (None, 10)
    assert connection(books, record=copy_of(made), limits=False).window_limit is None


@pytest.mark.parametrize(
    ("statuses_map", "reason"),
    [
        ({"UNDELIV": [], "undeliv ": []}, "undeliv : is there twice"),
        ({" ": []}, "a status needs its name"),
        ({"UNDELIV": [{"codes": ["1", "1"], "method": "unsent"}]}, "UNDELIV: 1 is there twice"),
        (
            {"UNDELIV": [{"method": "unsent"}, {"method": "undelivered"}]},
            "UNDELIV: a line without codes is there twice",
        ),
        ({"UNDELIV": [{"method": "lost"}]}, "UNDELIV: a line has codes (texts) and a method, unsent or undelivered"),
    ],
)
def test_VSMPP_33_VSMPP_43_a_status_and_a_code_appear_once(books: Books, statuses_map: Any, reason: str) -> None:
    assert reasons_of(connection, books, statuses_map=statuses_map) == {"statuses_map": (reason,)}


def test_VSMPP_12_a_connection_may_be_reserved_for_companies(books: Books) -> None:
    from relais.records.parties.models import Company

    other = Company.objects.create(name="Other", parent=books.reseller)
    reserved = connection(books, companies=[other])
    assert reasons_of(sender, books, reserved) == {
        "smpp_connection": ("is reserved for other companies: choose another",)
    }
    open_to_all = connection(books, record=copy_of(reserved), companies=[])
    sender(books, open_to_all)
    assert reasons_of(connection, books, record=copy_of(reserved), companies=[other]) == {
        "companies": ("Client uses it for Monsters: add it, or change that sender ID",)
    }
    assert reasons_of(connection, books, "x", company=books.reseller, companies=[books.owner]) == {
        "companies": ("System owner is neither the owner of the connection nor below it",)
    }
    connection(books, record=copy_of(reserved), companies=[other, books.client])


def test_SID_233_a_connection_in_use_is_not_deleted_and_its_senders_are_named(books: Books) -> None:
    from relais.records.connections.actions.delete_vendor_smpp_connection import delete_vendor_smpp_connection
    from relais.records.connections.models import VendorSmppConnection
    from relais.records.hanging import what_hangs_on
    from relais.records.senders.actions.delete_sender_id import delete_sender_id

    via = connection(books)
    used = [sender(books, via, name) for name in ("Monsters", "Cats")]
    assert what_hangs_on(via) == [("sender IDs (Monsters, Cats)", 2)]
    assert reasons_of(delete_vendor_smpp_connection, via.pk) == {
        "": ("Main cannot be deleted: it has 2 sender IDs (Monsters, Cats)",)
    }
    for record in used:
        delete_sender_id(record.pk, books.owner.pk, NOW)
    delete_vendor_smpp_connection(via.pk)
    assert not VendorSmppConnection.objects.exists()


def test_HTTPC_46_a_connection_with_messages_on_their_way_is_not_deleted(books: Books) -> None:
    from django.db import connection as session

    from relais.records.hanging import what_hangs_on

    via = connection(books)
    with session.cursor() as cursor:
        cursor.execute(
            "INSERT INTO traffic_outbox (connection_id, due_at, message_ids) VALUES (%s, %s, '{}')", [via.pk, NOW]
        )
    assert what_hangs_on(via) == [("batches of messages on their way", 1)]


def test_SID_8_SID_35_SID_38_SID_230_a_sender_needs_an_agreement_of_its_company_and_a_connection(books: Books) -> None:
    via = connection(books)
    assert reasons_of(sender, books, None, agreement=None) == {
        "agreement": ("is required: choose an agreement of the company",),
        "smpp_connection": ("is required: choose a connection",),
    }
    assert reasons_of(sender, books, via, company=books.reseller) == {"agreement": ("belongs to another company",)}
    assert sender(books, via, "Owner", company=books.owner, agreement=None).pk
    kept = sender(books, via)
    books.version.effective_till = NOW
    books.version.save()
    assert reasons_of(sender, books, via, "Late") == {
        "agreement": ("has ended: choose another, or add a version to it",)
    }
    assert resaved(kept, status="blocked").status == "blocked"  # what it had stays


def test_HTTPC_47_a_disabled_connection_is_kept_but_not_newly_chosen(books: Books) -> None:
    via = connection(books)
    kept = sender(books, via)
    connection(books, record=copy_of(via, disabled=True))
    assert reasons_of(sender, books, copy_of(via), "New") == {
        "smpp_connection": ("is disabled: enable it first, or choose another",)
    }
    assert resaved(kept, name="renamed").name == "renamed"
    lower = connection(books, "lower", company=books.client)
    assert list(reasons_of(sender, books, lower, "Up", company=books.reseller, agreement=None)) == [
        "agreement",
        "smpp_connection",
    ]


def test_SID_250_a_name_fits_sms_and_an_unusual_one_is_warned_of(books: Books) -> None:
    """GEN-13: letters and digits, within a channel."""
    from relais.records.senders.actions.save_sender_id import doubts_about

    via = connection(books)
    for wrong in ("s" * 21, "Привет"):
        assert reasons_of(sender, books, via, wrong) == {
            "sender_id": ("takes 1 to 20 characters of the GSM 7-bit alphabet",)
        }
    assert doubts_about(sender(books, via, "HornesHooves")) == [
        "most networks take names of at most 11 characters only"
    ]
    assert doubts_about(sender(books, via, "12")) == ["most networks take numbers of 3 to 15 digits only"]
    assert doubts_about(sender(books, via, "Monsters")) == doubts_about(sender(books, via, "34612345678")) == []


def test_SID_226_a_number_is_unique_over_all_companies_on_its_connection(books: Books) -> None:
    via = connection(books)
    sender(books, via, "34600")
    elsewhere = {"company": books.owner, "agreement": None}
    assert reasons_of(sender, books, via, " 34600 ", **elsewhere) == {
        "sender_id": ("another sender ID of this connection has the number: give it an MCC or keyword of its own",)
    }
    assert sender(books, via, "34600", keyword="CATS", **elsewhere).pk
    other = connection(books, "Other")
    taken = {
        "sender_id": ("another sender ID of this connection has the number: give it an MCC or keyword of its own",)
    }
    assert reasons_of(sender, books, via, "+34600", **elsewhere) == taken, "what comes for it is the same"
    assert reasons_of(sender, books, other, "34600", second_smpp_connection=via, **elsewhere) == taken
    sender(books, via, "Monsters")
    assert sender(books, via, "monsters", **elsewhere).pk  # names cannot be answered
    assert reasons_of(sender, books, via, "MONSTERS") == {"sender_id": ("is taken in this company and channel",)}


def test_SID_43_SID_238_the_notification_block_needs_its_three_numbers_and_keeps_them_when_off(books: Books) -> None:
    via = connection(books)
    assert list(reasons_of(sender, books, via, notifications=True)) == ["notifications"]
    figures = {"trigger_percent": 60, "minimal_message_count": 40, "window_size_minutes": 20}
    made = sender(books, via, notifications=True, **figures)
    assert resaved(made, notifications=False).trigger_percent == 60
    for column, wrong in (("trigger_percent", 101), ("minimal_message_count", 0), ("window_size_minutes", 0)):
        assert column in reasons_of(resaved, made, **{column: wrong})


def test_SID_47_SID_227_SID_237_the_other_fields_of_the_form_are_checked(books: Books) -> None:
    via = connection(books)
    guid = uuid.uuid4()
    made = sender(books, via, mcc="214", webhook_url="https://client.example/hook", service_type="x", webhook_guid=guid)
    assert made.mcc == "214"
    assert list(reasons_of(resaved, made, mcc="21")) == ["mcc"]
    assert list(reasons_of(resaved, made, webhook_url="ftp://client.example")) == ["webhook_url"]
    assert list(reasons_of(sender, books, via, "Other", webhook_guid=guid)) == ["webhook_guid"]  # SID-227


def test_SP_12_SP_28_a_company_has_one_default_sender_and_a_connection_a_fallback(books: Books) -> None:
    from relais.records.senders.actions.delete_sender_id import delete_sender_id

    via = connection(books, fallback_sender="34911234567")
    for wrong in ("1" * 16, "TwelveLetter", "Ñoño"):
        assert list(reasons_of(connection, books, "x", fallback_sender=wrong)) == ["fallback_sender"], wrong
    made, other = sender(books, via, is_default=True), sender(books, via, "Other")
    assert reasons_of(resaved, other, is_default=True) == {
        "is_default": ("another sender ID of the company is its default on this channel",)
    }
    assert sender(books, via, "House", company=books.owner, agreement=None, is_default=True).is_default
    delete_sender_id(made.pk, books.owner.pk, NOW)
    assert resaved(other, is_default=True).is_default, "the deleted one is none any more"


def test_SID_229_whoever_has_a_sender_id_is_written_to_when_it_becomes_active(books: Books) -> None:
    """NTF-8; any status may be set by hand, and what is not active any more when the mail is due is not told."""
    from django.core import mail
    from django.db import connection as session

    from relais.records.senders.activation import send_activated_mail

    def jobs() -> list[str]:
        with session.cursor() as cursor:
            cursor.execute(
                "SELECT args ->> 'address' FROM procrastinate_jobs WHERE task_name = 'send_activated_mail' ORDER BY id"
            )
            return [row[0] for row in cursor.fetchall()]

    books.version.account_emails = "a@client.example, b@client.example"
    books.version.save()
    made = sender(books, connection(books), status="draft")
    assert jobs() == []
    made = resaved(made, status="active")
    assert jobs() == ["a@client.example", "b@client.example"]
    made = resaved(resaved(made, name="Renamed"), status="blocked")
    assert len(jobs()) == 2 and not send_activated_mail(made.pk, "a@client.example")
    made = resaved(made, status="active")
    assert len(jobs()) == 4
    with override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"):
        mail.outbox = []
        assert send_activated_mail(made.pk, "a@client.example")
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["a@client.example"], "Sender ID Renamed is active")


def test_SID_225_the_channel_is_final(books: Books) -> None:
    assert "channel" in reasons_of(resaved, sender(books, connection(books)), channel="rcs")


def test_SID_246_a_deleted_sender_leaves_the_lists_keeps_its_history_and_comes_back_under_its_id(books: Books) -> None:
    from relais.records.senders.actions.delete_sender_id import delete_sender_id
    from relais.records.senders.models import SenderId

    via = connection(books)
    made = sender(books, via)
    delete_sender_id(made.pk, books.owner.pk, NOW)
    assert not SenderId.objects.exists()
    assert SenderId.everything.values_list("sender_id", "status").get() == ("Monsters", "blocked")
    other = sender(books, via, "Other")
    assert list(reasons_of(resaved, other, sender_id="monsters")) == ["sender_id"]
    again = sender(books, via, "MONSTERS")
    assert (again.pk, again.sender_id, again.status) == (made.pk, "MONSTERS", "active")


def test_RSL_54_a_sender_id_handed_down_stays_its_owners_who_takes_it_back_from_all_below(books: Books) -> None:
    """Handed down by the form, a level at a time, or made for a company further down: the steps are the same."""
    from relais.records.people.models import AuditAction
    from relais.records.senders.actions.delete_sender_id import delete_sender_id
    from relais.records.senders.actions.withdraw_sender_id import withdraw_sender_id
    from relais.records.senders.models import Handover, SenderId

    def steps(record: Any) -> list[tuple[str, str]]:
        found = Handover.objects.filter(sender=record).order_by("pk")
        return [(step.given_by.name, step.company.name) for step in found]

    via = connection(books)
    owner, reseller, client = books.owner.name, books.reseller.name, books.client.name
    own = sender(books, via, "Cats", company=books.owner, agreement=None)
    assert steps(own) == []
    resaved(own, company=books.client, agreement=books.agreement)
    lent = sender(books, via)
    assert steps(own) == steps(lent) == [(owner, reseller), (reseller, client)]
    top, below = Handover.objects.filter(sender=lent).order_by("pk")

    told = reasons_of(delete_sender_id, lent.pk, books.reseller.pk, NOW)
    assert told == {
        "": ("Monsters was handed down to you: only who made it deletes it. You can withdraw it from your client",)
    }
    assert SenderId.objects.filter(pk=lent.pk, company=books.client).exists()

    withdraw_sender_id(below.pk, NOW)
    lent.refresh_from_db()
    assert (lent.company, lent.agreement, steps(lent)) == (books.reseller, None, [(owner, reseller)])
    assert Handover.objects.get(sender=lent).pk == top.pk, "what stays is not made anew"
    resaved(lent, company=books.client, agreement=books.agreement)
    audited = AuditAction.objects.count()
    withdraw_sender_id(top.pk, NOW)
    lent.refresh_from_db()
    assert (lent.company, lent.agreement, lent.status, steps(lent)) == (books.owner, None, "active", [])
    assert AuditAction.objects.count() == audited + 1, "one transaction, one action"
    lines = AuditAction.objects.latest("pk").lines.values_list("table", "operation")
    assert sorted(lines) == [("senders_handover", "delete")] * 2 + [("senders_senderid", "update")] * 2
    assert reasons_of(withdraw_sender_id, top.pk, NOW)[""][0].startswith("no handover has the ID")

    delete_sender_id(lent.pk, books.owner.pk, NOW)
    sender(books, via, "CATS", company=books.owner, agreement=None)
    withdraw_sender_id(Handover.objects.get(sender=own, given_by=books.owner).pk, NOW)
    gone = SenderId.everything.get(pk=own.pk)
    assert (gone.status, gone.deleted_at, steps(gone)) == ("blocked", NOW, []), "the owner has another of that name"


def test_ruling_9_of_a_sender_id_moved_over_levels_the_audit_tells_each_level_its_own_step(books: Books) -> None:
    from relais.records.people.models import AuditAction
    from relais.records.senders.actions.withdraw_sender_id import withdraw_sender_id
    from relais.records.senders.models import Handover
    from relais.records.visibility import own_and_children

    def told(company: Any) -> list[tuple[Any, ...]]:
        """What the latest action's lines of the sender ID tell the company: from whom, to whom, under which agreement."""
        lines = AuditAction.objects.latest("pk").lines.filter(table="senders_senderid").order_by("pk")
        seen = lines.filter(company__in=own_and_children(company.pk))
        return [
            (x.old["company_id"], x.new["company_id"], x.old.get("agreement_id"), x.new.get("agreement_id"))
            for x in seen
        ]

    owner, reseller, client = books.owner, books.reseller, books.client
    own = sender(books, connection(books), "Cats", company=owner, agreement=None)
    resaved(own, company=client, agreement=books.agreement)
    down = [(owner.pk, reseller.pk, None, None), (reseller.pk, client.pk, None, books.agreement.pk)]
    assert (told(owner), told(reseller), told(client)) == (down[:1], down, down[1:])

    withdraw_sender_id(Handover.objects.get(sender=own, given_by=owner).pk, NOW)
    up = [(client.pk, reseller.pk, books.agreement.pk, None), (reseller.pk, owner.pk, None, None)]
    assert (told(owner), told(reseller), told(client)) == (up[1:], up, up[:1])


def test_a_second_connection_is_another_one_of_the_same_owner(books: Books) -> None:
    from relais.records.connections.actions.delete_vendor_smpp_connection import delete_vendor_smpp_connection

    first, second = connection(books), connection(books, "Second")
    foreign = connection(books, "Own", company=books.reseller)
    for wrong in (first, foreign):
        assert reasons_of(sender, books, first, second_smpp_connection=wrong) == {
            "second_smpp_connection": ("must be another connection of the same owner",)
        }
    sender(books, first, second_smpp_connection=second)
    assert reasons_of(delete_vendor_smpp_connection, second.pk) == {
        "": ("Second cannot be deleted: it has 1 sender ID (Monsters)",)
    }


def test_CSMPP_17_SID_54_a_sender_refers_to_a_client_connection_of_its_company(books: Books) -> None:
    from relais.records.connections.actions.delete_client_smpp_connection import delete_client_smpp_connection
    from relais.records.connections.actions.save_client_smpp_connection import save_client_smpp_connection
    from relais.records.connections.models import ClientSmppConnection

    def client(company: Any, login: str) -> Any:
        return save_client_smpp_connection(ClientSmppConnection(company=company, name=login, login=login), "secret")

    ours, others = client(books.client, "ours"), client(books.reseller, "others")
    assert reasons_of(sender, books, connection(books), client_smpp_connection=others) == {
        "client_smpp_connection": ("belongs to another company",)
    }
    made = sender(books, connection(books, "Other"), client_smpp_connection=ours)
    assert made.client_smpp_connection == ours
    assert reasons_of(delete_client_smpp_connection, ours.pk) == {
        "": ("ours cannot be deleted: it has 1 sender ID (Monsters)",)
    }
    delete_client_smpp_connection(others.pk)
    assert list(ClientSmppConnection.objects.all()) == [ours]
