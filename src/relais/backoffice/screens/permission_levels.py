"""The block Permissions of a form that is being filled in, as the roles or the template now chosen make it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from relais.backoffice.entities.roles import ROLES
from relais.backoffice.entities.users import PORTAL_USERS, USERS
from relais.pages.site import Screen
from relais.pages.viewer import EVERYBODY, MANAGE, viewer_of
from relais.records.people.models import Interface

FORMS = {"role": ROLES, Interface.BACKOFFICE.value: USERS, Interface.CLIENT_PORTAL.value: PORTAL_USERS}


@require_POST
def levels_view(request: HttpRequest) -> HttpResponse:
    """`role=`, `backoffice=` or `client_portal=` the key of the record whose form it is, "" for a new one. Nothing is stored."""
    viewer = viewer_of(request)
    of = next((name for name in FORMS if name in request.GET), None)
    if of is None or not viewer.may(FORMS[of].line, MANAGE):
        raise Http404
    key, entity = request.GET[of], FORMS[of]
    record = None
    if key:
        record = (
            entity.queryset(viewer, MANAGE).filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
        )
        if record is None:
            raise Http404
    assert entity.form is not None
    field = entity.form(viewer, request.POST, instance=record)["levels"]
    context = field.field.widget.get_context(field.html_name, None, {"id": field.auto_id})
    answer = render(request, "backoffice/widgets/permission_groups.html", context)
    answer["HX-Trigger-After-Settle"] = "input"  # the form arranges what depends on the company
    return answer


PERMISSION_LEVELS = Screen("permission-levels", "Permissions", "permission-levels/", levels_view, EVERYBODY)
