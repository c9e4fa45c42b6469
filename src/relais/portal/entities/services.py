"""Services and packs that the company has bought, but for those that its seller hides (CP-62)."""

from relais.pages.entity import Column, Entity, Filter, Menu, Section
from relais.pages.kinds import OPEN, Choice, Id, Instant, Kind, Name
from relais.pages.words import SERVICE_TYPES
from relais.records.agreements.models import Agreement
from relais.records.catalog.models import EnabledService

SERVICES = Entity(
    name="services",
    model=EnabledService,
    label="Service",
    plural="Services and packs",
    line="Services and packs",
    menu=Menu("Finance", 20),
    columns=(
        Column("id", "ID", Id(), path="pk", sort="pk", shown=False),
        Column("service", "Service", Name(), path="service__name", phone="m1"),
        Column("type", "Kind", Choice(SERVICE_TYPES), path="service__type", phone="m2"),
        Column("agreement", "Agreement", Kind(), path="agreement__agreement_code", phone="m3"),
        Column("effective_from", "Effective from", Instant(), phone="m4"),
        Column("effective_till", "Effective till", Instant(none=OPEN)),
    ),
    filters=(
        Filter("service", "Service", path="service__name"),
        Filter("type", "Kind", "choice", path="service__type", choices=list(SERVICE_TYPES.items())),
        Filter("agreement", "Agreement", "reference", of=Agreement),
        Filter("effective_from", "Effective from", "day"),
        Filter("effective_till", "Effective till", "day"),
    ),
    search=("service__name", "agreement__agreement_code"),
    search_hint="Service or agreement",
    sections=(
        Section("Service", ("service", "type", "agreement")),
        Section("Period", ("effective_from", "effective_till")),
    ),
    rows=lambda rows: rows.select_related("agreement", "service"),
    empty="A service lets your company send on a channel, at its prices. Ask whoever serves your company to enable one.",
)
