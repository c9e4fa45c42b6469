"""The password policy in force for a company (PWD-11, PWD-29): the System owner's, and at each level below what is stricter."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from relais.records.access.models import PasswordPolicy
from relais.records.access.parameters import PARAMETERS
from relais.records.visibility import at_or_above


@dataclass(frozen=True, slots=True)
class Policy:
    """The parameters of `PARAMETERS`, as they are in force."""

    length_min: int = PARAMETERS["length_min"].default
    groups_min: int = PARAMETERS["groups_min"].default
    history_count: int = PARAMETERS["history_count"].default
    valid_days: int = PARAMETERS["valid_days"].default
    change_again_hours: int = PARAMETERS["change_again_hours"].default
    unused_days: int = PARAMETERS["unused_days"].default
    idle_minutes: int = PARAMETERS["idle_minutes"].default
    tries_max: int = PARAMETERS["tries_max"].default
    tries_minutes: int = PARAMETERS["tries_minutes"].default

    def has_expired(self, changed_at: datetime, now: datetime) -> bool:
        """From the first moment after so many times 24 hours (PWD-17)."""
        return now - changed_at > timedelta(days=self.valid_days)

    def may_change_again(self, changed_at: datetime, now: datetime) -> bool:
        return now - changed_at >= timedelta(hours=self.change_again_hours)

    def is_unused(self, last_access_at: datetime, now: datetime) -> bool:
        """Both instants in UTC: whole days between their dates (PWD-19)."""
        return (now.date() - last_access_at.date()).days > self.unused_days


def policy_of(company_id: int) -> Policy:
    """One query."""
    rows = PasswordPolicy.objects.filter(company__in=at_or_above(company_id))
    return _joined(list(rows.select_related("company")))


def policy_above(company_id: int, parent_id: int | None) -> Policy | None:
    """What a company may only make stricter; None for the System owner, who has the bounds alone above."""
    return None if parent_id is None else policy_of(parent_id)


def _joined(rows: list[PasswordPolicy]) -> Policy:
    """The System owner's row is the ground, which may be weaker than our defaults; below it the stricter value counts."""
    ground = next((row for row in rows if row.company.parent_id is None), None)
    policy = Policy() if ground is None else Policy(**{name: getattr(ground, name) for name in PARAMETERS})
    for row in rows:
        if row is not ground:
            policy = replace(
                policy,
                **{
                    name: parameter.stricter(getattr(policy, name), getattr(row, name))
                    for name, parameter in PARAMETERS.items()
                },
            )
    return policy
