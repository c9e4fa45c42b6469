"""Dialogs of My account: a form in `#dialog`, or, when its URL is opened directly, in the page it belongs to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from relais.pages.forms import tell
from relais.pages.viewer import viewer_of
from relais.pages.words import in_words
from relais.records import audit
from relais.records.errors import WHOLE, Invalid

Page = Callable[[HttpRequest], tuple[str, dict[str, Any]]]


@dataclass(slots=True)
class Dialog:
    """`button`: what it does, as a verb; "" for one that is only read. `parts`: a template between text and fields."""

    title: str
    button: str = ""
    text: str = ""
    form: Form | None = None
    parts: str = ""
    bad: bool = False  # the button cannot be undone
    about: dict[str, Any] = field(default_factory=dict)


def shown(request: HttpRequest, page: Page, dialog: Dialog) -> HttpResponse:
    """The dialog alone for a script, else in its page; 422 when its form has errors."""
    status = 422 if dialog.form is not None and dialog.form.errors else 200
    context = {"dialog": dialog, **dialog.about}
    if request.headers.get("HX-Request"):
        return render(request, "account/dialog.html", context, status=status)
    template, around = page(request)
    return render(request, template, around | context, status=status)


def gone_to(request: HttpRequest, name: str) -> HttpResponse:
    """After a deed: the page anew, so that it shows what is stored."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(name)})
    return HttpResponseRedirect(reverse(name))


def refused(form: Form | None, verb: Callable[[], Any]) -> str:
    """Runs the verb as it is. Why it refused: beside the fields of the form where they are named; "" when it did not."""
    try:
        verb()
    except Invalid as refusal:
        if form is not None:
            tell(form, refusal)
        return in_words(refusal.reasons.get(WHOLE, (str(refusal),))[0])
    return ""


def done(request: HttpRequest, action: str, form: Form | None, verb: Callable[[], Any]) -> str:
    """As `refused`, the verb being an action of the audit: its changes are one transaction."""
    viewer = viewer_of(request)

    def audited() -> None:
        with audit.audited(action, user=viewer.user, ip_address=viewer.ip_address):
            verb()

    return refused(form, audited)
