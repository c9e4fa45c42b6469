"""The one door to rows: `visible` (GEN-63, rulings 9 and 22). In the BackOffice a company sees itself and its direct children,
in the Client portal what is its own as a client and nothing else.

A rule is a condition without lists of ids: whatever it has to know about the tree it asks within the one query.
An area that makes a model adds its rule here, or calls `register`; a model without one cannot be looked at.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from django.db.models import Exists, Model, Q, QuerySet
from django.db.models.expressions import RawSQL

from relais.records.access.models import (
    Access,
    Authenticator,
    Avatar,
    FormerPassword,
    PasswordPolicy,
    RecoveryCode,
    Session,
    SmsCode,
    Try,
)
from relais.records.agreements.models import Agreement, AgreementVersion, Balance, LedgerEntry, ResellingAgreement
from relais.records.billing.models import Payment
from relais.records.catalog.models import (
    CallingCode,
    Country,
    CountryPrices,
    EnabledService,
    EnabledServiceChannel,
    Network,
    NetworkCode,
    NumberPrefix,
    RateImport,
    RateImportFile,
    RateNode,
    Scope,
    Service,
)
from relais.records.connections.models import ClientSmppConnection, MnpConnection, VendorSmppConnection
from relais.records.guards.models import (
    Cap,
    FloodFilter,
    Guarded,
    LinkList,
    NoticeAddresses,
    TrafficNotice,
    TrustedNumber,
)
from relais.records.parties.models import Bank, BankAccount, Company, LegalEntity
from relais.records.people.models import (
    ApiKey,
    AuditAction,
    AuditLine,
    Department,
    Interface,
    ListPreference,
    Role,
    SavedFilter,
    User,
    UserRole,
)
from relais.records.people.roles import may_use
from relais.records.senders.models import (
    FeeRule,
    Handover,
    SenderFee,
    SenderId,
    SenderRegistration,
    SenderRule,
    StopEntry,
)

M = TypeVar("M", bound=Model)
Action = Literal["view", "manage"]
Rule = Callable[[User, Action], Q]

EVERYTHING = Q()
NOTHING = Q(pk__in=[])

_RULES: dict[type[Model], Rule] = {}
_PORTAL_RULES: dict[type[Model], Rule] = {}

# The tree has no cycles (parties, migration 0002). OFFSET 0: a look-up a level, never a scan of all companies.
_AT_OR_ABOVE = """
    WITH RECURSIVE line AS (
        SELECT id, parent_id FROM parties_company WHERE id = %s
        UNION ALL
        SELECT above.* FROM line CROSS JOIN LATERAL (
            SELECT id, parent_id FROM parties_company WHERE id = line.parent_id OFFSET 0
        ) AS above
    ) SELECT id FROM line
"""


def visible(rows: type[M] | QuerySet[M], user: Any, action: Action = "view") -> QuerySet[M]:
    """Those of `rows` that `user` may look at, or change: no permission ever adds to them. Nothing for the anonymous.

    LookupError for a model without a rule. Of one without a rule of the Client portal its people see nothing.
    """
    found = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    if action not in ("view", "manage"):
        raise ValueError(f"{action!r} is neither view nor manage")
    rule = _RULES.get(found.model._meta.concrete_model)
    if rule is None:
        raise LookupError(f"no rule says who sees {found.model._meta.label}")
    if not isinstance(user, User) or user.pk is None:
        return found.none()
    if user.interface == Interface.CLIENT_PORTAL:
        rule = _PORTAL_RULES.get(found.model._meta.concrete_model, _of_nobody)
    return found.filter(rule(user, action))


def register(model: type[Model], rule: Rule, *, portal: bool = False) -> None:
    """Make `rule(user, action)`, a condition on rows of `model`, say who sees them. A model has one rule, and may have one for
    people of the Client portal."""
    rules = _PORTAL_RULES if portal else _RULES
    if model in rules:
        raise ValueError(f"{model._meta.label} has its rule already")
    rules[model] = rule


def rule_of(*models: type[Model], portal: bool = False) -> Callable[[Rule], Rule]:
    """`register` as a decorator, for models whose rows are seen by the same rule."""

    def registered(rule: Rule) -> Rule:
        for model in models:
            register(model, rule, portal=portal)
        return rule

    return registered


def at_or_above(company_id: int) -> RawSQL:
    """For `…__in`: ids of the company and of every company above it."""
    return RawSQL(_AT_OR_ABOVE, [company_id])  # a constant text: only the id is a parameter


def own_and_children(company_id: int) -> QuerySet[Company]:
    """For `…__in`: the company and those directly below it."""
    return Company.objects.filter(Q(pk=company_id) | Q(parent_id=company_id)).values("pk")


def agreements_of(company_id: int, action: Action) -> QuerySet[Agreement]:
    """For `…__in`: what the company sells under; to look at also what it buys under (RSL-51)."""
    return Agreement.objects.filter(_agreement(company_id, action)).values("pk")


def _agreement(company_id: int, action: Action) -> Q:
    sold = Q(own_legal_entity__in=LegalEntity.objects.filter(company_id=company_id).values("pk"))
    return sold if action == "manage" else sold | Q(company_id=company_id)


@rule_of(Company)
def _companies(user: User, action: Action) -> Q:
    children = Q(parent_id=user.company_id)
    return children if action == "manage" else children | Q(pk=user.company_id)


@rule_of(LegalEntity, SenderId, StopEntry, ApiKey, ClientSmppConnection, User)
def _of_own_and_children(user: User, action: Action) -> Q:
    return Q(company__in=own_and_children(user.company_id))


def departments_of(company_id: int) -> QuerySet[Department]:
    """Those that users of the company may be in."""
    return Department.objects.filter(Q(company=None) | Q(company_id=company_id))


@rule_of(UserRole)
def _roles_of_users(user: User, action: Action) -> Q:
    return Q(user__company__in=own_and_children(user.company_id))


@rule_of(Role)
def _roles(user: User, action: Action) -> Q:
    """Its own; to look at also the system's, and those that the company above made for it (ROLE-26)."""
    own = Q(company_id=user.company_id)
    return own if action == "manage" else Q(company=None) | own | may_use(user.company)


@rule_of(Department)
def _departments(user: User, action: Action) -> Q:
    """Its own and its direct children's; to look at also those that every company has."""
    kept = Q(company__in=own_and_children(user.company_id))
    return kept if action == "manage" else kept | Q(company=None)


@rule_of(BankAccount)
def _bank_accounts(user: User, action: Action) -> Q:
    """Those it keeps; to look at also what the level above keeps for it (OBA-21)."""
    kept = Q(level_id=user.company_id)
    own = LegalEntity.objects.filter(company_id=user.company_id)
    return kept if action == "manage" else kept | Q(legal_entity__in=own.values("pk"))


@rule_of(Bank)
def _banks(user: User, action: Action) -> Q:
    own = Q(company_id=user.company_id)
    return own if action == "manage" else Q(company__in=at_or_above(user.company_id))


@rule_of(Agreement)
def _agreements(user: User, action: Action) -> Q:
    return _agreement(user.company_id, action)


@rule_of(AgreementVersion, Balance, LedgerEntry, Payment, ResellingAgreement)
def _of_agreements(user: User, action: Action) -> Q:
    return Q(agreement__in=agreements_of(user.company_id, action))


@rule_of(EnabledService)
def _enabled_services(user: User, action: Action) -> Q:
    """Who buys does not see what the seller hides from it (ES-16)."""
    sold = Q(agreement__in=agreements_of(user.company_id, "manage"))
    return sold if action == "manage" else sold | (_bought(user) & Q(hidden_from_client=False))


@rule_of(EnabledServiceChannel)
def _channels_of_enabled_services(user: User, action: Action) -> Q:
    return Q(enabled_service__in=EnabledService.objects.filter(_enabled_services(user, action)).values("pk"))


def _bought(user: User) -> Q:
    return Q(agreement__in=Agreement.objects.filter(company_id=user.company_id).values("pk"))


@rule_of(PasswordPolicy, Service, VendorSmppConnection, Cap, FloodFilter, LinkList, TrustedNumber, NoticeAddresses)
def _own(user: User, action: Action) -> Q:
    return Q(company_id=user.company_id)


@rule_of(Guarded, TrafficNotice)
def _told_to(user: User, action: Action) -> Q:
    """Of whoever keeps the guard, or the level that is told (SID-252). Nobody writes it by hand."""
    return NOTHING if action == "manage" else Q(company_id=user.company_id)


@rule_of(FeeRule)
def _fee_rules(user: User, action: Action) -> Q:
    children = Company.objects.filter(parent_id=user.company_id).values("pk")
    return Q(company__in=own_and_children(user.company_id) if action == "view" else children)


@rule_of(SenderRegistration)
def _sender_registrations(user: User, action: Action) -> Q:
    """Who has the sender ID and who is above it look; only the latter decides, over its own the System owner (WC-29)."""
    if action == "view":
        return Q(company__in=own_and_children(user.company_id))
    return Q(
        company__in=Company.objects.filter(Q(parent_id=user.company_id) | Q(pk=user.company_id, parent=None)).values(
            "pk"
        )
    )


@rule_of(SenderFee)
def _sender_fees(user: User, action: Action) -> Q:
    """Charged under an agreement that the company sells or buys under."""
    return NOTHING if action == "manage" else Q(agreement__in=agreements_of(user.company_id, "view"))


@rule_of(Handover)
def _handed_down(user: User, action: Action) -> Q:
    """By who gave it, however far below it is used now (RSL-54)."""
    return Q(given_by_id=user.company_id)


@rule_of(CountryPrices)
def _country_prices(user: User, action: Action) -> Q:
    return Q(company_id=user.company_id)


@rule_of(Scope)
def _scopes(user: User, action: Action) -> Q:
    return Q(service__in=Service.objects.filter(company_id=user.company_id).values("pk"))


@rule_of(RateNode)
def _rate_nodes(user: User, action: Action) -> Q:
    return Q(scope__in=Scope.objects.filter(service__company_id=user.company_id).values("pk"))


@rule_of(RateImport)
def _rate_imports(user: User, action: Action) -> Q:
    """Each of whoever began it: a file is of no concern to others (RI-99)."""
    return Q(user_id=user.pk, service__company_id=user.company_id)


@rule_of(RateImportFile)
def _rate_import_files(user: User, action: Action) -> Q:
    return Q(rate_import__in=RateImport.objects.filter(_rate_imports(user, action)).values("pk"))


@rule_of(Country, Network, NetworkCode, NumberPrefix, CallingCode, SenderRule)
def _dictionaries(user: User, action: Action) -> Q:
    return EVERYTHING if action == "view" else _of_system_owner(user)


@rule_of(MnpConnection)
def _mnp_connections(user: User, action: Action) -> Q:
    """The tenant's, and nobody else's to know of (CO-18, CO-69)."""
    return _of_system_owner(user)


def _of_system_owner(user: User) -> Q:
    return Q(Exists(Company.objects.filter(pk=user.company_id, parent=None)))


@rule_of(AuditAction)
def _audit_actions(user: User, action: Action) -> Q:
    """By the companies of their lines, and those without lines by the actor's (AUD-11). Nobody changes them (AUD-9)."""
    if action == "manage":
        return NOTHING
    companies = own_and_children(user.company_id)
    elsewhere = AuditLine.objects.filter(elsewhere=True, company__in=companies).values("action")
    return Q(company__in=companies) | Q(pk__in=elsewhere)


@rule_of(AuditLine)
def _audit_lines(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(company__in=own_and_children(user.company_id))


@rule_of(ListPreference, SavedFilter, Avatar, Session)
def _of_the_person(user: User, action: Action) -> Q:
    return Q(user_id=user.pk)


@rule_of(Access, Authenticator, FormerPassword, RecoveryCode, SmsCode, Try)
def _of_nobody(user: User, action: Action) -> Q:
    """Machinery of log-ins: what people may know of it, their own page tells."""
    return NOTHING


# In the Client portal (CP-14, CP-62): what the company is or has as a client. What it sells, whom it sells to and what it
# buys with stay in the BackOffice, also for people of a reseller.


@rule_of(Company, portal=True)
def _company_itself(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(pk=user.company_id)


@rule_of(LegalEntity, SenderId, portal=True)
def _of_own_company(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(company_id=user.company_id)


@rule_of(User, portal=True)
def _colleagues(user: User, action: Action) -> Q:
    """Those of the Client portal: the same company's people of the BackOffice are none of its business (USR-76)."""
    return Q(company_id=user.company_id, interface=user.interface)


@rule_of(UserRole, portal=True)
def _roles_of_colleagues(user: User, action: Action) -> Q:
    return Q(user__company_id=user.company_id, user__interface=user.interface)


@rule_of(Role, portal=True)
def _roles_for_colleagues(user: User, action: Action) -> Q:
    """Those that its users may be given; roles are made in the BackOffice (ROLE-27)."""
    return NOTHING if action == "manage" else may_use(user.company) & Q(interface=user.interface)


@rule_of(Department, portal=True)
def _own_departments(user: User, action: Action) -> Q:
    own = Q(company_id=user.company_id)
    return own if action == "manage" else own | Q(company=None)


@rule_of(Agreement, portal=True)
def _bought_under(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else Q(company_id=user.company_id)


@rule_of(AgreementVersion, Balance, LedgerEntry, Payment, portal=True)
def _of_bought_under(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else _bought(user)


@rule_of(EnabledService, portal=True)
def _shown_services(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else _bought(user) & Q(hidden_from_client=False)


@rule_of(EnabledServiceChannel, portal=True)
def _channels_of_shown_services(user: User, action: Action) -> Q:
    return Q(enabled_service__in=EnabledService.objects.filter(_shown_services(user, action)).values("pk"))


@rule_of(Country, Network, NetworkCode, NumberPrefix, CallingCode, SenderRule, portal=True)
def _dictionaries_to_read(user: User, action: Action) -> Q:
    return NOTHING if action == "manage" else EVERYTHING


register(ListPreference, _of_the_person, portal=True)
register(SavedFilter, _of_the_person, portal=True)
register(Avatar, _of_the_person, portal=True)
register(Session, _of_the_person, portal=True)
