"""Companies, legal entities, banks and bank accounts in scenario files."""

from typing import Any, ClassVar

from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, capitals, flag, full_text, one_of, some_of, text
from relais.records.parties.actions.save_bank import save_bank
from relais.records.parties.actions.save_bank_account import save_bank_account
from relais.records.parties.actions.save_company import save_company
from relais.records.parties.actions.save_legal_entity import save_legal_entity
from relais.records.parties.models import (
    Bank,
    BankAccount,
    Channel,
    Company,
    CompanyType,
    LegalEntity,
)
from relais.records.parties.tree import level_and_above, system_owner


def _channels(value: Any) -> list[str]:
    return list(some_of(*Channel.values)(value))


class Companies(Section):
    name = "companies"
    key = ("name", "parent")
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "parent": Field(full_text),
        "type": Field(one_of(*CompanyType.values)),
        "creator_of_resellers": Field(flag),
        "enabled": Field(flag),
        "description": Field(text),
        "own_legal_entity": Field(full_text),
        "moderation": Field(flag),
        "two_factor_required": Field(flag),
        "mnp_requests": Field(flag),
        "mnp_connection": Field(full_text),
        "mnp_channels": Field(_channels),
    }
    own: ClassVar = (
        "type", "creator_of_resellers", "enabled", "description", "moderation", "two_factor_required",
        "mnp_requests", "mnp_channels",
    )  # fmt: skip

    def apply(self, entry: Entry, run: Run) -> Outcome:
        found = self.record(entry)
        record = found or Company(name=entry["name"], parent=self._parent(entry))
        values = self.given(entry, self.own)
        if "mnp_connection" in entry:
            values["mnp_connection"] = references.mnp_connection(entry["mnp_connection"], "mnp_connection")
        changed = assign(record, values)
        if found is None or changed:
            save_company(record, entity_follows=True, lockout_intended=True)
        return Outcome.CREATED if found is None else changed_if(changed)

    def record(self, entry: Entry) -> Company | None:
        """The root by its name alone; any other by name and parent, the System owner where none is given."""
        root = system_owner()
        if "parent" not in entry and root.name.casefold() == entry["name"].casefold():
            return root
        return Company.objects.filter(name__iexact=entry["name"], parent=self._parent(entry)).first()

    def _parent(self, entry: Entry) -> Company:
        return references.company(entry["parent"], "parent") if "parent" in entry else system_owner()


class CompaniesOwnLegalEntity(Companies):
    """The second step of companies: their sellers' legal entities exist by now."""

    def apply(self, entry: Entry, run: Run) -> Outcome:
        if "own_legal_entity" not in entry:
            return Outcome.UNCHANGED
        record = self.record(entry)
        assert record is not None, "made in the first step"
        entity = references.legal_entity(entry["own_legal_entity"], "own_legal_entity", of=record.parent)
        changed = assign(record, {"own_legal_entity": entity})
        if changed:
            save_company(record, lockout_intended=True)
        return changed_if(changed)


class Banks(Section):
    name = "banks"
    key = ("company", "swift_code", "branch_code")
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "company": Field(full_text),
        "description": Field(text),
        "country": Field(capitals, required=True),
        "address": Field(full_text, required=True),
        "swift_code": Field(capitals, required=True),
        "branch_code": Field(capitals, required=True),
        "bank_code": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        level = references.company(entry["company"]) if "company" in entry else system_owner()
        found = Bank.objects.filter(
            company=level, swift_code=entry["swift_code"], branch_code=entry["branch_code"]
        ).first()
        record = found or Bank(company=level)
        changed = assign(record, self.given(entry, set(self.shape) - {"company"}))
        if found is None or changed:
            save_bank(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class LegalEntities(Section):
    name = "legal_entities"
    key = ("company", "name")
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "company": Field(full_text, required=True),
        "legal_company_name": Field(full_text, required=True),
        "country": Field(capitals, required=True),
        "tax_id_number": Field(text),
        "legal_id_number": Field(text),
        "vat_id_number": Field(text),
        "legal_address": Field(text),
        "billing_address": Field(text),
        "is_default": Field(flag),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        found = LegalEntity.objects.filter(company=company, name__iexact=entry["name"]).first()
        record = found or LegalEntity(company=company, name=entry["name"])
        changed = assign(record, self.given(entry, set(self.shape) - {"company", "name"}))
        if found is None or changed:
            save_legal_entity(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class BankAccounts(Section):
    name = "bank_accounts"
    key = ("legal_entity", "name")
    columns: ClassVar = {"kept_by": "level"}
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "legal_entity": Field(full_text, required=True),
        "kept_by": Field(full_text),
        "bank": Field(full_text, required=True),
        "account_holder": Field(full_text, required=True),
        "account_number": Field(full_text, required=True),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        entity = references.legal_entity(entry["legal_entity"])
        bank = references.bank(entry["bank"], level_and_above(entity.company))
        found = BankAccount.objects.filter(legal_entity=entity, name__iexact=entry["name"]).first()
        record = found or BankAccount(legal_entity=entity, name=entry["name"])
        if "kept_by" in entry:
            keeper = references.company(entry["kept_by"], "kept_by")
            assign(record, {"level": keeper}, final=() if found is None else ("level",))
        changed = assign(record, {"bank": bank, **self.given(entry, ("account_holder", "account_number"))})
        if found is None or changed:
            save_bank_account(record)
        return Outcome.CREATED if found is None else changed_if(changed)
