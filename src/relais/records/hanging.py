"""What refers to a record, so that a dialog can name it before anybody deletes, and the deletion refuses in the same words."""

from collections.abc import Callable, Sequence

from django.db import connection
from django.db.models import Model, Q, QuerySet

from relais.records.agreements.models import Agreement, ResellingAgreement
from relais.records.billing.models import Payment
from relais.records.catalog.models import (
    CallingCode,
    Country,
    CountryPrices,
    EnabledService,
    Network,
    NetworkCode,
    NumberPrefix,
    Scope,
    Service,
)
from relais.records.connections.models import ClientSmppConnection, MnpConnection, VendorSmppConnection
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.guards.models import Cap, FloodFilter, LinkList, TrustedNumber
from relais.records.parties.models import Bank, BankAccount, Company, LegalEntity
from relais.records.people.models import Department, Role, User
from relais.records.senders.models import SenderId, SenderRegistration, SenderRule, StopEntry

NAMES_SHOWN_MAX = 5

Found = tuple[Reason, int]  # what it is, in the plural when there are several; how many


def what_hangs_on(record: Model) -> list[Found]:
    """Only what keeps the record from being deleted, in a fixed order; empty when nothing does."""
    finder = _FINDERS.get(type(record))
    return [(label, count) for label, count in (finder(record) if finder else []) if count]


def require_nothing_hanging(record: Model) -> None:
    """`Invalid` that names what hangs on the record."""
    if hanging := what_hangs_on(record):
        listed = [Reason("%(count)s %(label)s", count=count, label=label) for label, count in hanging]
        raise Invalid.of(WHOLE, "%(record)s cannot be deleted: it has %(listed)s", record=str(record), listed=listed)


def _counted(rows: QuerySet[Model], one: str, several: str) -> Found:
    count = rows.count()
    return Reason(one if count == 1 else several), count


def _named(rows: QuerySet[Model], one: str, several: str) -> Found:
    """With the names of the first few, for what people look up by name."""
    label, count = _counted(rows, one, several)
    names = [str(row) for row in rows.order_by("pk")[:NAMES_SHOWN_MAX]]
    shown = [*names, "…"] if count > len(names) else names
    return Reason("%(label)s (%(names)s)", label=label, names=shown), count


def _of_company(company: Company) -> Sequence[Found]:
    return (
        _counted(Company.objects.filter(parent=company), "company below it", "companies below it"),
        _counted(LegalEntity.objects.filter(company=company), "legal entity", "legal entities"),
        _counted(Bank.objects.filter(company=company), "bank", "banks"),
        _counted(BankAccount.objects.filter(level=company), "bank account kept", "bank accounts kept"),
        _counted(Agreement.objects.filter(company=company), "agreement", "agreements"),
        _counted(Payment.objects.filter(agreement__company=company), "payment", "payments"),
        _counted(Service.objects.filter(company=company), "service", "services"),
        _counted(VendorSmppConnection.objects.filter(company=company), "vendor connection", "vendor connections"),
        _counted(
            VendorSmppConnection.objects.filter(companies=company).exclude(company=company),
            "vendor connection reserved for it",
            "vendor connections reserved for it",
        ),
        _counted(
            ClientSmppConnection.objects.filter(company=company), "client SMPP connection", "client SMPP connections"
        ),
        _counted(SenderId.objects.filter(company=company), "sender ID", "sender IDs"),
        _counted(
            SenderId.everything.filter(company=company).exclude(deleted_at=None),
            "deleted sender ID with its history",
            "deleted sender IDs with their history",
        ),
        _counted(StopEntry.objects.filter(company=company), "stop list entry", "stop list entries"),
        _guards_of(company),
        _counted(User.objects.filter(company=company), "user", "users"),
        _counted(
            User.everybody.filter(company=company).exclude(deleted_at=None),
            "deleted user with a history",
            "deleted users with their history",
        ),
        _counted(Role.objects.filter(company=company), "role", "roles"),
        _counted(
            Role.objects.filter(companies=company).exclude(company=company), "role made for it", "roles made for it"
        ),
        _counted(Department.objects.filter(company=company), "department", "departments"),
    )


def _guards_of(company: Company) -> Found:
    """Those that it keeps, and those that hold for it."""
    models = (Cap, FloodFilter, LinkList, TrustedNumber)
    count = sum(model.objects.filter(company=company).count() for model in models)
    count += sum(model.objects.filter(client=company).exclude(company=company).count() for model in models[:3])
    return Reason("guard rail") if count == 1 else Reason("guard rails"), count


def _of_legal_entity(entity: LegalEntity) -> Sequence[Found]:
    return (
        _counted(Agreement.objects.filter(legal_entity=entity), "agreement", "agreements"),
        _counted(Agreement.objects.filter(own_legal_entity=entity), "agreement sold", "agreements sold"),
        _counted(Company.objects.filter(own_legal_entity=entity), "company served", "companies served"),
        _counted(BankAccount.objects.filter(legal_entity=entity), "bank account", "bank accounts"),
        _counted(ResellingAgreement.objects.filter(legal_entity=entity), "reselling agreement", "reselling agreements"),
    )


def _of_bank(bank: Bank) -> Sequence[Found]:
    return (_counted(BankAccount.objects.filter(bank=bank), "bank account", "bank accounts"),)


def _of_bank_account(account: BankAccount) -> Sequence[Found]:
    return (
        _counted(
            Agreement.objects.filter(bank_account=account) | Agreement.objects.filter(own_bank_account=account),
            "agreement",
            "agreements",
        ),
    )


def _of_service(service: Service) -> Sequence[Found]:
    return (
        _counted(EnabledService.objects.filter(service=service), "enabled service", "enabled services"),
        _counted(Scope.objects.filter(service=service), "scope", "scopes"),
        _counted(
            CountryPrices.objects.filter(Q(service=service) | Q(cost_service=service)), "price list", "price lists"
        ),
    )


def _of_connection(vendor: VendorSmppConnection) -> Sequence[Found]:
    return (
        _named(
            SenderId.objects.filter(smpp_connection=vendor) | SenderId.objects.filter(second_smpp_connection=vendor),
            "sender ID",
            "sender IDs",
        ),
        (Reason("batches of messages on their way"), _unfinished_batches_count(vendor.pk)),
    )


def _of_client_connection(client: ClientSmppConnection) -> Sequence[Found]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM traffic_delivery WHERE connection_id = %s),"
            " (SELECT count(*) FROM traffic_waiting_message WHERE connection_id = %s)",
            [client.pk, client.pk],
        )
        batches_count, unfinished_count = cursor.fetchone() or (0, 0)
    return (
        _named(SenderId.objects.filter(client_smpp_connection=client), "sender ID", "sender IDs"),
        (Reason("batches of receipts it has not taken"), int(batches_count)),
        (Reason("messages it has not sent whole"), int(unfinished_count)),
    )


def _of_mnp_connection(asked: MnpConnection) -> Sequence[Found]:
    return (_named(Company.objects.filter(mnp_connection=asked), "company", "companies"),)


def _of_country(country: Country) -> Sequence[Found]:
    return (
        _counted(Network.objects.filter(country=country), "network", "networks"),
        _counted(NumberPrefix.objects.filter(country=country), "number prefix", "number prefixes"),
        _counted(CallingCode.objects.filter(country=country), "calling code", "calling codes"),
        _counted(LegalEntity.objects.filter(country=country.pk), "legal entity", "legal entities"),
        _counted(Cap.objects.filter(country=country), "cap", "caps"),
        _counted(Bank.objects.filter(country=country.pk), "bank", "banks"),
        _counted(SenderRule.objects.filter(country=country), "sender rule", "sender rules"),
        _counted(SenderRegistration.objects.filter(country=country), "sender registration", "sender registrations"),
    )


def _of_network(network: Network) -> Sequence[Found]:
    return (
        _counted(NetworkCode.objects.filter(network=network), "network code", "network codes"),
        _counted(NumberPrefix.objects.filter(network=network), "number prefix", "number prefixes"),
    )


def _of_role(role: Role) -> Sequence[Found]:
    return (_named(User.objects.filter(roles=role), "user", "users"),)


def _of_department(department: Department) -> Sequence[Found]:
    return (
        _named(User.objects.filter(department=department), "user", "users"),
        _counted(
            User.everybody.filter(department=department).exclude(deleted_at=None), "deleted user", "deleted users"
        ),
    )


def _unfinished_batches_count(connection_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM traffic_outbox WHERE connection_id = %s", [connection_id])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


_FINDERS: dict[type[Model], Callable[..., Sequence[Found]]] = {
    Company: _of_company,
    LegalEntity: _of_legal_entity,
    Bank: _of_bank,
    BankAccount: _of_bank_account,
    Service: _of_service,
    VendorSmppConnection: _of_connection,
    ClientSmppConnection: _of_client_connection,
    MnpConnection: _of_mnp_connection,
    Country: _of_country,
    Network: _of_network,
    Role: _of_role,
    Department: _of_department,
}
