"""Who sees what, asked through the one door."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from tests.records.conftest import EUR, NOW, START
from tests.records.hashing import quick_hashes
from tests.records.test_dictionaries_and_people import new_user


@dataclass
class World:
    """Owner → reseller → client → nobody; owner → neighbour. Each company has everything it can have."""

    companies: dict[str, Any]
    users: dict[str, Any]
    rows: dict[type[Any], dict[str, int]]  # model → company whose it is → id


COMPANIES = ("owner", "neighbour", "reseller", "client")
PARENTS = {"neighbour": "owner", "reseller": "owner", "client": "reseller"}
OWN_AND_CHILDREN = {
    "owner": {"owner", "neighbour", "reseller"},
    "neighbour": {"neighbour"},
    "reseller": {"reseller", "client"},
    "client": {"client"},
}
ABOVE = {
    "owner": {"owner"},
    "neighbour": {"neighbour", "owner"},
    "reseller": {"reseller", "owner"},
    "client": {"client", "reseller", "owner"},
}
CHILDREN = {"owner": {"neighbour", "reseller"}, "neighbour": set(), "reseller": {"client"}, "client": set()}
ITSELF = {name: {name} for name in COMPANIES}
SOLD_AND_BOUGHT = {
    name: CHILDREN[name] | (set() if name == "owner" else {name}) for name in COMPANIES
}  # by the buying company


@pytest.fixture
def world(records: str) -> Iterator[World]:
    from relais.records.parties.models import Company

    companies = {"owner": Company.objects.get(parent=None)}
    for name, parent in PARENTS.items():
        companies[name] = Company.objects.create(name=name, parent=companies[parent], type="reseller")
    with quick_hashes():
        users = {name: new_user(company, login=name, interface="backoffice") for name, company in companies.items()}
    Company.objects.filter(name="client").update(type="client")  # whose people of the BackOffice are from before
    world = World(companies, users, {})
    note(world, Company, {name: company.pk for name, company in companies.items()})
    note(world, type(users["owner"]), {name: user.pk for name, user in users.items()})
    for name in COMPANIES:
        make_assets(world, name)
    for name in PARENTS:
        make_business(world, name)
    yield world


def make_assets(world: World, name: str) -> None:
    from relais.records.catalog.models import RateNode, Scope, Service
    from relais.records.connections.models import VendorSmppConnection
    from relais.records.parties.models import Bank, BankAccount, LegalEntity
    from relais.records.people.actions.create_api_key import create_api_key
    from relais.records.people.models import ApiKey

    company = world.companies[name]
    entity = LegalEntity.objects.create(company=company, name=name, legal_company_name=name, country="ES")
    bank = Bank.objects.create(
        company=company, name=name, country="ES", address="a", swift_code="AAAAESMM", branch_code="MAD"
    )
    account = BankAccount.objects.create(
        legal_entity=entity, bank=bank, name="A", account_holder=name, account_number=name
    )
    service = Service.objects.create(company=company, name=name, type="pay_as_you_go", currency="EUR")
    scope = Scope.objects.create(service=service, effective_from=START)
    node = RateNode.objects.create(scope=scope, domain="sms", resource="mt", price_type="flat", price_micros=1)
    connection = VendorSmppConnection.objects.create(
        company=company, name=name, host_name="h", port=1, system_id="s", password_encrypted="x"
    )
    key, _ = create_api_key(company.pk, name)
    for row in (entity, bank, account, service, scope, node, connection):
        note(world, type(row), {name: row.pk})
    note(world, ApiKey, {name: key.pk})


def make_business(world: World, name: str) -> None:
    """What the company buys from the one above it."""
    from relais.records.agreements.models import (
        Agreement,
        AgreementVersion,
        Balance,
        LedgerEntry,
        LedgerKind,
        ResellingAgreement,
    )
    from relais.records.agreements.posting import post
    from relais.records.billing.models import Payment
    from relais.records.catalog.models import EnabledService, Service
    from relais.records.parties.models import LegalEntity
    from relais.records.senders.models import Handover, SenderId

    seller = PARENTS[name]
    entity_id = world.rows[LegalEntity][name]
    agreement = Agreement.objects.create(
        company=world.companies[name],
        legal_entity_id=entity_id,
        own_legal_entity_id=world.rows[LegalEntity][seller],
        agreement_code=name,
        agreement_date=date(2025, 1, 1),
        currency="EUR",
    )
    payment = Payment.objects.create(
        agreement=agreement,
        payment_date=date(2025, 1, 1),
        reference_code="P",
        payment_amount_micros=EUR,
        payment_currency="EUR",
        replenishment_amount_micros=EUR,
        confirmed=True,
        counted=True,
    )
    post(agreement.pk, LedgerKind.PAYMENT, EUR, NOW, payment.pk)
    sender = SenderId.objects.create(company=world.companies[name], agreement=agreement, sender_id="Shop", name="Shop")
    step = Handover.objects.create(sender=sender, given_by=world.companies[seller], company=world.companies[name])
    rows = (
        agreement,
        payment,
        AgreementVersion.objects.create(
            agreement=agreement, effective_from=START, billing_timezone="Etc/UTC", billing_period="monthly"
        ),
        EnabledService.objects.create(
            agreement=agreement, service_id=world.rows[Service][seller], effective_from=START
        ),
        ResellingAgreement.objects.create(legal_entity_id=entity_id, agreement=agreement, effective_from=START),
        sender,
        Balance.objects.get(agreement=agreement),
        LedgerEntry.objects.get(agreement=agreement),
    )
    for row in rows:
        note(world, type(row), {name: row.pk})
    note(world, Handover, {seller: step.pk})


def note(world: World, model: type[Any], ids: dict[str, int]) -> None:
    world.rows.setdefault(model, {}).update(ids)


def seen(world: World, model: type[Any], action: Any = "view") -> dict[str, set[str]]:
    """User's company → companies whose rows of the model it sees."""
    from relais.records.visibility import visible

    names = {key: name for name, key in world.rows[model].items()}
    return {
        viewer: {names[key] for key in visible(model, world.users[viewer], action).values_list("pk", flat=True)}
        for viewer in COMPANIES
    }


def test_GEN_63_a_company_sees_itself_and_its_direct_children_only(world: World) -> None:
    from relais.records.parties.models import Company, LegalEntity
    from relais.records.people.models import ApiKey, User

    for model in (LegalEntity, ApiKey, User):
        assert seen(world, model) == OWN_AND_CHILDREN, model
        assert seen(world, model, "manage") == OWN_AND_CHILDREN, model
    assert seen(world, Company) == OWN_AND_CHILDREN
    assert seen(world, Company, "manage") == CHILDREN


def test_OBA_21_an_account_assigned_from_above_is_seen_by_whom_it_is_for_and_changed_by_its_keeper(
    world: World,
) -> None:
    from relais.records.parties.models import BankAccount

    assert seen(world, BankAccount) == OWN_AND_CHILDREN
    assert seen(world, BankAccount, "manage") == CHILDREN | {"owner": OWN_AND_CHILDREN["owner"]}


def test_sender_ids_are_those_of_the_company_and_its_children(world: World) -> None:
    from relais.records.senders.models import SenderId

    with_senders = {viewer: names - {"owner"} for viewer, names in OWN_AND_CHILDREN.items()}
    assert seen(world, SenderId) == seen(world, SenderId, "manage") == with_senders


def test_BK_25_banks_are_seen_down_the_chain_and_kept_by_their_level(world: World) -> None:
    from relais.records.parties.models import Bank

    assert seen(world, Bank) == ABOVE
    assert seen(world, Bank, "manage") == ITSELF


def test_RSL_51_a_buyer_reads_its_agreement_and_the_seller_manages_it(world: World) -> None:
    from relais.records.agreements.models import (
        Agreement,
        AgreementVersion,
        Balance,
        LedgerEntry,
        ResellingAgreement,
    )
    from relais.records.billing.models import Payment
    from relais.records.catalog.models import EnabledService

    for model in (Agreement, AgreementVersion, Balance, LedgerEntry, Payment, EnabledService, ResellingAgreement):
        assert seen(world, model) == SOLD_AND_BOUGHT, model
        assert seen(world, model, "manage") == CHILDREN, model


def test_ES_16_a_service_hidden_from_the_client_is_seen_by_its_seller_alone(world: World) -> None:
    from relais.records.catalog.models import EnabledService

    EnabledService.objects.update(hidden_from_client=True)
    assert seen(world, EnabledService) == CHILDREN


def test_RSL_51_services_rates_and_vendors_are_nobody_elses(world: World) -> None:
    from relais.records.catalog.models import RateNode, Scope, Service
    from relais.records.connections.models import VendorSmppConnection

    for model in (Service, Scope, RateNode, VendorSmppConnection):
        assert seen(world, model) == seen(world, model, "manage") == ITSELF, model


def test_dictionaries_are_everybodys_and_the_system_owners_to_change(world: World) -> None:
    from relais.records.catalog.models import Country
    from relais.records.visibility import visible

    assert [visible(Country, world.users[name]).count() for name in COMPANIES] == [3, 3, 3, 3]
    assert [visible(Country, world.users[name], "manage").count() for name in COMPANIES] == [3, 0, 0, 0]


def test_AUD_11_a_reader_sees_actions_on_records_of_its_company_and_its_children(world: World) -> None:
    from relais.records.audit import audited, note
    from relais.records.people.models import AuditAction, AuditLine
    from relais.records.visibility import visible

    newest = AuditAction.objects.latest("pk").pk
    for name in COMPANIES:
        with audited(f"change {name}", user=world.users["owner"], ip_address=None):
            world.companies[name].description = "x"
            world.companies[name].save()
        note(f"log in {name}", user=world.users[name], ip_address=None)
    note("log in nobody", user=None, ip_address=None, user_name="nobody")

    def read(model: type[Any], column: str, prefix: str, **condition: Any) -> dict[str, set[str]]:
        return {
            viewer: {
                value.removeprefix(prefix)
                for value in visible(model, world.users[viewer]).filter(**condition).values_list(column, flat=True)
                if value.startswith(prefix)
            }
            for viewer in COMPANIES
        }

    assert read(AuditAction, "action", "change ", pk__gt=newest) == OWN_AND_CHILDREN
    with_strangers = OWN_AND_CHILDREN | {"owner": OWN_AND_CHILDREN["owner"] | {"nobody"}}
    assert read(AuditAction, "action", "log in ", pk__gt=newest) == with_strangers
    assert read(AuditLine, "action__action", "change ", action__gt=newest) == OWN_AND_CHILDREN
    assert not visible(AuditAction, world.users["owner"], "manage").exists()
    assert not visible(AuditLine, world.users["owner"], "manage").exists()


def test_GEN_68_preferences_are_the_persons_own(world: World) -> None:
    from django.db import IntegrityError, transaction

    from relais.records.people.models import ListPreference, SavedFilter
    from relais.records.visibility import visible

    owner, other = world.users["owner"], new_user(world.companies["owner"], login="other", interface="backoffice")
    kept = SavedFilter.objects.create(user=owner, entity="companies", name="Mine", query="q=1")
    ListPreference.objects.create(user=owner, entity="companies", columns=["id", "name"], page_size=50)
    for model in (SavedFilter, ListPreference):
        assert visible(model, owner, "manage").count() == 1
        assert not visible(model, other).exists()
    with pytest.raises(IntegrityError, match="saved_filter_name_once"), transaction.atomic():
        SavedFilter.objects.create(user=owner, entity="companies", name="MINE")
    with pytest.raises(IntegrityError, match="list_preference_once_an_entity"), transaction.atomic():
        ListPreference.objects.create(user=owner, entity="companies")
    SavedFilter.objects.create(user=other, entity="companies", name="Mine")
    owner.delete()
    assert not SavedFilter.objects.filter(pk=kept.pk).exists()


def test_CP_14_in_the_client_portal_a_company_sees_what_it_has_as_a_client_and_nothing_it_sells(world: World) -> None:
    """Also people of a reseller: whom it sells to, at what price and by which vendor stays in the BackOffice."""
    from relais.records.agreements.models import Agreement, AgreementVersion, Balance, LedgerEntry, ResellingAgreement
    from relais.records.billing.models import Payment
    from relais.records.catalog.models import EnabledService, RateNode, Scope, Service
    from relais.records.connections.models import VendorSmppConnection
    from relais.records.parties.models import Bank, BankAccount, Company, LegalEntity
    from relais.records.people.models import ApiKey, AuditAction, AuditLine, Department, Role, User, UserRole
    from relais.records.senders.models import SenderId
    from relais.records.visibility import visible

    inside, roles = world.users, {}
    world.users = {name: new_user(company, login=name) for name, company in world.companies.items()}
    for name, company in world.companies.items():
        Department.objects.create(company=company, name=name)
        roles[name] = Role.objects.create(
            company=company, interface="client_portal", name=name, levels={"Export": "view"}
        )
    bought = {name: {name} - {"owner"} for name in COMPANIES}  # the System owner is nobody's client
    nothing: dict[str, set[str]] = {name: set() for name in COMPANIES}
    for model in (Company, LegalEntity):
        assert seen(world, model) == ITSELF, model
    for model in (Agreement, AgreementVersion, Balance, LedgerEntry, Payment, EnabledService, SenderId):
        assert seen(world, model) == bought, model
    for model in (Bank, BankAccount, Service, Scope, RateNode, VendorSmppConnection, ApiKey, ResellingAgreement):
        assert seen(world, model) == nothing, model
    for model in set(world.rows) - {User}:
        assert seen(world, model, "manage") == nothing, model
    for name, user in world.users.items():
        for action in ("view", "manage"):
            assert [*visible(User, user, action)] == [user], "not the one of the BackOffice (USR-76)"
            assert {each.user for each in visible(UserRole, user, action)} == {user}
        assert {each.name for each in visible(Department, user)} == {name, "Admin", "First line support"}
        assert [each.name for each in visible(Department, user, "manage")] == [name]
        assert {each.interface for each in visible(Role, user)} == {"client_portal"}, "ROLE-27"
        above = {PARENTS[name]} if name in PARENTS else set()
        assert {each.name for each in visible(Role, user) if not each.is_system} == {name} | above
        assert not visible(Role, user, "manage").exists()
        assert not visible(AuditAction, user).exists() and not visible(AuditLine, user).exists()
    EnabledService.objects.update(hidden_from_client=True)
    assert seen(world, EnabledService) == nothing, "CP-62: not shown to the client"
    assert inside["owner"] not in visible(User, world.users["owner"])


def test_a_query_that_is_given_is_narrowed_and_stays_one_query(world: World) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from relais.records.visibility import _RULES, visible

    for model in _RULES:
        for action in ("view", "manage"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                found = visible(model._default_manager.filter(pk__in=[]), world.users["reseller"], action)
                assert list(found) == []
                visible(model, world.users["reseller"], action).count()
            assert len(queries) <= 2, model


def test_a_model_without_a_rule_is_not_looked_at_and_the_anonymous_see_nothing(world: World) -> None:
    from django.contrib.auth.models import AnonymousUser, Group

    from relais.records.catalog.models import Country
    from relais.records.parties.models import Company
    from relais.records.visibility import register, visible

    with pytest.raises(LookupError, match=r"no rule says who sees auth\.Group"):
        visible(Group, world.users["owner"])
    with pytest.raises(ValueError, match="neither view nor manage"):
        visible(Company, world.users["owner"], "delete")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="has its rule already"):
        register(Company, lambda user, action: None)
    assert not visible(Country, AnonymousUser()).exists()
    assert not visible(Country, None).exists()


def test_every_model_of_business_records_has_a_rule(records: str) -> None:
    from django.apps import apps

    from relais.records.visibility import _RULES

    ours = {
        model
        for model in apps.get_models()
        if model.__module__.startswith("relais.records.") and model._meta.app_label != "traffic"
    }
    assert ours - set(_RULES) == set()
