"""Versions of an agreement: what may stand beside what, and what may go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.records.conftest import NOW, START, Books

LATER = datetime(2025, 9, 1, tzinfo=UTC)


def added(books: Books, effective_from: datetime, effective_till: datetime | None = None, **terms: Any) -> Any:
    from relais.records.agreements.actions.add_agreement_version import add_agreement_version
    from relais.records.agreements.models import AgreementVersion

    defaults = {"billing_timezone": "Europe/Madrid", "billing_period": "monthly"}
    return add_agreement_version(
        AgreementVersion(
            agreement=books.agreement,
            effective_from=effective_from,
            effective_till=effective_till,
            **(defaults | terms),
        )
    )


def refusal_of(act: Any, *arguments: Any, **terms: Any) -> dict[str, tuple[str, ...]]:
    from relais.records.agreements.models import AgreementVersion
    from relais.records.errors import Invalid

    before = list(AgreementVersion.objects.order_by("pk").values())
    with pytest.raises(Invalid) as refusal:
        act(*arguments, **terms)
    assert list(AgreementVersion.objects.order_by("pk").values()) == before
    return refusal.value.reasons


def test_AG_78_a_version_ends_its_open_ended_predecessor_where_it_starts(books: Books) -> None:
    added(books, LATER)
    books.version.refresh_from_db()
    assert books.version.effective_till == LATER


def test_AG_78_any_other_overlap_is_refused_with_the_id_in_the_way(books: Books) -> None:
    later = added(books, LATER)
    reason = {"effective_from": (f"overlaps the version with ID {later.pk}",)}
    assert refusal_of(added, books, LATER - timedelta(days=9), LATER + timedelta(days=1)) == {
        "effective_from": (f"overlaps the version with ID {books.version.pk}",)
    }
    assert refusal_of(added, books, LATER, None) == reason
    assert refusal_of(added, books, LATER + timedelta(days=1), LATER) != {}


def test_AG_78_the_database_itself_refuses_overlapping_versions(books: Books) -> None:
    from django.db import IntegrityError

    from relais.records.agreements.models import AgreementVersion

    with pytest.raises(IntegrityError, match="agreement_versions_never_overlap"):
        AgreementVersion.objects.create(
            agreement=books.agreement, effective_from=LATER, billing_timezone="Etc/UTC", billing_period="daily"
        )


def test_AG_78_AG_80_gaps_are_allowed_and_an_end_before_the_start_is_not(books: Books) -> None:
    books.version.effective_till = START + timedelta(days=1)
    books.version.save()
    added(books, LATER)
    assert "later than effective_from" in str(refusal_of(added, books, START - timedelta(days=2), START - timedelta(3)))


@pytest.mark.parametrize(
    ("period", "day", "split", "taken"),
    [
        ("daily", 1, True, True),
        ("daily", 2, False, False),
        ("weekly", 7, True, True),
        ("weekly", 8, False, False),
        ("monthly", 31, False, True),
        ("monthly", 32, False, False),
        ("monthly", 1, True, False),
        ("quarterly", 0, False, False),
    ],
)
def test_AG_38_AG_40_the_billing_day_and_the_split_fit_the_period(
    books: Books, period: str, day: int, split: bool, taken: bool
) -> None:
    terms = {"billing_period": period, "billing_day": day, "split_by_month": split}
    if taken:
        assert added(books, LATER, **terms).pk
    else:
        refusal_of(added, books, LATER, **terms)


def test_AG_88_AG_93_a_limit_has_the_currencys_decimals_and_addresses_are_checked(books: Books) -> None:
    reasons = refusal_of(
        added,
        books,
        LATER,
        credit_limit_micros=1,
        account_emails="a@example.com, nobody",
        billing_timezone="Mars/Olympus",
    )
    assert reasons == {
        "billing_timezone": ("is not the IANA name of a time zone",),
        "account_emails": ("'nobody' is not an e-mail address",),
        "credit_limit_micros": ("has more decimals than EUR",),
    }


def test_AG_81_an_expired_version_keeps_its_terms_and_may_get_a_code(books: Books) -> None:
    from relais.records.agreements.actions.change_agreement_version import change_agreement_version

    added(books, NOW - timedelta(days=1))
    assert refusal_of(change_agreement_version, books.version.pk, NOW, tax_bp=2100) == {
        "tax_bp": ("the version has expired",)
    }
    assert change_agreement_version(books.version.pk, NOW, version_code="old", tax_bp=0).version_code == "old"


def test_AG_75_AG_76_AG_99_only_a_version_to_come_without_charges_can_be_deleted(books: Books) -> None:
    from relais.records.agreements.actions.delete_version import delete_version
    from relais.records.agreements.models import AgreementVersion, LedgerEntry, LedgerKind

    assert refusal_of(delete_version, books.version.pk, START) == {
        "": ("the only version of an agreement cannot be deleted",)
    }
    today = added(books, NOW - timedelta(hours=1))
    assert refusal_of(delete_version, books.version.pk, NOW) == {
        "": ("a version that started before today cannot be deleted",)
    }
    LedgerEntry.objects.create(
        agreement=books.agreement, kind=LedgerKind.MESSAGES_CAPTURED, amount_micros=-1, at=NOW - timedelta(minutes=1)
    )
    assert refusal_of(delete_version, today.pk, NOW) == {"": ("charges were made under this version",)}
    later = added(books, LATER)
    delete_version(later.pk, NOW)
    assert AgreementVersion.objects.count() == 2
