"""Make an agreement together with its first version (AG-18 to AG-51, AG-77)."""

from django.db import transaction

from relais.records.agreements.actions.add_agreement_version import add_agreement_version
from relais.records.agreements.models import Agreement, AgreementVersion, Direction
from relais.records.currencies import is_currency
from relais.records.errors import Invalid
from relais.records.saving import find, prepare, save


@transaction.atomic
def create_agreement(agreement: Agreement, version: AgreementVersion) -> Agreement:
    """Both unsaved. `Invalid` with every reason at once, by field of the form, when the parties do not belong together
    (AG-84), the code is taken (AG-83), an account of the seller is missing (AG-26) or terms of the version are unsound."""
    reasons: dict[str, tuple[str, ...]] = {}
    try:
        make_agreement(agreement)
    except Invalid as refusal:
        reasons |= refusal.reasons
    if not agreement._state.adding:
        version.agreement = agreement
        try:
            with transaction.atomic():
                add_agreement_version(version)
        except Invalid as refusal:
            reasons |= refusal.reasons
    if reasons:
        raise Invalid(reasons)
    return agreement


@transaction.atomic
def make_agreement(agreement: Agreement) -> Agreement:
    """The agreement alone, for a caller that adds versions in the same transaction: none stays without one (AG-77)."""
    prepare(agreement)
    assert agreement._state.adding, "the parties and terms of an agreement are final (AG-66)"
    company = agreement.company
    reasons: dict[str, tuple[str, ...]] = {}
    if agreement.direction != Direction.CLIENT:
        reasons["direction"] = ("is not available: agreements are made with clients",)
    if company.parent_id is None:
        reasons["company"] = ("the System owner has nobody above it to make an agreement with",)
    if agreement.legal_entity.company_id != company.pk:
        reasons["legal_entity"] = ("belongs to another company",)
    if agreement.own_legal_entity.company_id != company.parent_id:
        reasons["own_legal_entity"] = ("must belong to the company directly above the client",)
    if agreement.bank_account is not None and agreement.bank_account.legal_entity_id != agreement.legal_entity_id:
        reasons["bank_account"] = ("belongs to another legal entity",)
    if agreement.own_bank_account is None:
        reasons["own_bank_account"] = ("is required: choose an account of the own legal entity",)
    elif agreement.own_bank_account.legal_entity_id != agreement.own_legal_entity_id:
        reasons["own_bank_account"] = ("belongs to another legal entity",)
    if not is_currency(agreement.currency):
        reasons["currency"] = ("is not the code of a currency",)
    if reasons:
        raise Invalid(reasons)
    find(type(company), company.pk)
    save(agreement)
    return agreement
