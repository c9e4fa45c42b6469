"""Records that entries name: by name or code, or by `Owner / name` where the name alone means several."""

from difflib import get_close_matches
from typing import Any

from django.db.models import Q, QuerySet

from relais.records.agreements.models import Agreement
from relais.records.catalog.models import Service
from relais.records.connections.models import ClientSmppConnection, MnpConnection, VendorSmppConnection
from relais.records.errors import Invalid
from relais.records.parties.models import Bank, BankAccount, Company, LegalEntity
from relais.records.people.models import Department, Role
from relais.records.people.roles import roles_for
from relais.records.senders.models import SenderId

QUALIFIER = " / "
_SUGGESTIONS_MAX = 3
_CANDIDATES_MAX = 5_000


class Dangling(Invalid):
    """Nothing is called so. `section` and `name` let the run see whether an entry of this file would have been."""

    def __init__(self, field: str, section: str, name: str, reason: str) -> None:
        super().__init__({field: (reason,)})
        self.section = section
        self.name = name


def company(name: str, field: str = "company") -> Company:
    return _one(field, "companies", "company", Company.objects.all(), "name", "parent__name", name)


def legal_entity(name: str, field: str = "legal_entity", *, of: Company | None = None) -> LegalEntity:
    """`of`: only this company's are meant."""
    rows = LegalEntity.objects.select_related("company")
    rows = rows if of is None else rows.filter(company=of)
    return _one(field, "legal_entities", "legal entity", rows, "name", "company__name", name)


def bank(name: str, companies: tuple[int, ...], field: str = "bank") -> Bank:
    """A bank of one of `companies`; also by its BIC, SWIFT code and branch code together."""
    rows = Bank.objects.filter(company_id__in=companies)
    by_bic = rows.filter(swift_code=name[:8].upper(), branch_code=name[8:].upper()).first()
    return by_bic or _one(field, "banks", "bank", rows, "name", "company__name", name)


def bank_account(name: str, entity: LegalEntity, field: str) -> BankAccount:
    rows = BankAccount.objects.filter(legal_entity=entity)
    return _one(field, "bank_accounts", "bank account", rows, "name", "legal_entity__name", name)


def agreement(code: str, field: str = "agreement", *, of: Company | None = None) -> Agreement:
    rows = Agreement.objects.select_related("company", "own_legal_entity")
    rows = rows if of is None else rows.filter(company=of)
    return _one(field, "agreements", "agreement", rows, "agreement_code", "company__name", code)


def service(name: str, seller_id: int, field: str = "service") -> Service:
    rows = Service.objects.filter(company_id=seller_id)
    return _one(field, "services", "service", rows, "name", "company__name", name)


def vendor_smpp_connection(name: str, companies: tuple[int, ...], field: str) -> VendorSmppConnection:
    rows = VendorSmppConnection.objects.filter(company_id__in=companies)
    return _one(field, "vendor_smpp_connections", "vendor SMPP connection", rows, "name", "company__name", name)


def client_smpp_connection(login: str, field: str) -> ClientSmppConnection:
    rows = ClientSmppConnection.objects.all()
    return _one(field, "client_smpp_connections", "client SMPP connection", rows, "login", "company__name", login)


def mnp_connection(name: str, field: str) -> MnpConnection:
    """They are the tenant's: none has an owner to be told apart by."""
    rows = MnpConnection.objects.all()
    return _one(field, "mnp_connections", "MNP connection", rows, "name", "name", name)


def sender_id(name: str, parent_id: int, field: str) -> SenderId:
    """Of a company directly below that one."""
    rows = SenderId.objects.select_related("company").filter(company__parent_id=parent_id)
    return _one(field, "sender_ids", "sender ID", rows, "sender_id", "company__name", name)


def sender_id_of(company: Company, channel: str, name: str, field: str = "sender_id") -> SenderId:
    """The company's own."""
    rows = SenderId.objects.filter(company=company, channel=channel)
    return _one(field, "sender_ids", "sender ID", rows, "sender_id", "company__name", name)


def role(name: str, of: Company, interface: str, field: str = "roles") -> Role:
    """One that users of the company may have."""
    return _one(field, "roles", "role", roles_for(of, interface), "name", "company__name", name)


def department(name: str, of: Company, field: str = "department") -> Department:
    """One of the company's own, or one that every company has."""
    rows = Department.objects.filter(Q(company=None) | Q(company=of))
    return _one(field, "departments", "department", rows, "name", "company__name", name)


def _one(
    field: str, section: str, kind: str, rows: QuerySet[Any], name_column: str, owner_column: str, name: str
) -> Any:
    found = list(rows.filter(**{f"{name_column}__iexact": name})[:2])
    if not found and QUALIFIER in name:
        owner, _, rest = name.partition(QUALIFIER)
        found = list(rows.filter(**{f"{name_column}__iexact": rest, f"{owner_column}__iexact": owner})[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise Invalid.of(field, f'more than one {kind} is called {name!r}: write "Owner{QUALIFIER}{name}"')
    names = list(rows.values_list(name_column, flat=True).distinct()[:_CANDIDATES_MAX])
    near = get_close_matches(name, names, _SUGGESTIONS_MAX)
    hint = f"; near it: {', '.join(map(repr, near))}" if near else ""
    raise Dangling(field, section, name, f"no {kind} is called {name!r}{hint}")
