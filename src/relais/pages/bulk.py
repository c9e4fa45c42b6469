"""One verb on many records (`ids`, or `all` that the filters leave), each audited and refused for itself.

It is done in steps of about a second, one request each: the window says how far it is and asks for the next. Closing it stops
after the step that runs. Nothing is skipped silently: the answer names every refusal.
"""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from relais.pages.drawers import delete, run_action
from relais.pages.entity import Action, Entity
from relais.pages.filters import Conditions
from relais.pages.forms import told
from relais.pages.viewer import MANAGE, Viewer, viewer_of
from relais.pages.views import View, action_form, keys_of, stored_answer
from relais.records.errors import Invalid

BULK_COUNT_MAX = 10_000
STEP_S = 1.0


@dataclass
class Progress:
    """How far it is; travels in the window's form from step to step. `after`: the key of the last record that was tried."""

    total: int
    after: str = ""
    tried: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)  # (record, reason)
    ended: bool = False

    @classmethod
    def sent(cls, data: QueryDict, total: int) -> "Progress":
        """What the form brings back; a beginning, with `total` records to try, where it brings nothing sound."""
        try:
            refused = [(str(record), str(reason)) for record, reason in map(json.loads, data.getlist("refused"))]
            return cls(int(data["total"]), data["after"], int(data["tried"]), refused)
        except (KeyError, ValueError, TypeError):
            return cls(total)

    @property
    def done(self) -> int:
        return self.tried - len(self.refused)

    @property
    def kept(self) -> list[tuple[str, Any]]:
        """(name, value) of the form's hidden fields."""
        told = [("refused", json.dumps(each)) for each in self.refused]
        return [("total", self.total), ("after", self.after), ("tried", self.tried), *told]

    def step(self, entity: Entity, action: Action | None, rows: QuerySet[Any], viewer: Viewer, data: Any) -> None:
        """Tries records in the order of their keys until the step's time is over: one at least."""
        until_s = time.monotonic() + STEP_S
        after = keys_of(entity, [self.after])
        left = rows.filter(pk__gt=after[0]) if self.after and after else rows
        for record in left.order_by("pk")[:BULK_COUNT_MAX]:
            self.after, self.tried = str(record.pk), self.tried + 1
            try:
                if action is None:
                    delete(entity, record, viewer)
                elif action.shown(record):
                    run_action(entity, action, record, viewer, data)
            except Invalid as invalid:
                self.refused.append((str(record), "\n".join(told(invalid))))
            if time.monotonic() >= until_s:
                self.ended = not left.filter(pk__gt=keys_of(entity, [self.after])[0]).exists()
                return
        self.ended = True


def bulk_view(entity: Entity) -> View:
    @require_POST
    def view(request: HttpRequest, action: str) -> HttpResponse:
        viewer = viewer_of(request)
        chosen = next((each for each in entity.actions if each.key == action and each.bulk), None)
        if chosen is None and not (action == "delete" and entity.deletes):
            raise Http404
        rows = _rows(entity, request.POST, viewer)
        form = action_form(chosen, request, None) if chosen else None
        context: dict[str, Any] = {"entity": entity, "action": chosen, "form": form, "post": request.POST}
        sure = request.POST.get("sure") and (form is None or form.is_valid())
        going = "after" in request.POST
        context["count"] = 0 if going else rows[: BULK_COUNT_MAX + 1].count()
        if context["count"] > BULK_COUNT_MAX:
            words = gettext("More than %d records are selected. Narrow the filter.")
            context["refused"] = [("", words % BULK_COUNT_MAX)]
        elif sure:
            progress = Progress.sent(request.POST, context["count"])
            progress.step(entity, chosen, rows, viewer, form.cleaned_data if form else {})
            if progress.ended and not progress.refused:
                deleted = ngettext("%d record deleted.", "%d records deleted.", progress.done)
                changed = ngettext("%d record changed.", "%d records changed.", progress.done)
                return stored_answer(request, entity, (deleted if chosen is None else changed) % progress.done, "")
            context["progress"] = progress
            context["refused"] = progress.refused if progress.ended else []
        return render(request, "pages/bulk.html", context)

    return view


def _rows(entity: Entity, data: QueryDict, viewer: Viewer) -> QuerySet[Any]:
    """Those that were chosen, of those the viewer may manage."""
    rows = entity.queryset(viewer, MANAGE)
    if data.get("all"):
        return Conditions(entity, QueryDict(data.get("query", "")), viewer).apply(rows)
    return rows.filter(pk__in=keys_of(entity, data.getlist("ids")))
