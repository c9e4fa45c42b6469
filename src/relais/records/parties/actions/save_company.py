"""Make or change a company (CO-10 to CO-27, CO-55); block it, or let it in again (CO-31, CO-32)."""

from datetime import datetime

from django.db import transaction

from relais.records.agreements.models import ResellingAgreement
from relais.records.connections.models import DEFAULT_MNP, MnpConnection
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.parties.models import Company, CompanyType
from relais.records.people.models import User
from relais.records.saving import find, prepare, require_fixed, require_unchanged, save

_MNP = ("mnp_requests", "mnp_connection_id", "mnp_channels")
_NAMES_SHOWN_MAX = 5


@transaction.atomic
def save_company(
    company: Company,
    *,
    unchanged_since: datetime | None = None,
    entity_follows: bool = False,
    lockout_intended: bool = False,
) -> Company:
    """`Invalid` when its parent may not have it (GEN-12, CO-62), its own legal entity is missing (CO-12), not its parent's
    (CO-63) or exchanged (CO-55), it stops being a reseller while it still resells (CO-61), its MNP settings are not for
    its level (CO-64), or users would be locked out (CO-65).

    `entity_follows`: a scenario file names the own legal entity in a second step. `lockout_intended`: somebody confirmed
    that users without a phone number cannot sign in while two-factor sign-in is mandatory.
    """
    former = prepare(company, unchanged_since)
    reasons: dict[str, str] = {}
    if former is not None:
        require_fixed(company, former, ("parent",), "cannot be changed: a company stays where it was made")
    _check_own_legal_entity(company, former, entity_follows, reasons)
    _check_type(company, former, reasons)
    _check_mnp(company, former, reasons)
    if not lockout_intended:
        _check_lockout(company, former, reasons)
    if company.parent_id is None and not company.enabled:
        reasons["enabled"] = "the System owner cannot be blocked"
    if reasons:
        raise Invalid({field: (reason,) for field, reason in reasons.items()})
    save(company)
    return company


@transaction.atomic
def block_company(company_id: int, *, unchanged_since: datetime | None = None) -> Company:
    """Withdraw access; its data stays (CO-58). A blocked company is left as it is, the System owner refused."""
    return _set_enabled(company_id, False, unchanged_since)


@transaction.atomic
def unblock_company(company_id: int, *, unchanged_since: datetime | None = None) -> Company:
    """Let it in again (CO-32)."""
    return _set_enabled(company_id, True, unchanged_since)


def users_without_phone(company: Company) -> list[User]:
    """Active users whom mandatory two-factor sign-in would lock out (CO-25, CO-65), by login."""
    if company.pk is None:
        return []
    return list(User.objects.filter(company_id=company.pk, is_active=True, phone="").order_by("login"))


def _set_enabled(company_id: int, enabled: bool, unchanged_since: datetime | None) -> Company:
    company = find(Company, company_id)
    require_unchanged(company, unchanged_since)
    if company.enabled != enabled:
        if company.parent_id is None:
            raise Invalid.of(WHOLE, "the System owner cannot be blocked")
        company.enabled = enabled
        company.save(update_fields=["enabled", "updated_at"])
    return company


def _check_own_legal_entity(
    company: Company, former: Company | None, entity_follows: bool, reasons: dict[str, str]
) -> None:
    entity = company.own_legal_entity
    if entity is None:
        if former is None and company.parent_id is not None and not entity_follows:
            reasons["own_legal_entity"] = "is required: choose the legal entity that serves this company"
    elif entity.company_id != company.parent_id:
        reasons["own_legal_entity"] = "belongs to a company that is not directly above"
    if former is not None and former.own_legal_entity_id not in (None, company.own_legal_entity_id):
        reasons["own_legal_entity"] = "cannot be changed once the company exists"


def _check_type(company: Company, former: Company | None, reasons: dict[str, str]) -> None:
    parent = company.parent
    if parent is not None:
        if parent.type != CompanyType.RESELLER:
            reasons["parent"] = Reason("%(company)s is a client: it has no companies below it", company=parent.name)
        becomes_reseller = company.type == CompanyType.RESELLER and (former is None or former.type != company.type)
        if becomes_reseller and not parent.creator_of_resellers:
            reasons["type"] = Reason("%(company)s may not create resellers", company=parent.name)
    if former is not None and former.type == CompanyType.RESELLER and company.type == CompanyType.CLIENT:
        resells = ResellingAgreement.objects.filter(legal_entity__company=company)
        if Company.objects.filter(parent=company).exists() or resells.exists():
            reasons["type"] = "cannot become client while the company has clients or reselling agreements"


def _check_mnp(company: Company, former: Company | None, reasons: dict[str, str]) -> None:
    company.mnp_channels = list(dict.fromkeys(company.mnp_channels))
    before = former or Company()
    parent = company.parent
    at_tenant = parent is None or parent.parent_id is None
    if not at_tenant and any(getattr(company, column) != getattr(before, column) for column in _MNP):
        reasons["mnp_requests"] = "is governed by the tenant: leave it as it is"
        return
    if company.mnp_requests and not company.mnp_channels:
        reasons["mnp_channels"] = "choose at least one channel while MNP requests are on"
    if company.mnp_requests and company.mnp_connection_id is None:
        company.mnp_connection = MnpConnection.objects.get(name=DEFAULT_MNP)


def _check_lockout(company: Company, former: Company | None, reasons: dict[str, str]) -> None:
    was_required = former is not None and former.two_factor_required
    if company.two_factor_required and not was_required and (locked_out := users_without_phone(company)):
        names = ", ".join(user.login for user in locked_out[:_NAMES_SHOWN_MAX])
        more = ", …" if len(locked_out) > _NAMES_SHOWN_MAX else ""
        reasons["two_factor_required"] = (
            f"would lock out {len(locked_out)} without a phone number ({names}{more}): confirm, or add their numbers"
        )
