"""What a user keeps of a list: its columns and page size, and filters under a name."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from relais.pages.entity import Entity
from relais.pages.lists import SIZES, conditions_of
from relais.pages.viewer import viewer_of
from relais.records.people.models import ListPreference, SavedFilter

View = Callable[..., HttpResponse]
NAME_LENGTH_MAX, QUERY_LENGTH_MAX, SAVED_COUNT_MAX = 60, 2_000, 20


def columns_view(entity: Entity) -> View:
    """POST `columns` (keys in order; none: back to the default) and/or `page_size`."""

    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        preference, _ = ListPreference.objects.get_or_create(user=viewer_of(request).user, entity=entity.name)
        size = request.POST.get("page_size", "")
        if size.isdecimal() and int(size) in SIZES:
            preference.page_size = int(size)
        else:
            keys = dict.fromkeys(request.POST.getlist("columns"))
            preference.columns = [key for key in keys if entity.column(key) is not None]
        preference.save()
        return _back(entity, request)

    return view


def filters_view(entity: Entity) -> View:
    """POST `name` and `query`: keeps the filters under that name; the same name again replaces them."""

    @require_POST
    def view(request: HttpRequest) -> HttpResponse:
        user = viewer_of(request).user
        name = " ".join(request.POST.get("name", "").replace("\0", "").split())
        query = conditions_of(QueryDict(request.POST.get("query", "")))
        mine = SavedFilter.objects.filter(user=user, entity=entity.name)
        if not name or len(name) > NAME_LENGTH_MAX:
            return HttpResponse(gettext("A name of 1 to %d characters is needed.") % NAME_LENGTH_MAX, status=422)
        if not query or len(query) > QUERY_LENGTH_MAX:
            return HttpResponse(gettext("There is no filter to keep. Set one first."), status=422)
        known = mine.filter(name__iexact=name).first()
        if known is None and mine.count() >= SAVED_COUNT_MAX:
            return HttpResponse(gettext("You have %d saved filters. Delete one first.") % SAVED_COUNT_MAX, status=422)
        record = known or SavedFilter(user=user, entity=entity.name, position=mine.count())
        record.name, record.query = name, query
        record.save()
        return _back(entity, request, query)

    return view


def filter_delete_view(entity: Entity) -> View:
    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        get_object_or_404(SavedFilter, pk=pk, user=viewer_of(request).user, entity=entity.name).delete()
        return _back(entity, request, "")

    return view


def _back(entity: Entity, request: HttpRequest, query: str | None = None) -> HttpResponse:
    """To the list, as it was or with another query."""
    query = request.POST.get("query", "") if query is None else query
    target = reverse(f"{entity.name}-list") + (f"?{QueryDict(query).urlencode()}" if query else "")
    if request.headers.get("HX-Request"):
        answer = HttpResponse(status=204)
        answer["HX-Location"] = f'{{"path": "{target}", "target": "#list"}}'
        return answer
    return HttpResponseRedirect(target)
