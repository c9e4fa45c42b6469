"""What the audit keeps, whoever writes."""

from typing import Any

import psycopg
import pytest
from tests.records.conftest import Books
from tests.records.test_dictionaries_and_people import new_user

MARK = "•••"
ADDRESS = "192.0.2.7"


def test_GEN_66_a_change_is_told_with_who_made_it_and_its_old_and_new_values(books: Books) -> None:
    from relais.records.audit import audited
    from relais.records.people.models import AuditAction

    ada = new_user(books.reseller, interface="backoffice", first_name="Ada", last_name="Lovelace")
    seen = newest_action()
    with audited("company.changed", user=ada, ip_address=ADDRESS, on_behalf_of=books.reseller):
        books.client.name = "Client Ltd"
        books.client.save()
    action = AuditAction.objects.get(pk__gt=seen)
    assert (action.actor, action.user_id, action.user_name) == ("user", ada.pk, "Ada Lovelace (ada)")
    assert (action.interface, action.ip_address, action.action) == ("backoffice", ADDRESS, "company.changed")
    assert (action.on_behalf_of_id, action.company_id) == (books.reseller.pk, books.client.pk)
    assert lines_after(seen) == [
        ("parties_company", "update", str(books.client.pk), {"name": "Client"}, {"name": "Client Ltd"}, books.client.pk)
    ]


def test_AUD_6_an_action_has_a_line_for_each_row_and_nested_ones_join_it(books: Books) -> None:
    from relais.records.audit import audited
    from relais.records.parties.models import Bank, Company
    from relais.records.people.models import AuditAction

    seen = newest_action()
    with audited("outer", user=None, ip_address=None):
        child = Company.objects.create(name="New", parent=books.owner)
        with audited("inner", user=None, ip_address=None):
            bank = Bank.objects.create(
                company=child, name="B", country="ES", address="a", swift_code="AAAAESMM", branch_code="MAD"
            )
        bank.delete()
    assert list(AuditAction.objects.filter(pk__gt=seen).values_list("action", "company")) == [("outer", child.pk)]
    assert [(line[0], line[1], line[5]) for line in lines_after(seen)] == [
        ("parties_company", "insert", child.pk),
        ("parties_bank", "insert", child.pk),
        ("parties_bank", "delete", child.pk),
    ]
    made, deleted = lines_after(seen)[1], lines_after(seen)[2]
    assert (made[3], made[4]["swift_code"]) == (None, "AAAAESMM")
    assert (deleted[3]["swift_code"], deleted[4]) == ("AAAAESMM", None)


def test_AUD_9_an_action_that_fails_leaves_neither_a_line_nor_itself(books: Books) -> None:
    from relais.records.audit import audited

    seen = newest_action()
    with pytest.raises(ZeroDivisionError), audited("company.changed", user=None, ip_address=None):
        books.client.name = "Other"
        books.client.save()
        raise ZeroDivisionError
    assert (newest_action(), lines_after(seen)) == (seen, [])
    books.client.refresh_from_db()
    assert books.client.name == "Client"


def test_AUD_12_a_transaction_that_nobody_named_is_one_action_of_the_program(books: Books, records: str) -> None:
    from relais.records.people.models import AuditAction

    seen = newest_action()
    with psycopg.connect(records, application_name="psql") as writer:
        writer.execute("UPDATE parties_company SET name = name || '!' WHERE parent_id IS NOT NULL")
        writer.execute("UPDATE parties_company SET description = 'x' WHERE parent_id IS NULL")
    found = AuditAction.objects.filter(pk__gt=seen)
    assert [(row.actor, row.action, row.user_name, row.lines.count()) for row in found] == [("system", "psql", "", 3)]


def test_an_action_that_changes_no_row_is_kept_as_the_affair_of_the_actors_company(books: Books) -> None:
    from django.db import transaction

    from relais.records.audit import audited
    from relais.records.people.models import AuditAction

    user = new_user(books.client)
    seen = newest_action()
    with audited("prefixes.imported", user=user, ip_address=ADDRESS):
        pass
    with audited("dictionary.loaded", user=None, ip_address=None):
        pass
    with audited("undone", user=None, ip_address=None):
        transaction.set_rollback(True)
    found = AuditAction.objects.filter(pk__gt=seen).order_by("pk")
    assert list(found.values_list("action", "user", "company")) == [
        ("prefixes.imported", user.pk, books.client.pk),
        ("dictionary.loaded", None, books.owner.pk),
    ]


def test_lines_of_another_company_than_their_action_say_so(books: Books) -> None:
    from relais.records.audit import audited
    from relais.records.people.models import AuditLine

    seen = newest_action()
    with audited("companies.renamed", user=None, ip_address=None):
        for company in (books.client, books.reseller, books.client):
            rename(company, company.name + "!")
    lines = AuditLine.objects.filter(action__gt=seen).order_by("pk")
    client, reseller = books.client.pk, books.reseller.pk
    found = list(lines.values_list("company", "action__company", "elsewhere"))
    assert found == [(client, client, False), (reseller, client, True), (client, client, False)]


def test_what_a_transaction_changes_around_an_action_is_not_attributed_to_it(books: Books) -> None:
    from django.db import transaction

    from relais.records.audit import audited
    from relais.records.people.models import AuditAction

    seen = newest_action()
    with transaction.atomic():
        rename(books.client, "before")
        with audited("company.changed", user=None, ip_address=None):
            rename(books.client, "within")
        rename(books.client, "after")
        with pytest.raises(ZeroDivisionError), audited("company.spoilt", user=None, ip_address=None):
            raise ZeroDivisionError
        rename(books.client, "last")
    found = AuditAction.objects.filter(pk__gt=seen).order_by("pk")
    named = [(row.action, [line.new["name"] for line in row.lines.order_by("pk")]) for row in found]
    assert named == [
        ("relais", ["before", "after", "last"]),
        ("company.changed", ["within"]),
    ]


def test_AUD_10_secrets_never_appear_only_that_they_changed(books: Books) -> None:
    from relais.records.connections.models import VendorSmppConnection
    from relais.records.people.actions.create_api_key import create_api_key

    seen = newest_action()
    connection = VendorSmppConnection.objects.create(
        company=books.owner, name="V", host_name="h", port=1, system_id="s", password_encrypted="sealed-1"
    )
    connection.password_encrypted = "sealed-2"
    connection.port = 2
    connection.save()
    create_api_key(books.client.pk, "main")
    user = new_user(books.client)
    user.set_password("Lovelace-2")
    user.save()
    user.delete()
    lines = [line for line in lines_after(seen) if line[0] != "people_userrole"]
    made, changed, key, person, first, password, gone = lines
    assert made[4]["password_encrypted"] == MARK
    assert changed[3:5] == ({"port": 1, "password_encrypted": MARK}, {"port": 2, "password_encrypted": MARK})
    assert (key[4]["key_hash"], key[4]["name"]) == (MARK, "main")
    assert (person[4]["password"], gone[3]["password"]) == (MARK, MARK)
    assert first[3:5] == password[3:5] == ({"password": MARK}, {"password": MARK})


def test_a_senders_webhook_guid_is_a_secret(books: Books) -> None:
    from uuid import uuid4

    from relais.records.senders.models import SenderId

    seen = newest_action()
    sender = SenderId.objects.create(company=books.client, sender_id="Shop", name="Shop", agreement=books.agreement)
    sender.webhook_guid = uuid4()
    sender.save()
    made, changed = lines_after(seen)
    assert made[4]["webhook_guid"] is None
    assert changed[3:5] == ({"webhook_guid": MARK}, {"webhook_guid": MARK})


def test_lines_belong_to_the_company_whose_record_it_is(books: Books) -> None:
    from tests.records.conftest import NOW, START

    from relais.records.agreements.models import AgreementVersion, ResellingAgreement
    from relais.records.catalog.models import EnabledService, Scope, Service
    from relais.records.parties.models import Bank, BankAccount

    seen = newest_action()
    service = Service.objects.create(company=books.reseller, name="S", type="pay_as_you_go", currency="EUR")
    Scope.objects.create(service=service, effective_from=START)
    EnabledService.objects.create(agreement=books.agreement, service=service, effective_from=START)
    bank = Bank.objects.create(
        company=books.owner, name="B", country="ES", address="a", swift_code="AAAAESMM", branch_code="MAD"
    )
    BankAccount.objects.create(legal_entity=books.entity, bank=bank, name="A", account_holder="C", account_number="1")
    AgreementVersion.objects.filter(agreement=books.agreement).update(effective_till=NOW)
    ResellingAgreement.objects.create(legal_entity=books.entity, agreement=books.agreement, effective_from=START)
    client, reseller, owner = books.client.pk, books.reseller.pk, books.owner.pk
    assert [(line[0].partition("_")[2], line[5]) for line in lines_after(seen)] == [
        ("service", reseller),
        ("scope", reseller),
        ("enabledservice", client),
        ("bank", owner),
        ("bankaccount", client),
        ("agreementversion", client),
        ("resellingagreement", client),
    ]


def test_a_payment_is_audited_and_the_ledger_is_not(books: Books) -> None:
    from datetime import date

    from tests.records.conftest import EUR, NOW

    from relais.records.billing.actions.register_payment import register_payment
    from relais.records.billing.models import Payment

    seen = newest_action()
    register_payment(
        Payment(
            agreement=books.agreement,
            payment_date=date(2025, 6, 1),
            reference_code="P-1",
            payment_amount_micros=10 * EUR,
            payment_currency="EUR",
            replenishment_amount_micros=10 * EUR,
            confirmed=True,
        ),
        NOW,
    )
    assert {(line[0], line[5]) for line in lines_after(seen)} == {("billing_payment", books.client.pk)}
    assert books.balance_micros() == 10 * EUR


def test_a_log_in_a_touch_and_a_theme_make_no_line(books: Books) -> None:
    from django.utils.timezone import now

    from relais.records.people.models import User

    user = new_user(books.client)
    seen = newest_action()
    User.objects.filter(pk=user.pk).update(last_login=now(), theme="dark", updated_at=now())
    assert (newest_action(), lines_after(seen)) == (seen, [])


def test_AUD_16_a_name_stays_readable_after_its_user_is_gone(books: Books) -> None:
    from relais.records.audit import note
    from relais.records.people.models import AuditAction, SavedFilter

    user = new_user(books.client)
    SavedFilter.objects.create(user=user, entity="companies", name="Mine", query="q=1")
    action = note("log_in", user=user, ip_address=ADDRESS)
    former = user.pk
    user.delete()
    kept = AuditAction.objects.get(pk=action.pk)
    assert (kept.user_id, kept.user_name, kept.interface) == (former, "ada ada (ada)", "client_portal")


def test_AUD_8_a_failed_log_in_keeps_what_was_typed(records: str) -> None:
    from relais.records.audit import note
    from relais.records.parties.models import Company
    from relais.records.people.models import AuditAction

    action = note("log_in.failed", user=None, ip_address="2001:db8::1", user_name="no\0body" + "x" * 300)
    kept = AuditAction.objects.get(pk=action.pk)
    assert (kept.actor, kept.user_id, kept.ip_address) == ("user", None, "2001:db8::1")
    assert kept.company_id == Company.objects.get(parent=None).pk  # nobody else's affair
    assert kept.user_name == "nobody" + "x" * 194


def test_an_address_that_is_none_is_left_out(records: str) -> None:
    from relais.records.audit import note

    told = ["fe80::1%eth0", "198.51.100.1:4711", "unknown", "", None]
    kept = [note("log_in", user=None, ip_address=address) for address in told]
    assert [row.ip_address for row in kept] == ["fe80::1", None, None, None, None]


@pytest.mark.parametrize("table", ["people_auditaction", "people_auditline"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_AUD_9_entries_cannot_be_changed_nor_deleted(books: Books, table: str, statement: str) -> None:
    from django.db import IntegrityError, connection, transaction

    count = len(lines_after(0))
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))
    assert len(lines_after(0)) == count > 0


def test_AUD_8_what_programs_do_is_logged_with_their_actor_and_only_when_they_did_it(spain_db: str) -> None:
    """The dictionaries that a migration loaded, the scenario that was applied, a user made at the command line."""
    from tests.conftest import SPAIN, relais

    with psycopg.connect(spain_db, autocommit=True) as session:
        query = "SELECT actor, split_part(action, ':', 1), user_id FROM people_auditaction ORDER BY id"
        before = session.execute(query).fetchall()
        assert before[-2:] == [("system", "Load dictionaries", None), ("system", "Apply spain.yaml", None)]
        assert "unchanged" in relais("apply", str(SPAIN), dsn=spain_db).stdout
        assert session.execute(query).fetchall() == before
        new = ("--company", "System owner", "--login", "second", "--e-mail", "second@example.com")
        assert relais("user", "add", *new, "--password", "weak", dsn=spain_db).returncode == 1
        assert session.execute(query).fetchall() == before
        assert relais("user", "add", *new, "--password", "Another-demo-2025", dsn=spain_db).returncode == 0
        assert session.execute(query).fetchall() == [*before, ("system", "Add User", None)]


def test_AUD_8_a_payment_that_lapses_is_the_deed_of_a_job(books: Books) -> None:
    from datetime import date

    from tests.records.conftest import EUR, NOW

    from relais.records.billing.actions.lapse_payments import lapse_payments
    from relais.records.billing.actions.register_payment import register_payment
    from relais.records.billing.models import Payment
    from relais.records.people.models import AuditAction

    payment = Payment(
        agreement=books.agreement,
        payment_date=date(2025, 6, 1),
        reference_code="P-1",
        payment_amount_micros=10 * EUR,
        payment_currency="EUR",
        replenishment_amount_micros=10 * EUR,
        confirm_before=date(2025, 6, 16),
    )
    register_payment(payment, NOW)
    seen = newest_action()
    assert lapse_payments(NOW) == 0 and newest_action() == seen
    assert lapse_payments(NOW.replace(day=20)) == 1
    action = AuditAction.objects.get(pk__gt=seen)
    assert (action.actor, action.action, action.company) == ("job", "Lapse Payment", books.client)
    assert [(line[0], line[1], line[2]) for line in lines_after(seen)] == [
        ("billing_payment", "update", str(payment.pk))
    ]


def test_a_migration_attaches_the_audit_to_its_table_in_one_line(records: str) -> None:
    from django.db import connection
    from django.db.migrations.state import ProjectState

    from relais.records.audit import attach_audit

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE fruit (code text PRIMARY KEY, company_id bigint, pin text)")
    seen = newest_action()
    operation = attach_audit("fruit", "pin")
    with connection.schema_editor() as editor:
        operation.database_forwards("people", editor, ProjectState(), ProjectState())
        editor.execute("INSERT INTO fruit VALUES ('pear', 7, '1234')")
    with connection.schema_editor() as editor:
        operation.database_backwards("people", editor, ProjectState(), ProjectState())
        editor.execute("DELETE FROM fruit")
    made = {"code": "pear", "company_id": 7, "pin": MARK}
    assert lines_after(seen) == [("fruit", "insert", "pear", None, made, 7)]


def rename(company: Any, name: str) -> None:
    company.name = name
    company.save()


def newest_action() -> int:
    from django.db.models import Max

    from relais.records.people.models import AuditAction

    return AuditAction.objects.aggregate(newest=Max("pk"))["newest"] or 0


def lines_after(action_id: int) -> list[tuple[Any, ...]]:
    """(table, operation, object, old, new, company) of the actions made since, in order."""
    from relais.records.people.models import AuditLine

    columns = ("table", "operation", "object_id", "old", "new", "company_id")
    return list(AuditLine.objects.filter(action_id__gt=action_id).order_by("pk").values_list(*columns))
