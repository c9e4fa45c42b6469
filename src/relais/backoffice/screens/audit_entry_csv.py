"""The details of one audit entry as a CSV file (AUD-4, AUD-5): a line for every changed record."""

import csv

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.timezone import localtime
from django.views.decorators.http import require_safe

from relais.backoffice.entities.audit import AUDIT, changes_of, lines_seen, who
from relais.pages.guard import with_permission
from relais.pages.lists import harmless
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of
from relais.records import audit
from relais.records.people.models import AuditLine
from relais.records.people.permissions import EXPORT

HEAD = (
    "User",
    "IP Address",
    "Logged Action",
    "Table",
    "Operation",
    "Object ID",
    "Old value",
    "New value",
    "Company ID",
)


def _values(line: AuditLine, which: str) -> str:
    """Changed fields one below the other."""
    told = [(change.name, getattr(change, which)) for change in changes_of(line)]
    return "\n".join(f"{name}: {value}" for name, value in told if value is not None)


@with_permission(EXPORT)
@require_safe
def entry_csv(request: HttpRequest, pk: int) -> HttpResponse:
    viewer = viewer_of(request)
    entry = AUDIT.queryset(viewer).filter(pk=pk).first()
    if entry is None:
        raise Http404
    audit.note(f"Export Audit entry {pk}", user=viewer.user, ip_address=viewer.ip_address)
    answer = HttpResponse("\N{BYTE ORDER MARK}", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-{pk}.csv"'
    writer = csv.writer(answer)
    writer.writerow([f"Date & Time ({viewer.zone.key})", *HEAD])
    at = localtime(entry.at, viewer.zone).strftime("%d.%m.%Y %H:%M:%S")
    common = [at, who(entry), entry.ip_address or "", entry.action]
    lines = [
        [line.table, line.operation, line.object_id, _values(line, "old"), _values(line, "new"), line.company_id or ""]
        for line in lines_seen(entry, viewer).iterator(chunk_size=1_000)
    ]
    for line in lines or [[""] * 6]:
        writer.writerow([harmless(str(cell)) for cell in [*common, *line]])
    return answer


AUDIT_ENTRY_CSV = Screen(
    name="audit-entry-csv", label="Audit entry", route="audit/<int:pk>/csv/", view=entry_csv, line="Audit"
)
