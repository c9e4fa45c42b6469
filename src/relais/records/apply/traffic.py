"""Where messages leave and under which names, in scenario files: vendors' and clients' SMPP connections, sender IDs."""

from typing import Any, ClassVar

from relais.records.apply import references
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import Entry, Field, Shape, flag, full_text, guid, mapping, one_of, secret, text, whole
from relais.records.connections.actions.save_client_smpp_connection import (
    LONG_PASSWORD_CHARACTERS_MAX,
    PASSWORD_CHARACTERS_MAX,
    save_client_smpp_connection,
)
from relais.records.connections.actions.save_vendor_smpp_connection import save_vendor_smpp_connection
from relais.records.connections.models import ClientSmppConnection, Datacoding, SslType, VendorSmppConnection
from relais.records.parties.tree import level_and_above, system_owner
from relais.records.secrets import holds
from relais.records.senders.actions.save_sender_id import save_sender_id
from relais.records.senders.models import SenderChannel, SenderId, SenderStatus, VendorType

_INTEGER_MAX = 2**31 - 1


def _names(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("a list of names is expected")
    return [full_text(name) for name in value]


class VendorSmppConnections(Section):
    name = "vendor_smpp_connections"
    key = ("company", "name")
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "company": Field(full_text),
        "companies": Field(_names),
        "host_name": Field(full_text, required=True),
        "port": Field(whole(1, 65535), required=True),
        "system_id": Field(full_text, required=True),
        "password": Field(secret, required=True),
        "system_type": Field(text),
        "use_tls": Field(flag),
        "rps_limit": Field(whole(1, _INTEGER_MAX), blank=True),
        "window_limit": Field(whole(1, _INTEGER_MAX), blank=True),
        "use_tlv": Field(flag),
        "inverse_address_mode": Field(flag),
        "fallback_sender": Field(text),
        "disabled": Field(flag),
        "statuses_map": Field(mapping),
        "options": Field(mapping),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        owner = references.company(entry["company"]) if "company" in entry else system_owner()
        found = VendorSmppConnection.objects.filter(company=owner, name__iexact=entry["name"]).first()
        record = found or VendorSmppConnection(company=owner, name=entry["name"])
        changed = assign(record, self.given(entry, set(self.shape) - {"company", "name", "password", "companies"}))
        changed = changed or not holds(record.password_encrypted, entry["password"])
        companies = (
            [references.company(name, "companies") for name in entry["companies"]] if "companies" in entry else None
        )
        if companies is not None:
            reserved = set() if found is None else set(found.companies.values_list("pk", flat=True))
            changed = changed or reserved != {company.pk for company in companies}
        if changed:
            save_vendor_smpp_connection(record, entry["password"], companies=companies)
        return Outcome.CREATED if found is None else changed_if(changed)


class ClientSmppConnections(Section):
    name = "client_smpp_connections"
    key = ("login",)
    label = "login"
    shape: ClassVar[Shape] = {
        "login": Field(full_text, required=True),
        "company": Field(full_text, required=True),
        "name": Field(full_text, required=True),
        "password": Field(secret, required=True),
        "network": Field(text),
        "system_type": Field(text),
        "ssl_type": Field(one_of(*SslType.values)),
        "default_data_coding": Field(one_of(*Datacoding.values)),
        "sessions_limit": Field(whole(1, _INTEGER_MAX), blank=True),
        "rps_limit": Field(whole(1, _INTEGER_MAX), blank=True),
        "window_limit": Field(whole(1, _INTEGER_MAX), blank=True),
        "disabled": Field(flag),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        """A password of more than eight characters is taken as meant (CSMPP-18)."""
        company, password = references.company(entry["company"]), entry["password"]
        found = ClientSmppConnection.objects.filter(login__iexact=entry["login"]).first()
        record = found or ClientSmppConnection(company=company, login=entry["login"])
        changed = assign(record, {"company": company}, final=("company",) if found else ())
        changed = assign(record, self.given(entry, set(self.shape) - {"company", "login", "password"})) or changed
        if changed or not holds(record.password_encrypted, password):
            long_password = PASSWORD_CHARACTERS_MAX < len(password) <= LONG_PASSWORD_CHARACTERS_MAX
            save_client_smpp_connection(record, password, long_password=long_password)
            changed = True
        return Outcome.CREATED if found is None else changed_if(changed)


class SenderIds(Section):
    name = "sender_ids"
    key = ("company", "channel", "sender_id")
    label = "sender_id"
    columns: ClassVar = {
        "connection": "smpp_connection",
        "second_connection": "second_smpp_connection",
        "client_connection": "client_smpp_connection",
    }
    shape: ClassVar[Shape] = {
        "channel": Field(one_of(*SenderChannel.values), required=True),
        "sender_id": Field(full_text, required=True),
        "name": Field(full_text, required=True),
        "company": Field(full_text, required=True),
        "agreement": Field(full_text, blank=True),
        "status": Field(one_of(*SenderStatus.values), required=True),
        "vendor_type": Field(one_of(*VendorType.values), required=True),
        "connection": Field(full_text, required=True),
        "second_connection": Field(full_text, blank=True),
        "client_connection": Field(full_text, blank=True),
        "webhook_guid": Field(guid, blank=True),
        "mcc": Field(text),
        "keyword": Field(text),
        "webhook_url": Field(text),
        "service_type": Field(text),
        "notifications": Field(flag),
        "trigger_percent": Field(whole(1, 100), blank=True),
        "minimal_message_count": Field(whole(1, _INTEGER_MAX), blank=True),
        "window_size_minutes": Field(whole(1, _INTEGER_MAX), blank=True),
        "is_default": Field(flag),
        "opt_out_words": Field(flag),
        **{f"{asked}_{what}": Field(text) for what in ("words", "answer") for asked in ("stop", "start", "help")},
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        same = {"company": company, "channel": entry["channel"]}
        found = SenderId.objects.filter(**same, sender_id__iexact=entry["sender_id"]).first()
        record = found or SenderId(**same, sender_id=entry["sender_id"])
        referring = {"agreement", "connection", "second_connection", "client_connection"}
        values = self.given(entry, set(self.shape) - {"channel", "sender_id", "company"} - referring)
        for field in sorted({"connection", "second_connection"} & entry.values.keys()):
            values[self.columns[field]] = entry[field] and references.vendor_smpp_connection(
                entry[field], level_and_above(company), field
            )
        if "client_connection" in entry:
            login = entry["client_connection"]
            values["client_smpp_connection"] = login and references.client_smpp_connection(login, "client_connection")
        if "agreement" in entry:
            code = entry["agreement"]
            values["agreement"] = None if code is None else references.agreement(code, of=company)
        changed = assign(record, values)
        if found is None or changed:
            save_sender_id(record, run.now)
        return Outcome.CREATED if found is None else changed_if(changed)
