"""What a file names is locked before anything is changed, in the order of everybody (`agreements.posting`): scopes, services,
agreements; balances follow when the first of them is to be moved."""

from collections.abc import Iterable

from django.db.models.functions import Lower

from relais.records.agreements.models import Agreement
from relais.records.apply.references import QUALIFIER
from relais.records.apply.shapes import Entry
from relais.records.catalog.models import EnabledService, Scope, Service

_SERVICES = ("service", "cost_service")  # and the name of an entry that has scopes
_AGREEMENTS = ("agreement", "agreement_code")


def lock_named(entries: Iterable[Entry]) -> None:
    """By name alone: one too many is locked until the file is applied, which harms nobody. Services of which rates change are
    locked with every agreement they are enabled on."""
    named = list(entries)
    services = _names(named, _SERVICES) | _names([entry for entry in named if "scopes" in entry], ("name",))
    service_ids = list(_by_name(Service, "name", services))
    list(Scope.objects.select_for_update().filter(service_id__in=service_ids).order_by("pk"))
    list(Service.objects.select_for_update(of=("self",)).filter(pk__in=service_ids).order_by("pk"))
    agreement_ids = {*_by_name(Agreement, "agreement_code", _names(named, _AGREEMENTS))}
    agreement_ids |= {*EnabledService.objects.filter(service_id__in=service_ids).values_list("agreement_id", flat=True)}
    rows = Agreement.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=agreement_ids)
    list(rows.order_by("pk").values_list("pk", flat=True))


def _names(entries: Iterable[Entry], fields: Iterable[str]) -> set[str]:
    texts = [entry.get(field) for entry in entries for field in fields]
    return {text.rpartition(QUALIFIER)[2].lower() for text in texts if isinstance(text, str)} | {
        text.lower() for text in texts if isinstance(text, str)
    }


def _by_name(model: type[Service] | type[Agreement], column: str, names: set[str]) -> Iterable[int]:
    return model._default_manager.annotate(named=Lower(column)).filter(named__in=names).values_list("pk", flat=True)
