"""Companies, legal entities, banks and bank accounts as forms save and delete them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.records.conftest import Books

SWIFT = "IFNPPTTP"


def reasons_of(act: Any, *arguments: Any, **options: Any) -> dict[str, tuple[str, ...]]:
    """Of a refusal that changed nothing."""
    from tests.records.test_apply import all_rows

    from relais.records.errors import Invalid

    before = all_rows()
    with pytest.raises(Invalid) as refusal:
        act(*arguments, **options)
    assert all_rows() == before
    return refusal.value.reasons


def copy_of(record: Any, **changes: Any) -> Any:
    """The record as a form of its own would hold it, with the changes."""
    copied = type(record)._default_manager.get(pk=record.pk)
    for column, value in changes.items():
        setattr(copied, column, value)
    return copied


def company(books: Books, name: str = "New", **columns: Any) -> Any:
    from relais.records.parties.models import Company

    return Company(name=name, **({"parent": books.reseller, "own_legal_entity": books.own_entity} | columns))


def entity(owner: Any, name: str = "LE", **columns: Any) -> Any:
    from relais.records.parties.models import LegalEntity

    return LegalEntity(company=owner, name=name, **({"legal_company_name": name, "country": "ES"} | columns))


def bank(owner: Any, **columns: Any) -> Any:
    from relais.records.parties.models import Bank

    defaults = {"name": "Bank", "country": "PT", "address": "Lisboa", "swift_code": SWIFT, "branch_code": "440"}
    return Bank(company=owner, **(defaults | columns))


def account(holder: Any, at: Any, **columns: Any) -> Any:
    from relais.records.parties.models import BankAccount

    defaults = {"name": "Main", "account_holder": "H", "account_number": "1"}
    return BankAccount(legal_entity=holder, bank=at, **(defaults | columns))


def test_CO_12_CO_55_a_company_is_made_with_the_entity_that_serves_it_and_keeps_it(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company
    from relais.records.parties.actions.save_legal_entity import save_legal_entity

    assert reasons_of(save_company, company(books, own_legal_entity=None)) == {
        "own_legal_entity": ("is required: choose the legal entity that serves this company",)
    }
    made = save_company(company(books))
    second = save_legal_entity(entity(books.reseller, "second"))
    for other in (second, None):
        assert reasons_of(save_company, copy_of(made, own_legal_entity=other)) == {
            "own_legal_entity": ("cannot be changed once the company exists",)
        }
    assert save_company(copy_of(made, description="d", moderation=True)).moderation


def test_GEN_71_names_are_trimmed_before_they_are_checked(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company

    assert save_company(company(books, "  Neww \t")).name == "Neww"
    assert reasons_of(save_company, company(books, " neww ")) == {"name": ("is taken: choose another",)}
    assert list(reasons_of(save_company, company(books, "   "))) == ["name"]
    assert list(reasons_of(save_company, company(books, "n" * 5000))) == ["name"]
    for unfit in ("a\0b", "a\nb", "a\ud800b"):
        assert reasons_of(save_company, company(books, unfit)) == {
            "name": ("has a character that cannot be stored: type it anew",)
        }


def test_CO_57_a_new_company_is_an_enabled_client_with_everything_else_off(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company

    made = save_company(company(books))
    assert (made.enabled, made.type, made.creator_of_resellers, made.moderation) == (True, "client", False, False)
    assert (made.two_factor_required, made.mnp_requests, made.mnp_connection) == (False, False, None)


def test_CO_20_CO_21_mnp_needs_channels_while_it_is_on_and_keeps_them_while_it_is_off(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company

    top = entity(books.owner)
    top.save()
    at_tenant = {"parent": books.owner, "own_legal_entity": top}
    assert reasons_of(save_company, company(books, mnp_requests=True, **at_tenant)) == {
        "mnp_channels": ("choose at least one channel while MNP requests are on",)
    }
    made = save_company(company(books, mnp_requests=True, mnp_channels=["sms", "rcs", "sms"], **at_tenant))
    assert (made.mnp_channels, str(made.mnp_connection)) == (["sms", "rcs"], "DEFAULT")
    assert save_company(copy_of(made, mnp_requests=False)).mnp_channels == ["sms", "rcs"]
    assert list(reasons_of(save_company, copy_of(made, mnp_channels=["pigeon"]))) == ["mnp_channels"]
    assert list(reasons_of(save_company, copy_of(made, mnp_connection_id=999))) == ["mnp_connection"]


def test_CO_18_CO_64_a_reseller_leaves_mnp_to_the_tenant(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company

    assert reasons_of(save_company, company(books, mnp_requests=True, mnp_channels=["sms"])) == {
        "mnp_requests": ("is governed by the tenant: leave it as it is",)
    }


def test_CO_25_CO_65_users_without_a_phone_number_are_named_before_they_are_locked_out(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company
    from relais.records.people.actions.create_user import create_user

    create_user(
        company=books.client, login="ada", password="Lovelace-1", interface="client_portal", e_mail="a@b.example"
    )
    strict = copy_of(books.client, two_factor_required=True)
    assert reasons_of(save_company, strict) == {
        "two_factor_required": ("would lock out 1 without a phone number (ada): confirm, or add their numbers",)
    }
    assert save_company(strict, lockout_intended=True).two_factor_required
    assert save_company(copy_of(strict, description="said once")).two_factor_required


def test_CO_31_CO_32_blocking_turns_enabled_off_and_back_on_and_repeats_harmlessly(books: Books) -> None:
    from relais.records.parties.actions.save_company import block_company, save_company, unblock_company

    for _ in range(2):
        assert not block_company(books.client.pk).enabled
    for _ in range(2):
        assert unblock_company(books.client.pk).enabled
    assert reasons_of(block_company, books.owner.pk) == {"": ("the System owner cannot be blocked",)}
    assert reasons_of(save_company, copy_of(books.owner, enabled=False)) == {
        "enabled": ("the System owner cannot be blocked",)
    }


def test_GEN_73_the_later_of_two_editors_is_refused_and_shown_the_stored_record(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company
    from relais.records.saving import Changed, save

    seen = copy_of(books.client).updated_at
    save_company(copy_of(books.client, description="first"), unchanged_since=seen)
    late = copy_of(books.client, description="second")
    for act in (save_company, save):
        with pytest.raises(Changed) as refusal:
            act(late, unchanged_since=seen)
        assert refusal.value.stored.description == "first"
    assert copy_of(books.client).description == "first"
    save(late, unchanged_since=copy_of(books.client).updated_at)
    assert copy_of(books.client).description == "second"


def test_GEN_73_a_record_deleted_meanwhile_cannot_be_saved(books: Books) -> None:
    from relais.records.parties.actions.delete_company import delete_company
    from relais.records.parties.actions.save_company import save_company

    made = save_company(company(books))
    form = copy_of(made)
    delete_company(made.pk)
    assert reasons_of(save_company, form) == {"": (f"no company has the ID {made.pk}",)}


def test_CO_60_what_hangs_on_a_company_is_named_in_the_words_of_the_refusal(books: Books) -> None:
    from relais.records.hanging import what_hangs_on
    from relais.records.parties.actions.delete_company import delete_company

    assert what_hangs_on(books.client) == [("legal entity", 1), ("agreement", 1)]
    assert reasons_of(delete_company, books.client.pk) == {
        "": ("Client cannot be deleted: it has 1 legal entity, 1 agreement",)
    }


def test_LE_24_LE_30_an_entitys_name_is_unique_in_its_company_and_its_country_known(books: Books) -> None:
    from relais.records.parties.actions.save_legal_entity import save_legal_entity

    assert reasons_of(save_legal_entity, entity(books.client, " c ")) == {"name": ("is taken: choose another",)}
    assert reasons_of(save_legal_entity, entity(books.client, country="XX")) == {"country": ("no country 'XX'",)}
    assert list(reasons_of(save_legal_entity, entity(books.client, tax_id_number="1" * 51))) == ["tax_id_number"]
    odd = save_legal_entity(entity(books.reseller, "C", vat_id_number="anything", tax_id_number="any"))
    assert (odd.vat_id_number, odd.is_default) == ("anything", False)


def test_LE_27_an_entity_that_is_referred_to_stays_with_its_company(books: Books) -> None:
    from relais.records.parties.actions.save_legal_entity import save_legal_entity

    assert reasons_of(save_legal_entity, copy_of(books.entity, company=books.reseller)) == {
        "company": ("cannot be changed: the legal entity has agreements",)
    }
    free = save_legal_entity(entity(books.client))
    assert save_legal_entity(copy_of(free, company=books.reseller)).company == books.reseller


def test_LE_31_OLE_25_an_entity_that_is_referred_to_is_not_deleted(books: Books) -> None:
    from relais.records.parties.actions.delete_legal_entity import delete_legal_entity
    from relais.records.parties.actions.save_company import save_company
    from relais.records.parties.actions.save_legal_entity import save_legal_entity
    from relais.records.parties.models import LegalEntity

    save_company(company(books))
    assert reasons_of(delete_legal_entity, books.own_entity.pk) == {
        "": ("R cannot be deleted: it has 1 agreement sold, 1 company served",)
    }
    free = save_legal_entity(entity(books.client))
    delete_legal_entity(free.pk)
    assert not LegalEntity.objects.filter(pk=free.pk).exists()


def test_OLE_20_own_entities_always_have_one_default(books: Books) -> None:
    from relais.records.parties.actions.delete_legal_entity import delete_legal_entity
    from relais.records.parties.actions.save_legal_entity import save_legal_entity
    from relais.records.parties.models import LegalEntity

    first = save_legal_entity(entity(books.owner, "first", legal_id_number="1"), own=True)
    second = save_legal_entity(entity(books.owner, "second", legal_id_number="2"), own=True)
    assert (first.is_default, second.is_default) == (True, False)
    assert reasons_of(save_legal_entity, copy_of(first, is_default=False), own=True) == {
        "is_default": ("mark another legal entity as the default instead: there is always one",)
    }
    save_legal_entity(copy_of(second, is_default=True), own=True)
    delete_legal_entity(second.pk, own=True)
    assert list(LegalEntity.objects.filter(company=books.owner).values_list("name", "is_default")) == [("first", True)]


def test_OLE_11_OLE_21_OLE_22_own_entities_have_a_registration_number_and_a_vat_number_of_their_country(
    books: Books,
) -> None:
    from relais.records.parties.actions.save_legal_entity import save_legal_entity

    assert reasons_of(save_legal_entity, entity(books.owner), own=True) == {
        "legal_id_number": ("is required for an own legal entity",)
    }
    save_legal_entity(entity(books.owner, legal_id_number="A1", vat_id_number="ES X1234567-Z"), own=True)
    assert reasons_of(
        save_legal_entity, entity(books.owner, "LE2", legal_id_number="a1", vat_id_number="12"), own=True
    ) == {
        "legal_id_number": ("another own legal entity of this country has it",),
        "vat_id_number": ("is not a VAT number of ES: check its letters and digits",),
    }
    save_legal_entity(entity(books.owner, "LE3", legal_id_number="a1", country="PT"), own=True)


def test_BK_16_BK_24_codes_are_stored_in_capitals_and_have_their_lengths(books: Books) -> None:
    from relais.records.parties.actions.save_bank import save_bank

    made = save_bank(bank(books.owner, swift_code=" ifnppttp ", branch_code="44o"))
    assert (made.swift_code, made.branch_code) == ("IFNPPTTP", "44O")
    assert reasons_of(save_bank, bank(books.owner, branch_code="44o")) == {
        "branch_code": ("another bank has this SWIFT code and branch code",)
    }
    save_bank(bank(books.reseller, branch_code="44o"))  # another level
    assert set(reasons_of(save_bank, bank(books.owner, swift_code="", branch_code="12"))) == {
        "swift_code",
        "branch_code",
    }
    assert list(reasons_of(save_bank, bank(books.owner, swift_code="ABCDEFG-"))) == ["swift_code"]
    assert list(reasons_of(save_bank, bank(books.owner, address=" ", branch_code="9"))) == ["address", "branch_code"]


def test_BK_25_a_bank_stays_with_the_level_that_made_it(books: Books) -> None:
    from relais.records.parties.actions.save_bank import save_bank

    made = save_bank(bank(books.owner))
    assert list(reasons_of(save_bank, copy_of(made, company=books.reseller))) == ["company"]


def test_BK_26_BA_22_OBA_20_banks_with_accounts_and_accounts_with_agreements_are_not_deleted(books: Books) -> None:
    from relais.records.hanging import what_hangs_on
    from relais.records.parties.actions.delete_bank import delete_bank
    from relais.records.parties.actions.delete_bank_account import delete_bank_account
    from relais.records.parties.actions.save_bank import save_bank
    from relais.records.parties.actions.save_bank_account import save_bank_account

    kept = save_bank(bank(books.owner))
    used = save_bank_account(account(books.entity, kept))
    type(books.agreement).objects.filter(pk=books.agreement.pk).update(bank_account=used)
    assert what_hangs_on(kept) == [("bank account", 1)]
    assert reasons_of(delete_bank, kept.pk) == {"": ("Bank cannot be deleted: it has 1 bank account",)}
    assert reasons_of(delete_bank_account, used.pk) == {"": ("Main cannot be deleted: it has 1 agreement",)}
    other = entity(books.client, "other")
    other.save()
    assert reasons_of(save_bank_account, copy_of(used, legal_entity=other)) == {
        "legal_entity": ("cannot be changed: an agreement refers to the account",)
    }
    type(books.agreement).objects.filter(pk=books.agreement.pk).update(bank_account=None)
    assert save_bank_account(copy_of(used, legal_entity=other)).legal_entity == other
    delete_bank_account(used.pk)
    delete_bank(kept.pk)


def test_OBA_24_an_account_is_kept_by_its_own_company_or_the_one_above(books: Books) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.parties.actions.save_bank import save_bank
    from relais.records.parties.actions.save_bank_account import save_bank_account
    from relais.records.parties.models import BankAccount

    top = save_bank(bank(books.owner))
    assert save_bank_account(account(books.own_entity, top, name="assigned")).level == books.owner
    own = save_bank_account(account(books.own_entity, top, name="own", level=books.reseller))
    assert own.level == books.reseller  # the same number again: it is another level (BA-20)
    assert list(reasons_of(save_bank_account, account(books.entity, top, level=books.owner))) == ["legal_entity"]
    assert list(reasons_of(save_bank_account, copy_of(own, level=books.owner))) == ["level"]
    with pytest.raises(IntegrityError, match="kept by the company"), transaction.atomic():
        BankAccount.objects.filter(pk=own.pk).update(level=books.client)


def test_OBA_19_BA_20_an_own_iban_is_checked_and_a_clients_is_not(books: Books) -> None:
    from relais.records.parties.actions.save_bank import save_bank
    from relais.records.parties.actions.save_bank_account import save_bank_account

    at = save_bank(bank(books.owner))
    wrong = "DE89 3704 0044 0532 0130 01"
    own = {"level": books.reseller}
    assert reasons_of(save_bank_account, account(books.own_entity, at, account_number=wrong, **own)) == {
        "account_number": ("looks like an IBAN with wrong check digits: check it for a slip",)
    }
    for number in ("DE89 3704 0044 0532 0130 00", "CH56 0483 5012 3456 7800 9", "12-34"):
        save_bank_account(account(books.own_entity, at, name=number, account_number=number, **own))
    save_bank_account(account(books.entity, at, account_number=wrong))


def test_BK_25_OBA_11_a_keeper_chooses_among_its_own_banks_and_those_above(books: Books) -> None:
    from relais.records.parties.actions.save_bank import save_bank
    from relais.records.parties.actions.save_bank_account import save_bank_account

    lower = save_bank(bank(books.reseller))
    save_bank_account(account(books.entity, lower))
    assert reasons_of(save_bank_account, account(books.own_entity, lower)) == {
        "bank": ("is not a bank of this company or of one above it",)
    }


def test_the_instant_of_a_change_is_the_servers(books: Books) -> None:
    from relais.records.parties.actions.save_company import save_company

    made = save_company(copy_of(books.client, created_at=datetime(2001, 1, 1, tzinfo=UTC), description="x"))
    assert made.updated_at > books.client.updated_at
