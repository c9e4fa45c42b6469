"""Applies a scenario file: read, check the form, then make everything in one transaction, or nothing.

The order of sections in the file does not matter; they are applied in the order of `STEPS`, so that a record exists
before another refers to it.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from relais.records.agreements.posting import lock_balances
from relais.records.apply import (
    access,
    agreements,
    billing,
    catalog,
    guards,
    mnp,
    parties,
    people,
    pricing,
    senders,
    traffic,
)
from relais.records.apply.document import read_document
from relais.records.apply.locks import lock_named
from relais.records.apply.references import Dangling
from relais.records.apply.section import Outcome, Run, Section
from relais.records.apply.shapes import Entry, Faults, read_entries
from relais.records.audit import audited
from relais.records.errors import Invalid

# A section may take two steps: what refers forward waits for its turn.
STEPS: tuple[Section, ...] = (
    mnp.MnpConnections(),
    parties.Companies(),
    parties.Banks(),
    parties.LegalEntities(),
    parties.CompaniesOwnLegalEntity(),
    parties.BankAccounts(),
    agreements.Agreements(),
    agreements.ResellingAgreements(),
    catalog.Services(),
    catalog.ServicesScopes(),
    traffic.VendorSmppConnections(),
    traffic.ClientSmppConnections(),
    traffic.SenderIds(),
    senders.SenderRules(),
    senders.SenderRegistrations(),
    pricing.FeeRules(),
    access.PasswordPolicies(),  # before users, whose passwords they judge
    people.ApiKeys(),
    guards.Caps(),
    guards.FloodFilters(),
    guards.LinkLists(),
    guards.TrustedNumbers(),
    guards.NoticeEmails(),
    people.Departments(),
    people.Roles(),
    people.Users(),
    billing.Payments(),  # from here on balances are locked
    catalog.EnabledServices(),  # packs are paid from what payments brought
    catalog.EnabledBundlePacks(),
    pricing.CountryPriceLists(),
)
SECTIONS = {step.name: step for step in reversed(STEPS)}  # the first step of a name has its shape


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, by section; `told_once` are keys that nobody can read again."""

    outcomes: dict[str, Counter[Outcome]]
    told_once: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return any(counts[Outcome.CREATED] or counts[Outcome.CHANGED] for counts in self.outcomes.values())

    def __str__(self) -> str:
        lines = [
            f"{section}: {', '.join(f'{counts[outcome]} {outcome.value}' for outcome in Outcome if counts[outcome])}"
            for section, counts in self.outcomes.items()
            if counts
        ]
        return "\n".join([*lines, *self.told_once, *([] if self.changed else ["unchanged"])])


def apply_file(path: Path | str, now: datetime | None = None) -> Summary:
    """Apply the file; `Invalid` with every fault found, as `file: path.to[0].field: reason`, and then nothing is changed.

    Applying the same file again changes nothing.
    """
    file = Path(path)
    faults = Faults()
    try:
        entries = _read(read_document(file), faults)
        with audited(f"Apply {file.name}", user=None, ip_address=None):
            summary = _apply(entries, Run(now or datetime.now(UTC)), faults)
            if faults.found or not summary.changed:
                transaction.set_rollback(True)  # what changed nothing is no action either
    except Invalid as refusal:  # of the document as a whole
        for field, reasons in refusal.reasons.items():
            for reason in reasons:
                faults.add(field, reason)
    if faults.found:
        raise Invalid(
            {f"{file.name}: {place}" if place else file.name: _reasons_at(faults, place) for place, _ in faults.found}
        )
    return summary


def _reasons_at(faults: Faults, place: str) -> tuple[str, ...]:
    return tuple(reason for path, reason in faults.found if path == place)


def _read(document: dict[str, Any], faults: Faults) -> dict[str, list[Entry]]:
    """Entries by section; faults of form are collected, and an entry that has one is marked."""
    entries: dict[str, list[Entry]] = {}
    for name, raw in document.items():
        if name not in SECTIONS:
            faults.add(name, f"unknown section; known are {', '.join(dict.fromkeys(step.name for step in STEPS))}")
        elif raw is not None:
            entries[name] = read_entries(raw, SECTIONS[name].shape, name, faults)
            _refuse_repetitions(entries[name], SECTIONS[name], faults)
    return entries


def _refuse_repetitions(entries: list[Entry], section: Section, faults: Faults) -> None:
    """The same record twice in one file: which of the two is meant?"""
    met: dict[tuple[object, ...], str] = {}
    for entry in entries:
        if not entry.sound:
            continue
        key = tuple(_folded(entry.get(name)) for name in section.key)
        if key in met:
            faults.add(entry.path, f"is the same record as {met[key]}")
            entry.sound = False
        met.setdefault(key, entry.path)


def _apply(entries: dict[str, list[Entry]], run: Run, faults: Faults) -> Summary:
    """All steps. An entry that fails is left out, and what refers to it fails silently: its own fault is told."""
    missing = {
        (name, _folded(entry.get(SECTIONS[name].label)))
        for name, listed in entries.items()
        for entry in listed
        if not entry.sound
    }
    outcomes: dict[str, Counter[Outcome]] = {}
    lock_named(entry for listed in entries.values() for entry in listed if entry.sound)
    balances_locked = False
    for step in STEPS:
        sound = [entry for entry in entries.get(step.name, []) if entry.sound]
        if not balances_locked and step.posted_to(sound):
            balances_locked = True
            lock_balances(_posted_to(entries))
        for entry in sound:
            try:
                with transaction.atomic():
                    outcome = step.apply(entry, run)
            except Invalid as refusal:
                entry.sound = False
                missing.add((step.name, _folded(entry.get(step.label))))
                if not (isinstance(refusal, Dangling) and (refusal.section, _folded(refusal.name)) in missing):
                    _collect(refusal, step, entry, faults)
            else:
                _count(outcomes.setdefault(step.name, Counter()), step, outcome)
    return Summary(outcomes, tuple(run.told_once))


def _posted_to(entries: dict[str, list[Entry]]) -> set[int]:
    """Of all steps at once, so that they are locked in one order."""
    return {
        agreement_id
        for step in STEPS
        for agreement_id in step.posted_to([entry for entry in entries.get(step.name, []) if entry.sound])
    }


def _count(counts: Counter[Outcome], step: Section, outcome: Outcome) -> None:
    """A second step of a section changes how its entry is counted only when it did something."""
    if SECTIONS[step.name] is step:
        counts[outcome] += 1
    elif outcome is Outcome.CHANGED and counts[Outcome.UNCHANGED]:
        counts[Outcome.UNCHANGED] -= 1
        counts[Outcome.CHANGED] += 1


def _collect(refusal: Invalid, step: Section, entry: Entry, faults: Faults) -> None:
    for column, reasons in refusal.reasons.items():
        for reason in reasons:
            # verbs speak of columns; nested entries already of whole paths
            place = column if column.startswith(entry.path) else step.field_of(column)
            faults.add(place if place.startswith(entry.path) else f"{entry.path}.{place}".rstrip("."), reason)


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value
