"""Guard rails in scenario files. `company`: who keeps them, the System owner where it is not said."""

from typing import Any, ClassVar

from relais.core.numbers import normalise
from relais.records.agreements.versions import addresses
from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, full_text, money, one_of, text, whole
from relais.records.catalog.models import Country
from relais.records.errors import Invalid
from relais.records.guards.actions.save_guard import save_cap, save_flood_filter, save_link_list
from relais.records.guards.actions.save_notice_addresses import save_notice_addresses
from relais.records.guards.models import (
    FLOOD_MAX,
    LIMIT_MAX,
    Cap,
    CapPeriod,
    Doing,
    Event,
    FloodFilter,
    LinkList,
    NoticeAddresses,
    TrustedNumber,
)
from relais.records.parties.models import Company
from relais.records.parties.tree import system_owner
from relais.records.people.models import ApiKey
from relais.records.saving import save
from relais.records.senders.models import SenderChannel


def _digits(value: Any) -> str:
    found = normalise(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("a phone number in international form is expected, written as a text")
    return found


def _keeper(entry: Entry) -> Company:
    return references.company(entry["company"]) if "company" in entry else system_owner()


class Caps(Section):
    name = "caps"
    key = ("company", "client", "period", "currency", "api_key", "client_connection", "country", "prefix")
    label = "client"
    columns: ClassVar = {"spend_max": "spend_max_micros"}
    shape: ClassVar[Shape] = {
        "company": Field(full_text),
        "client": Field(full_text, required=True),
        "period": Field(one_of(*CapPeriod.values), required=True),
        "api_key": Field(full_text),
        "client_connection": Field(full_text),
        "country": Field(full_text),
        "prefix": Field(text),
        "messages_max": Field(whole(1, LIMIT_MAX), blank=True),
        "spend_max": Field(money, blank=True),
        "currency": Field(text),
        "doing": Field(one_of(*Doing.values)),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        client = references.company(entry["client"], "client")
        country, key = entry.get("country"), entry.get("api_key")
        if country is not None and not Country.objects.filter(pk=country.upper()).exists():
            raise Invalid.of("country", f"no country has the code {country}")
        found_key = ApiKey.objects.filter(company=client, name__iexact=key).first() if key else None
        if key and found_key is None:
            raise Invalid.of("api_key", f"no API key of that company is called {key}")
        login = entry.get("client_connection")
        bound = references.client_smpp_connection(login, "client_connection") if login else None
        same = {"company": _keeper(entry), "client": client, "period": entry["period"], "api_key": found_key,
                "client_connection": bound, "country_id": country and country.upper(), "prefix": entry.get("prefix", ""),
                "currency": entry.get("currency", "")}  # fmt: skip
        found = Cap.objects.filter(**same).first()
        record = found or Cap(**same)
        changed = assign(record, self.given(entry, ("messages_max", "spend_max", "doing", "note")))
        if found is None or changed:
            save_cap(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class FloodFilters(Section):
    name = "flood_filters"
    key = ("company", "client", "sender_id")
    label = "client"
    columns: ClassVar = {"sender_id": "sender"}
    shape: ClassVar[Shape] = {
        "company": Field(full_text),
        "client": Field(full_text, required=True),
        "sender_id": Field(full_text),
        "identical_max": Field(whole(1, FLOOD_MAX), blank=True),
        "different_max": Field(whole(1, FLOOD_MAX), blank=True),
        "doing": Field(one_of(*Doing.values)),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        client = references.company(entry["client"], "client")
        sender = (
            references.sender_id_of(client, SenderChannel.SMS, entry["sender_id"]) if "sender_id" in entry else None
        )
        same = {"company": _keeper(entry), "client": client, "sender": sender}
        found = FloodFilter.objects.filter(**same).first()
        record = found or FloodFilter(**same)
        changed = assign(record, self.given(entry, ("identical_max", "different_max", "doing", "note")))
        if found is None or changed:
            save_flood_filter(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class LinkLists(Section):
    name = "link_lists"
    key = ("company", "client", "channel", "sender_id")
    label = "sender_id"
    columns: ClassVar = {"sender_id": "sender"}
    shape: ClassVar[Shape] = {
        "company": Field(full_text),
        "client": Field(full_text, required=True),
        "channel": Field(one_of(*SenderChannel.values), required=True),
        "sender_id": Field(full_text, required=True),
        "hosts": Field(text, required=True),
        "doing": Field(one_of(*Doing.values)),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        client = references.company(entry["client"], "client")
        sender = references.sender_id_of(client, entry["channel"], entry["sender_id"])
        same = {"company": _keeper(entry), "sender": sender}
        found = LinkList.objects.filter(**same).first()
        record = found or LinkList(**same)
        given = self.given(entry, ("hosts", "doing", "note"))
        given["hosts"] = "\n".join(filter(None, map(str.strip, entry["hosts"].replace(",", "\n").splitlines())))
        changed = assign(record, given)
        if found is None or changed:
            save_link_list(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class TrustedNumbers(Section):
    name = "trusted_numbers"
    key = ("company", "number")
    label = "number"
    shape: ClassVar[Shape] = {
        "company": Field(full_text),
        "number": Field(_digits, required=True),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        same = {"company": _keeper(entry), "number": entry["number"]}
        found = TrustedNumber.objects.filter(**same).first()
        record = found or TrustedNumber(**same)
        changed = assign(record, self.given(entry, ("note",)))
        if found is None or changed:
            save(record)
        return Outcome.CREATED if found is None else changed_if(changed)


class NoticeEmails(Section):
    name = "notice_emails"
    key = ("company", "event", "emails")
    label = "emails"
    shape: ClassVar[Shape] = {
        "company": Field(full_text),
        "event": Field(one_of(*Event.values), required=True),
        "emails": Field(full_text, required=True),
        "note": Field(text),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        listed = ", ".join(dict.fromkeys(addresses(entry["emails"])))
        same = {"company": _keeper(entry), "event": entry["event"], "emails": listed}
        found = NoticeAddresses.objects.filter(**same).first()
        record = found or NoticeAddresses(**same)
        changed = assign(record, self.given(entry, ("note",)))
        if found is None or changed:
            save_notice_addresses(record)
        return Outcome.CREATED if found is None else changed_if(changed)
