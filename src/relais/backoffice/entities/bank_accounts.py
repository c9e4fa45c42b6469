"""Bank accounts: those of clients (BA), and under Settings one's own with those that are kept for resellers below (OBA-24). A
reseller sees among its own what the level above keeps for it, and changes only what it keeps itself (OBA-21)."""

from typing import Any

from django.db.models import Q, QuerySet

from relais.backoffice.levels import clients_of, default_among, own_entities
from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.forms import RecordForm, ReferenceField
from relais.pages.kinds import Code, Id, Instant, Kind, Name, Reference
from relais.pages.viewer import Viewer
from relais.records.hanging import what_hangs_on
from relais.records.parties.actions.delete_bank_account import delete_bank_account
from relais.records.parties.actions.save_bank_account import save_bank_account
from relais.records.parties.models import Bank, BankAccount, Company, CompanyType, LegalEntity

DETAILS = ("account_holder", "account_number")
LABELS = {"account_holder": "Account holder", "account_number": "Account number", "legal_entity": "Legal entity"}
HINTS = {
    "name": "Displayed in the System's interfaces",
    "account_holder": "Person or company, as registered at the bank",
}
BANK_SEARCH = ("name", "swift_code")


def _own_and_resellers_entities(viewer: Viewer, chosen: Any) -> QuerySet[LegalEntity]:
    """Own ones, then those of resellers directly below (OBA-24)."""
    resellers = Q(company__in=clients_of(viewer).filter(type=CompanyType.RESELLER).values("pk"))
    return viewer.rows(LegalEntity).filter(Q(pk__in=own_entities(viewer).values("pk")) | resellers)


class OwnBankAccountForm(RecordForm):
    """The viewer's company keeps the account. Legal entity is fixed once an agreement refers to it (BA-22)."""

    once_used: tuple[str, ...] = ("legal_entity",)

    legal_entity = ReferenceField(_own_and_resellers_entities, label="Legal entity")
    bank = ReferenceField(lambda viewer, chosen: viewer.rows(Bank), search=BANK_SEARCH, label="Parent bank")

    class Meta:
        model = BankAccount
        fields = ("name", "legal_entity", "bank", *DETAILS)
        labels = LABELS
        help_texts = HINTS

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        stored = options.get("instance")
        if stored is not None and what_hangs_on(stored):
            self.fixed = self.once_used
        super().__init__(viewer, *args, **options)

    def store(self) -> BankAccount:
        if self.instance.pk is None:
            self.instance.level = self.viewer.company
        return save_bank_account(self.instance, unchanged_since=self.unchanged_since)


def _entities_of_company(viewer: Viewer, chosen: Any) -> QuerySet[LegalEntity]:
    return viewer.rows(LegalEntity).filter(company_id=chosen["company"], company__in=clients_of(viewer).values("pk"))


class BankAccountForm(OwnBankAccountForm):
    """Company narrows the legal entities (BA-19); the account has no company but its legal entity's."""

    once_used = ("company", "legal_entity")

    company = ReferenceField(lambda viewer, chosen: clients_of(viewer))
    legal_entity = ReferenceField(
        _entities_of_company, depends_on=("company",), preselects=default_among, label="Legal entity"
    )
    bank = ReferenceField(lambda viewer, chosen: viewer.rows(Bank), search=BANK_SEARCH)

    field_order = ("name", "company", "legal_entity", "bank", *DETAILS)

    def __init__(self, viewer: Viewer, *args: Any, **options: Any) -> None:
        stored = options.get("instance")
        if stored is not None and stored.pk:
            options["initial"] = {"company": stored.legal_entity.company_id} | (options.get("initial") or {})
        super().__init__(viewer, *args, **options)


def _of_clients(viewer: Viewer) -> Q:
    """Those that the viewer's company keeps for companies directly below it."""
    return Q(level_id=viewer.company.pk, legal_entity__company__parent_id=viewer.company.pk)


def _own(viewer: Viewer) -> Q:
    """Those of own legal entities, whoever keeps them, and those the viewer's company keeps for resellers below (OBA-24)."""
    assigned = Q(level_id=viewer.company.pk, legal_entity__company__type=CompanyType.RESELLER)
    return Q(legal_entity__company_id=viewer.company.pk) | assigned


def _rows(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("legal_entity__company", "bank", "level")


_ID = Column("id", "ID", Id(), path="pk", sort="pk")
_NAME = Column("name", "Name", Name(), phone="m1")
_COMPANY = Column("company", "Company", Reference("companies"), path="legal_entity__company",
                  sort="legal_entity__company__name")  # fmt: skip
_DETAILS = (
    Column("account_holder", "Account holder"),
    Column("account_number", "Account number", Code(), shown=False),
)
_INSTANTS = (
    Column("created_at", "Created", Instant(), shown=False),
    Column("updated_at", "Updated", Instant(), shown=False),
)
_FILTERS = (
    Filter("bank", "Bank", "reference", of=Bank),
    Filter("account_holder", "Account holder"),
    Filter("created_at", "Created", "day"),
)
_SEARCH = ("name", "legal_entity__name", "bank__name", "account_holder", "account_number")

BANK_ACCOUNTS = Entity(
    name="bank-accounts",
    model=BankAccount,
    label="Bank account",
    plural="Bank accounts",
    line="Bank accounts",
    menu=Menu("Account management", 110),
    columns=(
        _ID,
        _NAME,
        _COMPANY,
        Column("legal_entity", "Legal entity", Reference("legal-entities"), sort="legal_entity__name", phone="m3"),
        Column("bank", "Bank", Reference("banks"), sort="bank__name", phone="m4"),
        *_DETAILS,
        *_INSTANTS,
    ),
    filters=(
        Filter("name", "Name"),
        Filter("company", "Company", "reference", path="legal_entity__company", of=Company),
        Filter("legal_entity", "Legal entity", "reference", of=LegalEntity),
        *_FILTERS,
    ),
    search=(*_SEARCH, "legal_entity__company__name"),
    search_hint="Name, company, bank or number",
    sections=(
        Section("Bank account", ("name", "company", "legal_entity", "bank")),
        Section("At the bank", DETAILS),
    ),
    of=_of_clients,
    rows=_rows,
    form=BankAccountForm,
    deletes=lambda account, viewer: delete_bank_account(account.pk),
    empty="Bank accounts of clients stand on their agreements and invoices. Add the bank and the legal entity first.",
)

OWN_BANK_ACCOUNTS = Entity(
    name="own-bank-accounts",
    model=BankAccount,
    label="Own bank account",
    plural="Own bank accounts",
    line="Own bank accounts",
    menu=Menu("Settings", 60),
    columns=(
        _ID,
        _NAME,
        Column("legal_entity", "Legal entity", Kind(), path="legal_entity__name", phone="m3"),
        Column("bank", "Parent bank", Reference("banks"), sort="bank__name", phone="m4"),
        Column("level", "Kept by", Kind(), path="level__name"),
        *_DETAILS,
        *_INSTANTS,
    ),
    filters=(
        Filter("name", "Name"),
        Filter("legal_entity", "Legal entity", "reference", of=LegalEntity),
        *_FILTERS,
    ),
    search=_SEARCH,
    search_hint="Name, legal entity, bank or number",
    sections=(
        Section("Own bank account", ("name", "legal_entity", "bank", "level")),
        Section("At the bank", DETAILS),
    ),
    of=_own,
    rows=_rows,
    form=OwnBankAccountForm,
    deletes=lambda account, viewer: delete_bank_account(account.pk),
    empty="Own bank accounts stand on agreements and invoices beside the client's. Add the bank and the own legal entity first.",
)
