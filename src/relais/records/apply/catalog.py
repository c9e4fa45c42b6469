"""Services with their scopes and rates, and what is enabled for whom, in scenario files."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from relais.records.apply import references
from relais.records.apply.rates import read_rates
from relais.records.apply.section import Outcome, Run, Section, assign, changed_if
from relais.records.apply.shapes import (
    Entry,
    Faults,
    Field,
    Shape,
    anything,
    capitals,
    flag,
    full_text,
    instant,
    money,
    one_of,
    text,
    whole,
)
from relais.records.catalog.actions.enable_bundle import enable_bundle_pack, enable_initiator, set_auto_extend
from relais.records.catalog.actions.enable_service import change_enabled_service, enable_pack, enable_service
from relais.records.catalog.actions.replace_rate_tree import refresh_channels_of_service, replace_rate_tree
from relais.records.catalog.actions.save_service import save_service
from relais.records.catalog.models import PACK_TYPES, EnabledService, Scope, Service, ServiceType
from relais.records.errors import Invalid
from relais.records.saving import save

SCOPE: Shape = {
    "effective_from": Field(instant, required=True),
    "effective_till": Field(instant, blank=True),
    "draft": Field(flag),
    "rates": Field(anything),
}


def _size(value: Any) -> int:
    """Units as a number; the worth of a monetary pack as a text, in micros."""
    return money(value) if isinstance(value, str) else int(whole(1, 10**15)(value))


class Services(Section):
    name = "services"
    key = ("company", "name")
    shape: ClassVar[Shape] = {
        "name": Field(full_text, required=True),
        "company": Field(full_text, required=True),
        "type": Field(one_of(*ServiceType.values), required=True),
        "currency": Field(capitals, blank=True),
        "size": Field(_size, blank=True),
        "description": Field(text),
        "scopes": Field(anything, entries=SCOPE),
    }

    def apply(self, entry: Entry, run: Run) -> Outcome:
        company = references.company(entry["company"])
        same = list(Service.objects.filter(company=company, name__iexact=entry["name"])[:2])
        if len(same) > 1:
            raise Invalid.of("name", "several services of this company have it: rename them first")
        record = same[0] if same else Service(company=company, name=entry["name"], type=entry["type"])
        final = ("type", "currency") if same else ()  # SV-262
        changed = assign(record, self.given(entry, ("type", "currency", "size", "description")), final)
        if not same or changed:
            save_service(record)
        return changed_if(changed) if same else Outcome.CREATED


class ServicesScopes(Section):
    """The second step: rates may name packs that stand further down."""

    name = Services.name
    key = Services.key
    shape = Services.shape

    def apply(self, entry: Entry, run: Run) -> Outcome:
        if not entry.get("scopes"):
            return Outcome.UNCHANGED
        record = references.service(entry["name"], references.company(entry["company"]).pk, "name")
        return changed_if(any([_apply_scope(scope, record, run) for scope in entry["scopes"]]))


def _apply_scope(entry: Entry, service: Service, run: Run) -> bool:
    """Found by the service and its start; whether it, or its rates, were made or changed."""
    found = Scope.objects.filter(service=service, effective_from=entry["effective_from"]).order_by("pk").first()
    record = found or Scope(service=service, effective_from=entry["effective_from"])
    given = {name: entry[name] for name in ("draft", "effective_till") if name in entry}
    changed = assign(record, given) or found is None
    faults = Faults()
    rates_path = f"{entry.path}.rates"
    rows = read_rates(entry["rates"], rates_path, service, faults) if "rates" in entry else None
    if faults.found:
        raise Invalid({path: [why for place, why in faults.found if place == path] for path, _ in faults.found})
    try:
        if changed:
            save(record)
            refresh_channels_of_service(service.pk)
        if rows is not None:
            changed |= replace_rate_tree(record.pk, rows, run.now).changed
    except Invalid as refusal:
        raise Invalid({f"{entry.path}.{at}".rstrip("."): why for at, why in refusal.reasons.items()}) from refusal
    return changed


class EnabledServices(Section):
    name = "enabled_services"
    key = ("agreement", "service", "effective_from")
    label = "service"
    shape: ClassVar[Shape] = {
        "agreement": Field(full_text, required=True),
        "service": Field(full_text, required=True),
        "effective_from": Field(instant, required=True),
        "effective_from_timezone": Field(full_text),
        "effective_till": Field(instant, blank=True),
        "effective_till_timezone": Field(full_text),
        "hidden_from_client": Field(flag),
        "billing": Field(one_of("free", "charge")),
    }

    def posted_to(self, entries: Sequence[Entry]) -> Collection[int]:
        """Of packs that are charged."""
        return _agreement_ids(entry for entry in entries if entry.get("billing") == "charge")

    def apply(self, entry: Entry, run: Run) -> Outcome:
        agreement = references.agreement(entry["agreement"])
        service = references.service(entry["service"], agreement.own_legal_entity.company_id)
        same = {"agreement": agreement, "service": service, "effective_from": entry["effective_from"]}
        given = self.given(
            entry, ("effective_from_timezone", "effective_till", "effective_till_timezone", "hidden_from_client")
        )
        if "billing" in entry and service.type not in PACK_TYPES:
            raise Invalid.of("billing", "goes with packs only")
        charged = {"charged": entry["billing"] == "charge"} if "billing" in entry else {}
        found = EnabledService.objects.filter(**same).first()
        if found is None:
            enable = _ENABLE.get(service.type, enable_service)
            enable(EnabledService(**same, **given, **charged), run.now)
            return Outcome.CREATED
        assign(found, charged, final=charged)  # ES-43
        differing = {column: value for column, value in given.items() if getattr(found, column) != value}
        if differing:
            change_enabled_service(found.pk, run.now, **differing)
        return changed_if(bool(differing))


class EnabledBundlePacks(Section):
    """Applied after payments: a bundle pack is paid when it is enabled, which is when it is first applied."""

    name = "enabled_bundle_packs"
    key = ("agreement", "service")
    label = "service"
    shape: ClassVar[Shape] = {
        "agreement": Field(full_text, required=True),
        "service": Field(full_text, required=True),
        "auto_extend": Field(flag),
    }

    def posted_to(self, entries: Sequence[Entry]) -> Collection[int]:
        return _agreement_ids(entries)

    def apply(self, entry: Entry, run: Run) -> Outcome:
        agreement = references.agreement(entry["agreement"])
        service = references.service(entry["service"], agreement.own_legal_entity.company_id)
        given = self.given(entry, ("auto_extend",))
        same = {"agreement": agreement, "service": service}
        found = EnabledService.objects.filter(**same, effective_till__gt=run.now).order_by("pk").last()
        if found is None:
            enable_bundle_pack(EnabledService(**same, **given), run.now)
            return Outcome.CREATED
        if given and found.auto_extend != given["auto_extend"]:
            set_auto_extend(found.pk, given["auto_extend"])
            return Outcome.CHANGED
        return Outcome.UNCHANGED


_ENABLE = {
    ServiceType.UNIT_PACK: enable_pack,
    ServiceType.MONETARY_PACK: enable_pack,
    ServiceType.BUNDLE_INITIATOR: enable_initiator,
}


def _agreement_ids(entries: Iterable[Entry]) -> set[int]:
    """Those that can be found; of the others the entry itself will tell."""
    found = set()
    for entry in entries:
        with suppress(Invalid):
            found.add(references.agreement(entry["agreement"]).pk)
    return found
