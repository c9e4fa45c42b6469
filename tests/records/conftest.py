"""Django on the test's own database. Django is set up once a process; each test points its one connection elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from tests.conftest import SECRET_KEY

from relais.records.django_settings import configure, database_of

NOW = datetime(2025, 6, 15, 12, 0, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
EUR = 1_000_000


@contextmanager
def django_on(dsn: str) -> Iterator[None]:
    from django.conf import settings

    if not settings.configured:
        configure(dsn, SECRET_KEY, connections_allow_private=True)
    from django.db import connection

    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(database_of(dsn))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


@pytest.fixture
def records(db: str) -> Iterator[str]:
    """Django on a fresh migrated database with a few countries; its DSN."""
    with django_on(db):
        from relais.records.catalog.models import Country

        Country.objects.bulk_create(Country(iso=iso, name=iso) for iso in ("ES", "FR", "PT"))
        yield db


@pytest.fixture
def spain(spain_db: str) -> Iterator[str]:
    """Django on the Spain scenario; its DSN."""
    with django_on(spain_db):
        yield spain_db


@pytest.fixture
def cheap_passwords(records: str) -> Iterator[None]:
    """Passwords are hashed at once instead of slowly: for tests that make many users and are not about that."""
    from django.test import override_settings

    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@dataclass
class Books:
    """A seller and a client with an agreement."""

    owner: Any
    reseller: Any
    client: Any
    own_entity: Any
    entity: Any
    agreement: Any
    version: Any

    def balance_micros(self) -> int:
        from relais.records.agreements.models import Balance

        return Balance.objects.get(agreement=self.agreement).balance_micros

    def ledger(self) -> list[tuple[int, int]]:
        """(kind, amount) in order; their sum is always the balance."""
        from relais.records.agreements.models import LedgerEntry

        entries = list(LedgerEntry.objects.filter(agreement=self.agreement).order_by("pk"))
        assert sum(entry.amount_micros for entry in entries) == self.balance_micros()
        return [(entry.kind, entry.amount_micros) for entry in entries]


@pytest.fixture
def books(records: str) -> Books:
    from relais.records.agreements.models import Agreement, AgreementVersion
    from relais.records.parties.models import Company, LegalEntity

    owner = Company.objects.get(parent=None)
    reseller = Company.objects.create(name="Reseller", parent=owner, type="reseller")
    client = Company.objects.create(name="Client", parent=reseller)
    own_entity = LegalEntity.objects.create(company=reseller, name="R", legal_company_name="R", country="ES")
    entity = LegalEntity.objects.create(company=client, name="C", legal_company_name="C", country="ES")
    agreement = Agreement.objects.create(
        company=client,
        legal_entity=entity,
        own_legal_entity=own_entity,
        agreement_code="C-1",
        agreement_date=date(2025, 1, 1),
        currency="EUR",
    )
    version = AgreementVersion.objects.create(
        agreement=agreement, effective_from=START, billing_timezone="Europe/Madrid", billing_period="monthly"
    )
    return Books(owner, reseller, client, own_entity, entity, agreement, version)
