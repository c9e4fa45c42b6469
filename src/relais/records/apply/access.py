"""The password policies of companies that sell, in scenario files."""

from typing import ClassVar

from relais.records.access.actions.save_password_policy import save_password_policy
from relais.records.access.models import PasswordPolicy
from relais.records.access.parameters import PARAMETERS
from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, full_text, whole


class PasswordPolicies(Section):
    name = "password_policies"
    key = ("company",)
    label = "company"
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        **{name: Field(whole(parameter.least, parameter.most)) for name, parameter in PARAMETERS.items()},
        "code_sender": Field(full_text, blank=True),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        found = PasswordPolicy.objects.filter(company=company).first()
        record = found or PasswordPolicy(company=company)
        values = self.given(entry, set(PARAMETERS))
        if "code_sender" in entry:
            name = entry["code_sender"]
            values["code_sender"] = None if name is None else references.sender_id(name, company.pk, "code_sender")
        changed = assign(record, values)
        if found is None or changed:
            save_password_policy(record)
        return Outcome.CREATED if found is None else changed_if(changed)
