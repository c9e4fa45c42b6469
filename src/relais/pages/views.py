"""Requests and answers of entity pages. A request of the page's script (htmx) gets the part it asked for; any other the
whole page, so that every URL can be sent, reloaded and used without a script."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from relais.pages.drawers import Drawer, FormDrawer, delete, run_action
from relais.pages.entity import Action, Entity
from relais.pages.filters import OPTIONS
from relais.pages.forms import ReferenceField, told
from relais.pages.lists import EntityList, record_url
from relais.pages.templatetags.pages import in_sentence, verb
from relais.pages.viewer import MANAGE, Viewer, viewer_of
from relais.records import audit
from relais.records.errors import Invalid

View = Callable[..., HttpResponse]
OPTIONS_COUNT_MAX = 30
CSV_PIECE_LETTERS_COUNT = 64 * 1024


def list_view(entity: Entity) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        viewer = viewer_of(request)
        if OPTIONS in request.GET:
            return _filter_options(entity, request, viewer)
        listed = EntityList(entity, request.GET, viewer).load()
        part = "pages/list_body.html" if request.headers.get("HX-Target") == "list" else "pages/list.html"
        context = {"entity": entity, "list": listed, "tabs": listed.tabs(counted=False)}
        if listed.empty == "first":
            context["setup"] = request.site.setup_steps(viewer, entity.name)  # type: ignore[attr-defined]  # of the guard
        return render(request, part, context)

    return view


def tabs_view(entity: Entity) -> View:
    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        listed = EntityList(entity, request.GET, viewer_of(request))
        return render(request, "pages/tab_counts.html", {"tabs": listed.tabs(counted=True)})

    return view


def csv_view(entity: Entity) -> View:
    """`ids`: those records only; `columns=all`: every column, else those the list shows. Written as it is read: memory stays
    flat."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        viewer = viewer_of(request)
        query = request.GET.copy()
        ids, every = query.pop("ids", []), query.pop("columns", [""])[-1] == "all"
        listed = EntityList(entity, query, viewer)
        rows = listed.rows()
        if ids:
            rows = rows.filter(pk__in=keys_of(entity, ids))
        audit.note(f"Export {entity.plural}", user=viewer.user, ip_address=viewer.ip_address)
        columns = entity.columns if every else listed.columns

        def pieces() -> Iterator[str]:
            """Of many lines each: a piece is compressed and sent for itself."""
            piece = io.StringIO(newline="")
            piece.write("\N{BYTE ORDER MARK}")
            writer = csv.writer(piece)
            for line in listed.csv_lines(rows, columns):
                writer.writerow(line)
                if piece.tell() >= CSV_PIECE_LETTERS_COUNT:
                    yield piece.getvalue()
                    piece.seek(0)
                    piece.truncate()
            yield piece.getvalue()

        day = timezone.localtime(viewer.now, viewer.zone)
        name = f"{entity.name}-{day:%Y-%m-%d-%H%M}-{viewer.zone.key.replace('/', '-')}.csv"
        answer = StreamingHttpResponse(pieces(), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer

    return view


def record_view(entity: Entity) -> View:
    @require_safe
    def view(request: HttpRequest, pk: str) -> HttpResponse:
        viewer = viewer_of(request)
        return in_drawer(
            request, entity, "pages/view.html", {"drawer": Drawer(entity, record_or_404(entity, viewer, pk), viewer)}
        )

    return view


def new_view(entity: Entity) -> View:
    def view(request: HttpRequest) -> HttpResponse:
        return _form(request, entity, None)

    return view


def edit_view(entity: Entity) -> View:
    def view(request: HttpRequest, pk: str) -> HttpResponse:
        return _form(request, entity, record_or_404(entity, viewer_of(request), pk, MANAGE))

    return view


def delete_view(entity: Entity) -> View:
    """GET asks, naming what hangs on the record; POST deletes."""

    def view(request: HttpRequest, pk: str) -> HttpResponse:
        viewer = viewer_of(request)
        drawer = Drawer(entity, record_or_404(entity, viewer, pk, MANAGE), viewer)
        context: dict[str, Any] = {"drawer": drawer, "reasons": []}
        if request.method == "POST":
            try:
                delete(entity, drawer.record, viewer)
            except Invalid as invalid:
                context["reasons"] = told(invalid)
            else:
                return stored_answer(
                    request, entity, gettext("%(label)s %(name)s deleted.") % _named(entity, drawer.record), ""
                )
        return in_drawer(request, entity, "pages/delete.html", context, status=409 if context["reasons"] else 200)

    return view


def action_view(entity: Entity) -> View:
    """GET asks (with the action's own small form, where it has one); POST does it."""

    def view(request: HttpRequest, pk: str, action: str) -> HttpResponse:
        viewer = viewer_of(request)
        drawer = Drawer(entity, record_or_404(entity, viewer, pk, MANAGE), viewer)
        chosen = next((each for each in drawer.actions if each.key == action), None)
        if chosen is None:
            raise Http404
        form = action_form(chosen, request, drawer.record)
        context: dict[str, Any] = {"drawer": drawer, "action": chosen, "form": form, "reasons": []}
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                made = run_action(entity, chosen, drawer.record, viewer, form.cleaned_data if form else {})
            except Invalid as invalid:
                context["reasons"] = told(invalid)
            else:
                words = gettext("%(label)s %(name)s: %(action)s done.")
                words %= _named(entity, drawer.record) | {"action": in_sentence(verb(chosen.label))}
                if chosen.makes:
                    return stored_answer(request, entity, words, made.pk, "edit")
                return stored_answer(request, entity, words, None if chosen.ends else pk)
        return in_drawer(request, entity, "pages/action.html", context, status=409 if context["reasons"] else 200)

    return view


def action_form(action: Action, request: HttpRequest, record: Any) -> Any:
    if action.form is None:
        return None
    sent = request.POST if request.method == "POST" and (record is not None or request.POST.get("sure")) else None
    return action.form(sent, record=record)


def _form(request: HttpRequest, entity: Entity, record: Any | None) -> HttpResponse:
    viewer = viewer_of(request)
    sent = request.method == "POST"
    initial = {key: value for key, value in request.GET.items() if key != OPTIONS} if record is None else None
    drawer = FormDrawer(
        entity,
        record,
        viewer,
        data=request.POST if sent else None,
        files=request.FILES if sent else None,
        initial=initial,
    )
    if OPTIONS in request.GET:
        return _field_options(drawer, request)
    if sent:
        stored = drawer.save()
        if stored is not None:
            words = gettext("%(label)s %(name)s added.") if record is None else gettext("%(label)s %(name)s saved.")
            return stored_answer(request, entity, words % _named(entity, stored), stored.pk)
    status = 409 if drawer.conflicts else 422 if drawer.form.errors else 200
    return in_drawer(request, entity, "pages/form.html", {"drawer": drawer}, status=status)


def _field_options(drawer: FormDrawer, request: HttpRequest) -> HttpResponse:
    """Records a reference field offers for what is typed (`term`), given what the fields it depends on hold (their names)."""
    field = drawer.form.fields.get(request.GET[OPTIONS])
    if not isinstance(field, ReferenceField):
        raise Http404
    chosen = {name: drawer.form.held(name, request.GET.get(name)) for name in field.depends_on}
    rows = _matching(field.offer(drawer.viewer, chosen), field.search, request.GET.get("term", ""))
    return _options(rows, field.label_from_instance, field.preselected(drawer.viewer, chosen))


def _filter_options(entity: Entity, request: HttpRequest, viewer: Viewer) -> HttpResponse:
    chosen = next((each for each in entity.filters if each.key == request.GET[OPTIONS] and each.of is not None), None)
    if chosen is None or chosen.of is None:
        raise Http404
    searched = getattr(chosen.of, "SEARCH", ("name",))
    return _options(_matching(viewer.rows(chosen.of), searched, request.GET.get("term", "")))


def _matching(rows: QuerySet[Any], paths: tuple[str, ...], term: str) -> QuerySet[Any]:
    condition = Q()
    for path in paths:
        condition |= Q(**{f"{path}__icontains": term[:200].replace("\0", "")})
    return rows.filter(condition).order_by(*paths)[:OPTIONS_COUNT_MAX]


def _options(rows: QuerySet[Any], label: Callable[[Any], str] = str, preselected: Any = None) -> HttpResponse:
    """`preselected` is among what may be chosen, though not always among the rows that fit the term."""
    answer: dict[str, Any] = {"options": [{"value": record.pk, "text": label(record)} for record in rows]}
    if preselected is not None:
        answer["preselected"] = {"value": preselected.pk, "text": label(preselected)}
    return JsonResponse(answer)


def keys_of(entity: Entity, texts: list[str]) -> list[Any]:
    """Those that can be keys of the entity at all."""
    field, keys = entity.model._meta.pk, []
    for text in texts:
        if "\0" in text:
            continue
        try:
            keys.append(field.to_python(text))
        except ValidationError:
            continue
    return keys


def record_or_404(entity: Entity, viewer: Viewer, pk: str, level: str = "view") -> Any:
    """The record, or 404 alike for one that does not exist and one that is not this person's."""
    keys = keys_of(entity, [pk])
    record = entity.queryset(viewer, level).filter(pk__in=keys).first() if keys and _fits(keys[0]) else None
    if record is None:
        raise Http404
    return record


def _fits(key: Any) -> bool:
    return not isinstance(key, int) or key < 2**63


def in_drawer(
    request: HttpRequest, entity: Entity, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The drawer alone, or with the list behind it."""
    context["entity"] = entity
    if request.headers.get("HX-Request"):
        return render(request, template, context, status=status)
    listed = EntityList(entity, QueryDict(), viewer_of(request)).load()
    context |= {"list": listed, "tabs": listed.tabs(counted=False), "drawer_template": template}
    return render(request, "pages/list.html", context, status=status)


def _named(entity: Entity, record: Any) -> dict[str, str]:
    return {"label": gettext(entity.label), "name": str(record)}


def stored_answer(request: HttpRequest, entity: Entity, words: str, pk: Any, verb: str = "view") -> HttpResponse:
    """To where the user goes on: the record's view, or the list when it is gone. A script is told to refresh the list behind."""
    target = record_url(entity, pk, verb) if pk else reverse(f"{entity.name}-list")
    if not request.headers.get("HX-Request"):
        return HttpResponseRedirect(target)
    answer = HttpResponse(status=204)
    answer["HX-Trigger"] = json.dumps(
        {"record-stored": {"message": words, "url": target, "closed": not pk, "page": bool(entity.own_page)}}
    )
    return answer
