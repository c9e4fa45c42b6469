"""The tree of companies, and what belongs to whom."""

from datetime import date
from typing import Any

import pytest
from tests.records.conftest import NOW, Books


def test_GEN_14_the_system_owner_is_there_from_the_start_and_is_the_only_root(records: str) -> None:
    from django.db import IntegrityError

    from relais.records.parties.models import Company

    root = Company.objects.get(parent=None)
    assert (root.name, root.type, root.creator_of_resellers) == ("System owner", "reseller", True)
    with pytest.raises(IntegrityError, match="company_one_root"):
        Company.objects.create(name="Another", type="reseller")


def test_RSL_50_a_company_never_moves_so_the_tree_has_no_cycles(books: Books) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.parties.models import Company

    for parent in (books.client, books.owner, books.reseller):
        if parent.pk == books.client.parent_id:
            continue
        with pytest.raises(IntegrityError, match="cannot be moved"), transaction.atomic():
            Company.objects.filter(pk=books.client.pk).update(parent=parent)
    with pytest.raises(IntegrityError, match="must exist first"), transaction.atomic():
        Company.objects.create(pk=999, name="Own parent", parent_id=999)


def test_CO_56_names_are_unique_in_one_level_without_regard_to_case(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.actions.save_company import save_company
    from relais.records.parties.models import Company

    with pytest.raises(Invalid, match="name: is taken"):
        save_company(Company(name=" CLIENT ", parent=books.reseller, own_legal_entity=books.own_entity))
    save_company(Company(name=" client ", parent=books.owner), entity_follows=True)


def _as_client(company: Any) -> Any:
    copied = type(company).objects.get(pk=company.pk)
    copied.type = "client"
    return copied


def test_CO_61_CO_62_CO_63_resellers_stay_resellers_while_they_sell_and_only_creators_make_them(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.actions.save_company import save_company
    from relais.records.parties.models import Company

    with pytest.raises(Invalid, match="may not create resellers"):
        save_company(Company(name="Sub", parent=books.reseller, type="reseller"))
    with pytest.raises(Invalid, match="no companies below it"):
        save_company(Company(name="Sub", parent=books.client))
    with pytest.raises(Invalid, match="cannot become client"):
        save_company(_as_client(books.reseller))
    with pytest.raises(Invalid, match="not directly above"):
        save_company(Company(name="Sub", parent=books.reseller, own_legal_entity=books.entity))
    save_company(Company(name="Sub", parent=books.reseller, own_legal_entity=books.own_entity))


def test_CO_60_a_company_is_deleted_only_when_nothing_hangs_on_it(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.actions.delete_company import delete_company
    from relais.records.parties.models import Company
    from relais.records.people.actions.create_api_key import create_api_key
    from relais.records.people.actions.create_user import create_user
    from relais.records.senders.models import StopEntry

    create_user(
        company=books.client, login="ada", password="Lovelace-1", interface="client_portal", e_mail="a@b.example"
    )
    for company, reason in (
        (books.client, "Client cannot be deleted: it has 1 legal entity, 1 agreement, 1 user"),
        (books.reseller, "Reseller cannot be deleted: it has 1 company below it, 1 legal entity"),
        (books.owner, "the System owner cannot be deleted"),
    ):
        with pytest.raises(Invalid) as refusal:
            delete_company(company.pk)
        assert str(refusal.value) == reason
        assert Company.objects.filter(pk=company.pk).exists()
    idle = Company.objects.create(name="Idle", parent=books.reseller)
    create_api_key(idle.pk, "main")
    entry = StopEntry.objects.create(company=idle, number="34600123456")
    with pytest.raises(Invalid, match="it has 1 stop list entry"):
        delete_company(idle.pk)
    entry.delete()
    delete_company(idle.pk)
    assert not Company.objects.filter(pk=idle.pk).exists()


def test_LE_25_the_default_mark_leaves_the_entity_that_had_it(books: Books) -> None:
    from relais.records.parties.actions.save_legal_entity import save_legal_entity
    from relais.records.parties.models import LegalEntity

    for name in ("first", "second"):
        save_legal_entity(
            LegalEntity(company=books.client, name=name, legal_company_name=name, country="ES", is_default=True)
        )
    assert list(LegalEntity.objects.filter(is_default=True).values_list("name", flat=True)) == ["second"]


def account(books: Books, entity: Any, number: str, bank: Any, name: str) -> Any:
    from relais.records.parties.actions.save_bank_account import save_bank_account
    from relais.records.parties.models import BankAccount

    return save_bank_account(
        BankAccount(legal_entity=entity, bank=bank, name=name, account_holder="H", account_number=number)
    )


def bank_of(company: Any, swift: str = "IFNPPTTP") -> Any:
    from relais.records.parties.models import Bank

    return Bank.objects.create(
        company=company, name="Bank", country="PT", address="Lisboa", swift_code=swift, branch_code="440"
    )


def test_BA_20_an_account_number_is_unique_at_its_bank_within_one_level_whatever_its_blanks(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.models import LegalEntity

    bank = bank_of(books.owner)
    account(books, books.entity, "PT50 0002", bank, "one")
    second = LegalEntity.objects.create(company=books.client, name="C2", legal_company_name="C2", country="ES")
    with pytest.raises(Invalid, match="account_number: another account"):
        account(books, second, "pt500002", bank, "two")
    account(books, books.own_entity, "PT50 0002", bank, "the reseller's, one level up")
    account(books, second, "pt500002", bank_of(books.owner, "PFHBCZPP"), "two")


def test_BK_25_banks_are_handed_down_never_up(books: Books) -> None:
    from relais.records.errors import Invalid
    from relais.records.parties.models import LegalEntity

    top = LegalEntity.objects.create(company=books.owner, name="O", legal_company_name="O", country="PT")
    with pytest.raises(Invalid, match="not a bank of this company"):
        account(books, top, "1", bank_of(books.reseller), "up")


def test_BK_24_bank_codes_are_capitals_and_digits_of_their_length(books: Books) -> None:
    from django.db import IntegrityError, transaction

    for swift in ("ifnppttp", "IFNPPTT", "IFNPPTT-"):
        with pytest.raises(IntegrityError, match="bank_swift_code"), transaction.atomic():
            bank_of(books.owner, swift)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("legal_entity", "belongs to another company"),
        ("own_legal_entity", "directly above"),
        ("own_bank_account", "belongs to another legal entity"),
    ],
)
def test_AG_84_the_parties_of_an_agreement_belong_together(books: Books, field: str, reason: str) -> None:
    """GEN-16: the company whose balance it is is the client of the level above."""
    from relais.records.agreements.models import Agreement
    from relais.records.errors import Invalid
    from relais.records.parties.models import LegalEntity
    from relais.records.saving import save

    stranger = LegalEntity.objects.create(company=books.owner, name="O", legal_company_name="O", country="ES")
    wrong = {
        "legal_entity": stranger,
        "own_legal_entity": stranger,
        "own_bank_account": account(books, books.entity, "1", bank_of(books.owner), "theirs"),
    }
    values = {"legal_entity": books.entity, "own_legal_entity": books.own_entity} | {field: wrong[field]}
    agreement = Agreement(
        company=books.client, agreement_code="C-2", agreement_date=date(2025, 1, 1), currency="EUR", **values
    )
    with pytest.raises(Invalid) as refusal:
        save(agreement)
    assert list(refusal.value.reasons) == [field]
    assert reason in refusal.value.reasons[field][0]
    assert Agreement.objects.count() == 1


def test_AG_83_a_code_is_unique_in_its_company_without_regard_to_case(books: Books) -> None:
    from relais.records.agreements.models import Agreement, Balance
    from relais.records.errors import Invalid
    from relais.records.saving import save

    copy = Agreement.objects.get(pk=books.agreement.pk)
    copy.pk, copy._state.adding, copy.agreement_code = None, True, "c-1"
    with pytest.raises(Invalid, match="agreement_code: is taken"):
        save(copy)
    assert Balance.objects.count() == 1  # made with its agreement, by the database


def test_the_ledger_is_append_only_for_any_writer(books: Books) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.agreements.models import LedgerEntry, LedgerKind
    from relais.records.agreements.posting import post

    post(books.agreement.pk, LedgerKind.CORRECTION, 5, NOW)
    for change in (lambda rows: rows.update(amount_micros=6), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change(LedgerEntry.objects.all())
    assert books.ledger() == [(8, 5)]
