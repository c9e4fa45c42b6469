"""What countries take as senders, and where sender IDs are registered, in scenario files."""

from typing import ClassVar

from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, full_text, one_of, text
from relais.records.catalog.countries import require_country
from relais.records.errors import Invalid
from relais.records.senders.actions.registrations import save_registration, save_sender_rule
from relais.records.senders.models import (
    RegistrationStatus,
    SenderChannel,
    SenderId,
    SenderRegistration,
    SenderRule,
    SenderUse,
)


class SenderRules(Section):
    name = "sender_rules"
    key = ("country",)
    label = "country"
    shape: ClassVar[Shape] = {
        "country": Field(full_text, required=True),
        "names": Field(one_of(*SenderUse.values)),
        "numbers": Field(one_of(*SenderUse.values)),
        "documents": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        require_country(entry["country"])
        found = SenderRule.objects.filter(country=entry["country"]).first()
        record = found or SenderRule(country_id=entry["country"])
        changed = assign(record, self.given(entry, set(self.shape) - {"country"}))
        if found is None or changed:
            save_sender_rule(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class SenderRegistrations(Section):
    name = "sender_registrations"
    key = ("company", "sender_id", "country")
    label = "sender_id"
    shape: ClassVar[Shape] = {
        "company": Field(full_text, required=True),
        "sender_id": Field(full_text, required=True),
        "country": Field(full_text, required=True),
        "status": Field(one_of(*RegistrationStatus.values), required=True),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        require_country(entry["country"])
        sender = SenderId.objects.filter(
            company=company, channel=SenderChannel.SMS, sender_id__iexact=entry["sender_id"]
        ).first()
        if sender is None:
            raise Invalid.of("sender_id", "the company has no SMS sender ID of that name")
        found = SenderRegistration.objects.filter(sender=sender, country=entry["country"]).first()
        record = found or SenderRegistration(sender=sender, company=company, country_id=entry["country"])
        changed = assign(record, self.given(entry, {"status", "note"}))
        if found is None or changed:
            save_registration(record)
        return Outcome.CREATED if found is None else changed_if(changed)
