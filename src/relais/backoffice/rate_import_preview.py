"""What an import would change, as its page and its CSV file show it."""

import csv
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext, gettext_lazy

from relais.backoffice.rate_values import PRICE_TYPES, words
from relais.core.price_sheets.cells import letters_of
from relais.core.price_sheets.difference import Change, Line, Terms
from relais.core.price_sheets.settings import Context
from relais.core.rating.types import PriceType
from relais.pages.kinds import amount
from relais.records.catalog.actions.import_rates import Preview

PRICE_DECIMALS = 5
CHANGES = {
    Change.NEW: (gettext_lazy("New"), "ok"),
    Change.CHANGED: (gettext_lazy("Changed"), "info"),
    Change.GONE: (gettext_lazy("Removed"), "bad"),
}


def with_branches(lines: list[Line]) -> list[Line]:
    """Lines that change something, each below the branches above it."""
    found: list[Line] = []
    above: list[Line] = []
    for line in lines:
        del above[line.depth :]
        if line.change is Change.BRANCH:
            above += [line] * (line.depth + 1 - len(above))
        elif line.change is not Change.SAME:
            found += [branch for branch in above if not any(branch is each for each in found[-len(above) - 1 :])]
            found.append(line)
    return found


def shown(line: Line, context: Context) -> dict[str, Any]:
    label, tone = CHANGES.get(line.change, ("", ""))
    difference = line.difference_bp
    rules = line.after or line.before
    return {
        "depth": range(line.depth),
        "label": line.label,
        "by": gettext(context.label_of(line.by)) if line.by else "",
        "change": label,
        "tone": tone,
        "is_branch": line.change is Change.BRANCH,
        "is_gone": line.change is Change.GONE,
        "is_changed": line.change is Change.CHANGED,
        "before": _terms(line.before),
        "after": _terms(line.after),
        "difference": percent(difference) if difference else "",
        "difference_tone": "bad" if difference and difference > 0 else "ok",
        "rule": words(rules.billing_rule) if rules and rules.billing_rule else "",
    }


def _terms(terms: Terms | None) -> str:
    if terms is None:
        return ""
    if terms.price_micros is not None:
        return amount(terms.price_micros, 6 if terms.price_micros % 10 else PRICE_DECIMALS)
    if terms.steps_micros:
        return f"{amount(terms.steps_micros[0], PRICE_DECIMALS)} → {amount(terms.steps_micros[-1], PRICE_DECIMALS)}"
    return gettext(PRICE_TYPES[PriceType(terms.price_type)])


def percent(basis_points: int) -> str:
    sign = "+" if basis_points > 0 else "\N{MINUS SIGN}"
    whole, rest = divmod((abs(basis_points) + 5) // 10, 10)
    return f"{sign}{whole}.{rest} %"


def as_csv(seen: Preview, tab: str) -> HttpResponse:
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{"errors" if tab == "errors" else "changes"}.csv"'
    lines = csv.writer(response)
    if tab == "errors":
        lines.writerow(("Row", "Column", "Value", "Reason"))
        for fault in seen.faults:
            lines.writerow(
                (fault.row, "" if fault.column is None else letters_of(fault.column), fault.value, fault.reason)
            )
        return response
    lines.writerow(("Change", "Resource", "Now", "After"))
    path: list[str] = []
    for line in seen.lines:
        path[line.depth :] = [line.label]
        if line.change is not Change.BRANCH:
            lines.writerow((line.change.value, " / ".join(path), _terms(line.before), _terms(line.after)))
    return response
