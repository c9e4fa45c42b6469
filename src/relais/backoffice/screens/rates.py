"""The parts of a scope's rate tree that its page asks for: a level, what is found, the editor of a record, its deletion."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from relais.backoffice.rate_editor import Place, RecordEditor, resources_for
from relais.backoffice.rate_tree import (
    FIND_FROM_COUNT,
    Branch,
    branch_of,
    domains_of,
    find,
    inherited_rules,
    lacking,
    level_below,
    state_of_scope,
    terms_told,
)
from relais.backoffice.rate_values import OTHERS, Names, offered, words
from relais.core.rating.catalogue import RULES
from relais.core.rating.types import Resource
from relais.pages.filters import OPTIONS
from relais.pages.forms import tell, told
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE, VIEW, Viewer, viewer_of
from relais.records.audit import audited
from relais.records.catalog.actions.edit_rate_tree import (
    add_resource,
    add_values,
    change_record,
    count_below,
    remove_record,
    standing,
)
from relais.records.catalog.models import RateNode, Scope, ServiceType
from relais.records.catalog.rows import path_to
from relais.records.errors import Invalid
from relais.records.saving import Changed

LINE = "Services"
STAMP = "stamp"  # of the tree as the page shows it


@require_safe
def level_view(request: HttpRequest, pk: str) -> HttpResponse:
    """The children of the record `parent`, from `offset` on, those with `q` in their names; `part`: without the search above."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk)
    parent, offset = _node(scope, request.GET.get("parent", "")), request.GET.get("offset", "0")
    if not (offset.isdecimal() and len(offset) < 10):
        raise Http404
    term = request.GET.get("q", "").strip().replace("\0", "")[:100]
    level = level_below(parent, int(offset), viewer, term=term)
    context = {"branches": level.branches, "next_offset": level.next_offset, "parent_pk": parent.pk, "term": term}
    context["searched"] = len(level.branches) >= FIND_FROM_COUNT
    part = offset != "0" or "part" in request.GET
    template = "backoffice/rate_branches.html" if part else "backoffice/rate_level.html"
    return render(request, template, context | tree_context(scope, viewer))


@require_safe
def find_view(request: HttpRequest, pk: str) -> HttpResponse:
    """Records with `q` in their names; `lacking`: those that cannot be used."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk)
    term = request.GET.get("q", "").strip().replace("\0", "")[:100]
    found = find(scope, "" if "lacking" in request.GET else term, viewer) if term or "lacking" in request.GET else []
    return render(request, "backoffice/rate_found.html", {"found": found, "term": term, "scope": scope})


@require_http_methods(["GET", "HEAD", "POST"])
def new_view(request: HttpRequest, pk: str) -> HttpResponse:
    """Below `parent` a value, or with `several` some at once; without it a resource of the scope, or of its `domain`."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk, MANAGE)
    asked = request.GET.get("parent", "")
    parent = standing(_node(scope, asked, any_version=True)) if asked else None
    if asked and (parent is None or parent.split_by is None):
        return _gone(request, scope)
    place = _place(scope, parent, request.POST.get("resource", "") if parent is None else parent.resource)
    several = "several" in request.GET
    resources = () if parent else resources_for(scope, request.GET.get("domain", ""))
    sent = request.POST if request.method == "POST" else None
    form = RecordEditor(viewer, place, sent, several=several, resources=resources)
    if parent is not None:
        form.fields["values"].widget.options_url = f"{request.get_full_path()}&{OPTIONS}=values"
        if OPTIONS in request.GET:
            return _options(place, parent, viewer, request.GET.get("term", ""))
    if sent is None or not form.is_valid():
        return _editor(request, scope, form, parent, status=422 if sent else 200)
    try:
        with audited("Add Rate", user=viewer.user, ip_address=viewer.ip_address):
            if parent is not None:
                made = add_values(parent.pk, form.cleaned_data["values"], form.terms(), viewer.now)
            else:
                resource = Resource(form.cleaned_data["resource"])
                made = [add_resource(scope.pk, _domain_of(resource), resource, form.terms(), viewer.now)]
    except Invalid as refusal:
        tell(form, refusal)
        return _editor(request, scope, form, parent, status=422)
    return _stored(request, scope, parent, [node.pk for node in made])


@require_http_methods(["GET", "HEAD", "POST"])
def edit_view(request: HttpRequest, pk: str, node: str) -> HttpResponse:
    """The record in its place. Of two editors the second is shown what the first has stored (SV-272)."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk, MANAGE)
    seen = _node(scope, node, any_version=True)
    record = seen if request.method == "POST" else standing(seen)
    if record is None:
        return _gone(request, scope)
    place = _place(scope, record.parent, record.resource)
    sent = request.POST if request.method == "POST" else None
    form = RecordEditor(viewer, place, sent, node=record)
    if sent is None or not form.is_valid():
        return _editor(request, scope, form, record, status=422 if sent else 200)
    try:
        with audited("Edit Rate", user=viewer.user, ip_address=viewer.ip_address):
            sure = form.cleaned_data["sure"]
            made = change_record(record.pk, form.terms(), viewer.now, sure=sure)
    except Changed as changed:
        return _both(request, scope, form, changed.stored)
    except Invalid as refusal:
        tell(form, refusal)
        return _editor(request, scope, form, record, status=422, asks="sure" in refusal.reasons)
    return _stored(request, scope, made, [made.pk])


@require_http_methods(["GET", "HEAD", "POST"])
def remove_view(request: HttpRequest, pk: str, node: str) -> HttpResponse:
    """GET asks, saying how many records go; POST removes."""
    viewer = viewer_of(request)
    scope = scope_or_404(viewer, pk, MANAGE)
    record = _node(scope, node, any_version=True)
    context: dict[str, Any] = {"scope": scope, "record": record, "below_count": count_below(record), "reasons": []}
    context |= {"name": _name(record, viewer), "is_current": _is_current(scope, viewer)}
    if request.method == "POST":
        try:
            with audited("Delete Rate", user=viewer.user, ip_address=viewer.ip_address):
                remove_record(record.pk, viewer.now)
        except Invalid as refusal:
            context["reasons"] = told(refusal)
            return render(request, "backoffice/rate_delete.html", context, status=409)
        parent = standing(record.parent) if record.parent else None
        answer = _stored(request, scope, parent, [])
        answer["HX-Retarget"] = f"#n{record.parent_id}" if parent else "#tree"
        answer["HX-Trigger"] = "rate-removed"
        return answer
    return render(request, "backoffice/rate_delete.html", context)


def scope_or_404(viewer: Viewer, pk: str, level: str = VIEW) -> Scope:
    """The scope with its service, alike for one that there is not and one that is not this person's."""
    rows = viewer.rows(Scope, level).select_related("service")
    scope: Scope | None = rows.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None
    if scope is None:
        raise Http404
    return scope


def tree_context(scope: Scope, viewer: Viewer) -> dict[str, Any]:
    """What the templates of the tree ask about all of it."""
    return {
        "scope": scope,
        "priced": scope.service.type == ServiceType.PAY_AS_YOU_GO,
        "ruled": scope.service.type != ServiceType.BUNDLE_INITIATOR,
        "may_edit": viewer.may(LINE, MANAGE),
    }


def _node(scope: Scope, asked: str, *, any_version: bool = False) -> RateNode:
    rows = RateNode.objects.filter(scope=scope).select_related("scope__service", "parent")
    rows = rows if any_version else rows.filter(retired_at=None)
    node = rows.filter(pk=int(asked)).first() if asked.isdecimal() and len(asked) < 19 else None
    if node is None:
        raise Http404
    return node


def _place(scope: Scope, parent: RateNode | None, resource: str) -> Place:
    path = tuple(path_to(parent)) if parent is not None else ()
    return Place(scope, resource, path, inherited_rules(parent, resource))


def _domain_of(resource: Resource) -> str:
    return RULES[resource].domain.value


def _options(place: Place, parent: RateNode, viewer: Viewer, term: str) -> HttpResponse:
    """Values that are not there yet, Others first."""
    assert place.parameter is not None
    siblings = RateNode.objects.filter(parent=parent, retired_at=None)
    there = set(siblings.values_list("value", flat=True))
    found = offered(place.parameter, place.fixed, place.resource, viewer, term)
    options = [{"value": value, "text": text} for value, text in found if value not in there]
    others = gettext("Others")
    if not siblings.filter(is_others=True).exists() and term.lower() in others.lower():
        options.insert(0, {"value": OTHERS, "text": others})
    return JsonResponse({"options": options})


def _name(record: RateNode, viewer: Viewer) -> str:
    if record.parent is None:
        return words(record.resource)
    return Names(viewer, {record.parent.pk: record.parent.split_by or ""}, [record]).of(record)


def _is_current(scope: Scope, viewer: Viewer) -> bool:
    return state_of_scope(scope, list(scope.service.scopes.all()), viewer.now)[0] == "Current"


def _is_stale(request: HttpRequest, scope: Scope) -> bool:
    sent = (request.POST or request.GET).get(STAMP, "")
    return sent not in ("", scope.updated_at.isoformat())


def _editor(
    request: HttpRequest, scope: Scope, form: RecordEditor, record: RateNode | None, *, status: int, asks: bool = False,
    conflicts: Sequence[tuple[str, str, str]] = (), action: str = "",
) -> HttpResponse:  # fmt: skip
    viewer = viewer_of(request)
    context = {
        "form": form,
        "record": record,
        "action": action or request.get_full_path(),
        "conflicts": conflicts,
        "asks": asks or bool(form.data.get("sure")),
        "is_current": _is_current(scope, viewer),
        "is_stale": _is_stale(request, scope),
        "lacks": form.node is not None and lacking(scope).filter(pk=form.node.pk).exists(),
    }
    return render(request, "backoffice/rate_editor.html", context | tree_context(scope, viewer), status=status)


def _both(request: HttpRequest, scope: Scope, form: RecordEditor, stored: Any) -> HttpResponse:
    """Theirs beside ours, what differs."""
    terms = form.terms()
    ours = RateNode(
        price_type=terms.price_type, split_by=terms.split_by, price_micros=terms.price_micros, scale=terms.scale,
        billing_rule=terms.billing_rule, quantity_rule=terms.quantity_rule,
    )  # fmt: skip
    pairs = zip(terms_told(stored), terms_told(ours), strict=True)
    conflicts = [(label, theirs, mine) for (label, theirs), (_, mine) in pairs if theirs != mine]
    action = reverse("rates-edit", args=[scope.pk, stored.pk])
    return _editor(request, scope, form, stored, status=409, conflicts=conflicts, action=action)


def _gone(request: HttpRequest, scope: Scope) -> HttpResponse:
    return render(request, "backoffice/rate_gone.html", {"scope": scope}, status=409)


def _stored(request: HttpRequest, scope: Scope, record: RateNode | None, marked: list[int]) -> HttpResponse:
    """What the page puts in the place of what it showed: the record with the level below it, or the whole tree."""
    viewer, stale = viewer_of(request), _is_stale(request, scope)
    scope.refresh_from_db()
    branches: list[Branch] = []
    if record is None:
        shown = RateNode.objects.filter(pk__in=marked).first()
        branches = domains_of(scope, viewer, shown)
    else:
        branches = [branch_of(record, viewer, first=marked, marked=marked)]
    context = {"branches": branches, "is_stale": stale, "lacking_count": lacking(scope).count(), "renewed": True}
    answer = render(request, "backoffice/rate_stored.html", context | tree_context(scope, viewer))
    answer["HX-Retarget"] = "#tree" if record is None else "closest .rt-node"
    answer["HX-Reswap"] = "innerHTML" if record is None else "outerHTML"
    return answer


LEVEL = Screen("rates-level", "Rates", "scopes/<key:pk>/rates/", level_view, LINE)
FIND = Screen("rates-find", "Rates", "scopes/<key:pk>/rates/find/", find_view, LINE)
NEW_RATE = Screen("rates-new", "Rates", "scopes/<key:pk>/rates/new/", new_view, LINE, level=MANAGE)
EDIT = Screen("rates-edit", "Rates", "scopes/<key:pk>/rates/<key:node>/", edit_view, LINE, level=MANAGE)
REMOVE = Screen("rates-remove", "Rates", "scopes/<key:pk>/rates/<key:node>/delete/", remove_view, LINE, level=MANAGE)
