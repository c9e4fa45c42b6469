"""Import of a dictionary in three steps: choose a file, look at what would change, confirm. Nothing changes before that.

The file stays in the session between the steps, so a page may be left and come back to; it goes with the confirmation.
"""

import hashlib
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from relais.pages.forms import told
from relais.pages.viewer import viewer_of
from relais.records.audit import audited
from relais.records.errors import Invalid

OCTETS_MAX = 8 * 2**20
ROWS_SHOWN_MAX = 500
STEPS = ("Choose file", "Preview", "Confirm")
TABS = (("new", "New"), ("changed", "Changed"), ("gone", "Gone"), ("errors", "Errors"))


@dataclass(frozen=True)
class Dictionary:
    """What is imported. `name` is the screen's and in URLs, `entity` the list's; `read`, `preview` and `apply` are its verbs.

    `cells`: records of a preview to what a row shows of each, in the order of `columns`; `what`: ("code", "codes").
    """

    name: str
    title: str
    entity: str
    what: tuple[str, str]
    columns: tuple[str, ...]
    headings: str  # of the file, told beside the choice
    read: Callable[[bytes], Any]
    preview: Callable[[Any], Any]
    apply: Callable[..., Any]
    cells: Callable[[Iterable[Any]], list[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Cell:
    """`former`: the value that this one takes the place of, None where it stays."""

    text: str
    former: str | None


class FileForm(forms.Form):
    file = forms.FileField(
        label="File",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv", "class": "form-control"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > OCTETS_MAX:
            raise forms.ValidationError(f"The file is larger than {OCTETS_MAX // 2**20} MB. Split it.")
        return file


def screen_of(dictionary: Dictionary) -> Callable[[HttpRequest], HttpResponse]:
    """The view of all three steps; the query says which one is open."""

    @require_http_methods(["GET", "POST"])
    def view(request: HttpRequest) -> HttpResponse:
        step = request.GET.get("step", "")
        if request.method == "POST":
            return _confirmed(dictionary, request) if step == "confirm" else _uploaded(dictionary, request)
        if step in ("preview", "confirm") and (kept := _kept(dictionary, request)):
            try:
                return _looked_at(dictionary, request, step, *kept)
            except Invalid as invalid:
                return _choose(dictionary, request, FileForm(), "\n".join(told(invalid)))
        done = request.session.pop(f"{dictionary.name}:done", None) if step == "done" else None
        if done:
            return render(request, "backoffice/import_done.html", _frame(dictionary, 4) | {"done": done})
        return _choose(dictionary, request, FileForm())

    return view


def _choose(dictionary: Dictionary, request: HttpRequest, form: FileForm, trouble: str = "") -> HttpResponse:
    context = _frame(dictionary, 1) | {"form": form, "trouble": trouble}
    return render(request, "backoffice/import_file.html", context, status=422 if trouble or form.errors else 200)


def _uploaded(dictionary: Dictionary, request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _choose(dictionary, request, form)
    file = form.cleaned_data["file"]
    content = file.read()
    try:
        dictionary.read(content)
    except Invalid as invalid:
        return _choose(dictionary, request, FileForm(), "\n".join(told(invalid)))
    packed = b64encode(zlib.compress(content)).decode("ascii")
    request.session[dictionary.name] = {"file": file.name[:200], "content": packed}
    return HttpResponseRedirect(_url(dictionary, "preview"))


def _looked_at(dictionary: Dictionary, request: HttpRequest, step: str, file: str, content: bytes) -> HttpResponse:
    seen = dictionary.preview(dictionary.read(content))
    counts = {tab: len(getattr(seen, tab)) for tab, _ in TABS}
    context = _frame(dictionary, 2 if step == "preview" else 3) | {
        "file": file,
        "counts": counts,
        "unchanged_count": seen.unchanged_count,
        "ready": not seen.errors and any(counts.values()),
        "digest": _digest(seen),
        "preview_url": _url(dictionary, "preview"),
        "confirm_url": _url(dictionary, "confirm"),
    }
    if step == "confirm" and context["ready"]:
        return render(request, "backoffice/import_confirm.html", context)
    first = next((tab for tab in ("errors", "changed", "new", "gone") if counts[tab]), "new")
    tab = request.GET.get("show", "")
    tab = tab if tab in counts else first
    context |= {"step": 2, "tab": tab, "tabs": [(key, label, counts[key]) for key, label in TABS]}
    return render(request, "backoffice/import_preview.html", context | _shown(dictionary, seen, tab))


def _shown(dictionary: Dictionary, seen: Any, tab: str) -> dict[str, Any]:
    """The rows of a tab, the first ROWS_SHOWN_MAX of them."""
    found = getattr(seen, tab)[:ROWS_SHOWN_MAX]
    if tab == "errors":
        return {"errors": found, "shown_max": ROWS_SHOWN_MAX}
    after = dictionary.cells([pair[1] for pair in found] if tab == "changed" else found)
    before = dictionary.cells([pair[0] for pair in found]) if tab == "changed" else after
    rows = [
        [Cell(now, was if was != now else None) for was, now in zip(former, later, strict=True)]
        for former, later in zip(before, after, strict=True)
    ]
    return {"rows": rows, "shown_max": ROWS_SHOWN_MAX}


def _confirmed(dictionary: Dictionary, request: HttpRequest) -> HttpResponse:
    """Does what the page said, and nothing else: when the dictionary moved on since, it is looked at again."""
    viewer = viewer_of(request)
    kept = _kept(dictionary, request)
    if kept is None:
        return _choose(dictionary, request, FileForm(), "The file is gone: choose it again.")
    file, content = kept
    remove_gone = request.POST.get("remove_gone") == "1"
    try:
        with audited(f"Import {dictionary.title}", user=viewer.user, ip_address=viewer.ip_address):
            seen = dictionary.preview(dictionary.read(content))
            if _digest(seen) != request.POST.get("digest"):
                raise Invalid.of("", "The dictionary was changed meanwhile: look at the preview again.")
            dictionary.apply(seen, remove_gone=remove_gone)
    except Invalid as invalid:
        context = _frame(dictionary, 3) | {
            "trouble": "\n".join(told(invalid)),
            "preview_url": _url(dictionary, "preview"),
        }
        return render(request, "backoffice/import_refused.html", context, status=409)
    del request.session[dictionary.name]
    removed_count = len(seen.gone) if remove_gone else 0
    request.session[f"{dictionary.name}:done"] = {
        "file": file, "new": len(seen.new), "changed": len(seen.changed), "removed": removed_count,
        "left": len(seen.gone) - removed_count,
    }  # fmt: skip
    return HttpResponseRedirect(_url(dictionary, "done"))


def _kept(dictionary: Dictionary, request: HttpRequest) -> tuple[str, bytes] | None:
    """Name and content of the file that is being imported."""
    kept = request.session.get(dictionary.name)
    return (kept["file"], zlib.decompress(b64decode(kept["content"]))) if kept else None


def _digest(seen: Any) -> str:
    """Of everything a preview shows: what is confirmed is what was looked at."""
    return hashlib.sha256(repr((seen.new, seen.changed, seen.gone, seen.errors)).encode()).hexdigest()


def _frame(dictionary: Dictionary, step: int) -> dict[str, Any]:
    return {
        "dictionary": dictionary,
        "title": gettext("Import %(what)s") % {"what": gettext(dictionary.title)},
        "step": step,
        "steps": list(enumerate(STEPS, 1)),
        "list_url": reverse(f"{dictionary.entity}-list"),
        "file_url": reverse(dictionary.name),
    }


def _url(dictionary: Dictionary, step: str) -> str:
    return f"{reverse(dictionary.name)}?step={step}"
