"""Hands out the document of a sender ID's registration, as a file to be kept: nothing in it runs here."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from relais.backoffice.entities.sender_registrations import DOCUMENT
from relais.pages.site import Screen
from relais.pages.viewer import viewer_of
from relais.records.senders.actions.registrations import kind_of_document
from relais.records.senders.models import SenderRegistration


@require_safe
def document_view(request: HttpRequest, pk: int) -> HttpResponse:
    found = viewer_of(request).rows(SenderRegistration).filter(pk=pk).exclude(document=None).first()
    if found is None:
        raise Http404
    content = bytes(found.document)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "Content-Disposition": content_disposition_header(True, found.document_name) or "attachment",
    }
    return HttpResponse(content, content_type=kind_of_document(content), headers=headers)


SENDER_REGISTRATION_DOCUMENT = Screen(
    name=DOCUMENT,
    label="Document",
    route="sender-registrations/<int:pk>/document/",
    view=document_view,
    line="Sender IDs",
)
