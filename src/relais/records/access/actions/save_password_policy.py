"""Set the password policy of a company that sells (PWD-11, PWD-29)."""

from datetime import datetime

from django.db import transaction

from relais.records.access.models import PasswordPolicy
from relais.records.access.parameters import PARAMETERS
from relais.records.access.policy import policy_above
from relais.records.errors import Invalid, Reason
from relais.records.parties.models import CompanyType
from relais.records.saving import save


@transaction.atomic
def save_password_policy(policy: PasswordPolicy, *, unchanged_since: datetime | None = None) -> PasswordPolicy:
    """In force with the next log-in. `Invalid` outside the bounds, for a company that sells nothing, for what is weaker than
    the level above has it, and for a sender of codes that is not an active one with an agreement, set by the System owner."""
    company = policy.company
    if company.type != CompanyType.RESELLER:
        raise Invalid.of("company", "sells nothing: its users follow the policy of the company above it")
    above = policy_above(company.pk, company.parent_id)
    reasons = {}
    if above is not None:
        for name, parameter in PARAMETERS.items():
            if parameter.is_weaker(getattr(policy, name), getattr(above, name)):
                reasons[name] = (
                    Reason("must not be weaker than the %(limit)s of the level above", limit=getattr(above, name)),
                )
    sender = policy.code_sender
    if sender is not None and company.parent_id is not None:
        reasons["code_sender"] = ("is the System owner's to choose",)
    elif sender is not None and (sender.agreement_id is None or sender.company.parent_id != company.pk):
        reasons["code_sender"] = ("must belong to a company directly below, with an agreement that pays for the codes",)
    if reasons:
        raise Invalid(reasons)
    save(policy, unchanged_since=unchanged_since)
    return policy
