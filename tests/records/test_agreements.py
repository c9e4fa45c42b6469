"""Agreements as forms make them, their credit limit, and what a reseller's entity buys under."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.records.conftest import EUR, NOW, START, Books
from tests.records.test_parties import account, bank, copy_of, entity, reasons_of

LATER = datetime(2025, 9, 1, tzinfo=UTC)


@pytest.fixture
def own_account(books: Books) -> Any:
    kept_at = bank(books.owner)
    kept_at.save()
    made = account(books.own_entity, kept_at, level=books.reseller)
    made.save()
    return made


def agreement(books: Books, own_account: Any, **columns: Any) -> Any:
    from relais.records.agreements.models import Agreement

    defaults = {
        "company": books.client,
        "legal_entity": books.entity,
        "own_legal_entity": books.own_entity,
        "own_bank_account": own_account,
        "agreement_code": "C-2",
        "agreement_date": date(2025, 1, 1),
        "currency": "EUR",
    }
    return Agreement(**(defaults | columns))


def version(**terms: Any) -> Any:
    from relais.records.agreements.models import AgreementVersion

    defaults = {"effective_from": START, "billing_timezone": "Europe/Madrid", "billing_period": "monthly"}
    return AgreementVersion(**(defaults | terms))


def test_AG_77_an_agreement_is_made_with_its_first_version_and_its_balance(books: Books, own_account: Any) -> None:
    from relais.records.agreements.actions.create_agreement import create_agreement
    from relais.records.agreements.models import Balance

    made = create_agreement(agreement(books, own_account, agreement_code=" C-2 "), version(credit_limit_micros=5 * EUR))
    assert made.agreement_code == "C-2"
    assert [row.credit_limit_micros for row in made.versions.all()] == [5 * EUR]
    assert Balance.objects.get(agreement=made).balance_micros == 0


def test_AG_77_unsound_terms_leave_no_agreement_without_a_version(books: Books, own_account: Any) -> None:
    from relais.records.agreements.actions.create_agreement import create_agreement

    assert reasons_of(create_agreement, agreement(books, own_account), version(billing_timezone="Mars")) == {
        "billing_timezone": ("is not the IANA name of a time zone",)
    }
    assert list(reasons_of(create_agreement, agreement(books, own_account), version(effective_till=START))) == [
        "effective_till"
    ]


def test_AG_21_AG_26_AG_84_every_party_that_does_not_belong_is_named_at_once(books: Books, own_account: Any) -> None:
    from relais.records.agreements.actions.create_agreement import create_agreement

    wrong = agreement(
        books,
        None,
        legal_entity=books.own_entity,
        own_legal_entity=books.entity,
        bank_account=own_account,
        currency="XXZ",
        direction="vendor",
    )
    wrong.bank_account = copy_of(own_account)
    wrong.legal_entity = books.entity
    assert reasons_of(create_agreement, wrong, version()) == {
        "direction": ("is not available: agreements are made with clients",),
        "own_legal_entity": ("must belong to the company directly above the client",),
        "bank_account": ("belongs to another legal entity",),
        "own_bank_account": ("is required: choose an account of the own legal entity",),
        "currency": ("is not the code of a currency",),
    }
    for stranger in ({"legal_entity": books.own_entity}, {"own_bank_account": None}):
        assert list(reasons_of(create_agreement, agreement(books, own_account, **stranger), version())) == list(
            stranger
        )


def test_AG_83_a_code_is_taken_within_the_company_whatever_its_case_and_blanks(books: Books, own_account: Any) -> None:
    from relais.records.agreements.actions.create_agreement import create_agreement

    assert reasons_of(create_agreement, agreement(books, own_account, agreement_code=" c-1"), version()) == {
        "agreement_code": ("is taken: choose another",)
    }


def test_AG_20_the_system_owner_has_no_agreement_with_anybody_above(books: Books, own_account: Any) -> None:
    from relais.records.agreements.actions.create_agreement import create_agreement

    top = entity(books.owner)
    top.save()
    refused = reasons_of(
        create_agreement, agreement(books, own_account, company=books.owner, legal_entity=top), version()
    )
    assert refused["company"] == ("the System owner has nobody above it to make an agreement with",)


def test_AG_55_AG_56_AG_88_the_credit_limit_is_set_alone_and_is_not_negative(books: Books) -> None:
    from relais.records.agreements.actions.change_credit_limit import change_credit_limit

    for limit_micros in (0, 12_340_000, None):
        assert change_credit_limit(books.version.pk, limit_micros, NOW).credit_limit_micros == limit_micros
    for wrong, reason in (
        (-EUR, "cannot be negative: leave it blank for no limit, 0 is prepaid"),
        (12_345_678, "has more decimals than EUR"),
        (10**19, "is at most 1000000000000: leave it blank for no limit"),
    ):
        assert reasons_of(change_credit_limit, books.version.pk, wrong, NOW) == {"credit_limit_micros": (reason,)}


def test_AG_81_the_limit_of_an_expired_version_stays(books: Books) -> None:
    from relais.records.agreements.actions.change_credit_limit import change_credit_limit

    books.version.effective_till = NOW
    books.version.save()
    assert reasons_of(change_credit_limit, books.version.pk, EUR, NOW) == {
        "credit_limit_micros": ("the version has expired",)
    }


def test_GEN_73_a_limit_set_meanwhile_is_not_overwritten(books: Books) -> None:
    from relais.records.agreements.actions.change_credit_limit import change_credit_limit
    from relais.records.agreements.actions.delete_version import delete_version
    from relais.records.saving import Changed

    seen = copy_of(books.version).updated_at
    change_credit_limit(books.version.pk, EUR, NOW, unchanged_since=seen)
    for act in (
        lambda: change_credit_limit(books.version.pk, None, NOW, unchanged_since=seen),
        lambda: delete_version(books.version.pk, NOW, unchanged_since=seen),
    ):
        with pytest.raises(Changed) as refusal:
            act()
        assert refusal.value.stored.credit_limit_micros == EUR


def test_AG_38_AG_40_a_new_period_takes_its_disabled_fields_along(books: Books) -> None:
    from relais.records.agreements.actions.change_agreement_version import change_agreement_version

    change_agreement_version(books.version.pk, NOW, billing_period="weekly", billing_day=7, split_by_month=True)
    daily = change_agreement_version(books.version.pk, NOW, billing_period="daily")
    assert (daily.billing_day, daily.split_by_month) == (1, True)
    assert not change_agreement_version(books.version.pk, NOW, billing_period="monthly").split_by_month


def test_AG_77_AG_79_lists_show_the_version_in_force_else_the_next_else_the_last(books: Books) -> None:
    from relais.records.agreements.actions.add_agreement_version import add_agreement_version
    from relais.records.agreements.terms import shown_version
    from relais.records.agreements.versions import VersionState, state_of

    books.version.effective_till = START + timedelta(days=1)
    books.version.save()
    later = add_agreement_version(
        version(agreement=books.agreement, effective_from=LATER, effective_till=LATER + timedelta(days=1))
    )
    shown = [
        shown_version(books.agreement.pk, at)
        for at in (START, START + timedelta(days=1), LATER, LATER + timedelta(days=9))
    ]
    assert shown == [books.version, later, later, later]
    assert [state_of(later, at) for at in (LATER - timedelta(seconds=1), LATER, LATER + timedelta(days=1))] == [
        VersionState.UPCOMING,
        VersionState.ACTIVE,
        VersionState.EXPIRED,
    ]


@pytest.fixture
def bought(books: Books) -> Any:
    """The reseller's agreement with the level above."""
    from relais.records.agreements.models import Agreement

    top = entity(books.owner)
    top.save()
    return Agreement.objects.create(
        company=books.reseller,
        legal_entity=books.own_entity,
        own_legal_entity=top,
        agreement_code="R-1",
        agreement_date=date(2025, 1, 1),
        currency="EUR",
    )


def link(of: Any, under: Any, effective_from: datetime = START, till: datetime | None = None) -> Any:
    from relais.records.agreements.models import ResellingAgreement

    return ResellingAgreement(legal_entity=of, agreement=under, effective_from=effective_from, effective_till=till)


def test_LE_29_only_a_resellers_entity_is_linked_and_only_with_the_resellers_agreement(
    books: Books, bought: Any
) -> None:
    from relais.records.agreements.actions.save_reselling_agreement import save_reselling_agreement

    assert reasons_of(save_reselling_agreement, link(books.entity, books.agreement)) == {
        "legal_entity": ("Client is a client and resells nothing",)
    }
    assert list(reasons_of(save_reselling_agreement, link(books.own_entity, books.agreement))) == ["agreement"]
    assert save_reselling_agreement(link(books.own_entity, bought)).pk


def test_RSL_12_RSL_45_links_may_overlap_are_told_in_the_order_tried_and_can_go(books: Books, bought: Any) -> None:
    from relais.records.agreements.actions.save_reselling_agreement import (
        delete_reselling_agreement,
        overlapping,
        save_reselling_agreement,
    )

    late = save_reselling_agreement(link(books.own_entity, bought, LATER))
    early = save_reselling_agreement(link(books.own_entity, bought, START, LATER + timedelta(days=1)))
    before = save_reselling_agreement(link(books.own_entity, bought, START - timedelta(days=1), START))
    assert overlapping(late) == [early]
    assert overlapping(early) == [late]
    assert overlapping(before) == []
    assert reasons_of(save_reselling_agreement, link(books.own_entity, bought, LATER)) == {
        "effective_from": ("this agreement is there already from that moment on",)
    }
    assert list(reasons_of(save_reselling_agreement, copy_of(late, effective_till=LATER))) == ["effective_till"]
    assert list(reasons_of(save_reselling_agreement, copy_of(late, agreement=books.agreement))) == ["agreement"]
    delete_reselling_agreement(late.pk)
    assert overlapping(early) == []
