"""Import of rates into a scope of a service: upload, columns and settings, preview, confirmation (RI-13).

Each step is kept; leaving loses nothing, and nothing of the tree changes before the confirmation."""

from functools import cached_property
from typing import Any

import msgspec
from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from relais.backoffice.entities.services import SERVICES
from relais.backoffice.rate_import import (
    DUPLICATES,
    FORMATS,
    ROWS_SHOWN_MAX,
    View,
    fixed_sections,
    meanings,
    name_of,
    offered,
    places_in,
    ways,
)
from relais.backoffice.rate_import_preview import as_csv, percent, with_branches
from relais.backoffice.rate_import_preview import shown as shown_line
from relais.core.price_sheets.cells import Book, Sheet, folded, letters_of
from relais.core.price_sheets.matching import KEY
from relais.core.price_sheets.settings import (
    MNC,
    PRICE,
    PROPERTIES,
    Column,
    Context,
    Duplicates,
    Format,
    Replacement,
    Settings,
    Warning,
)
from relais.core.price_sheets.workbook import ENCODINGS, SEPARATORS
from relais.core.rating.types import Domain, Parameter
from relais.pages.forms import told
from relais.pages.kinds import NOTHING
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE, Viewer, viewer_of
from relais.pages.views import record_or_404
from relais.records.audit import audited
from relais.records.catalog.actions import import_rates as verbs
from relais.records.catalog.models import EnabledService, ImportState, RateImport, RateNode, Scope
from relais.records.catalog.preview_aside import ROWS_AT_ONCE_MAX, make_preview_aside
from relais.records.catalog.price_sheet_context import context_of
from relais.records.catalog.price_sheet_process import OCTETS_MAX
from relais.records.errors import Invalid

STEPS = (
    gettext_lazy("Upload"),
    gettext_lazy("Columns and settings"),
    gettext_lazy("Preview"),
    gettext_lazy("Confirm"),
)
LINES_SHOWN_MAX = 200


class UploadForm(forms.Form):
    file = forms.FileField(
        widget=forms.ClearableFileInput({"accept": ".xlsx,.xls,.csv,.txt,.tsv", "class": "form-control"})
    )
    format = forms.ChoiceField(choices=list(FORMATS.items()), initial=Format.STANDARD)
    node = forms.IntegerField()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > OCTETS_MAX:
            size = OCTETS_MAX // 2**20
            raise forms.ValidationError(gettext("The file is larger than %(size)s MB. Split it.") % {"size": size})
        return file


class Import:
    """The open import of a person in a scope, with what its pages have in common."""

    def __init__(self, request: HttpRequest, pk: str, scope_pk: str) -> None:
        self.request = request
        self.viewer: Viewer = viewer_of(request)
        self.service = record_or_404(SERVICES, self.viewer, pk, MANAGE)
        request.page = SERVICES.name  # its menu line is the current one
        scope = self.viewer.rows(Scope, MANAGE).filter(service=self.service, pk=_number(scope_pk)).first()
        if scope is None:
            raise Http404
        self.scope: Scope = scope
        self.scope.service = self.service
        open_ones = self.viewer.rows(RateImport).filter(scope=scope, state=ImportState.OPEN)
        self.record: RateImport | None = open_ones.select_related("node__scope__service").order_by("-pk").first()

    def url(self, step: str = "", **query: Any) -> str:
        path = reverse("rates-import", args=[self.service.pk, self.scope.pk])
        asking = "&".join(f"{name}={value}" for name, value in ({"step": step} | query).items() if value != "")
        return f"{path}?{asking}" if asking else path

    @property
    def back_url(self) -> str:
        return f"{reverse('services-view', args=[self.service.pk])}?scope={self.scope.pk}"

    @cached_property
    def context(self) -> Context:
        assert self.record is not None
        return context_of(self.record.node)

    @cached_property
    def book(self) -> Book:
        assert self.record is not None
        return verbs.book_of(self.record)

    @property
    def settings(self) -> Settings:
        assert self.record is not None
        return verbs.settings_of(self.record)

    @property
    def sheet(self) -> Sheet:
        return verbs.sheet_of(self.book, self.settings)

    @cached_property
    def warnings(self) -> list[Warning]:
        return verbs.warnings_of(self.sheet, self.settings, self.context)

    def view(self, *, read: bool = True) -> View:
        """With what the settings so far give; without while warnings block."""
        reading = None
        if read and not self.warnings and self.record is not None:
            reading = verbs.reading_of(self.record, self.sheet, self.context)
        return View(self.sheet, self.settings, self.context, reading)

    def frame(self, step: int) -> dict[str, Any]:
        title = gettext("Import rates")
        if self.record is not None:
            title = gettext("Resource: %(name)s - Import from file") % {"name": name_of(self.record.node)}
        return {
            "title": title,
            "import": self.record,
            "service": self.service,
            "entity": SERVICES,
            "step": step,
            "steps": list(enumerate(STEPS, 1)),
            "back_url": self.back_url,
            "here": self.url(),
            "upload_url": self.url("upload"),
            "columns_url": self.url("columns"),
            "preview_url": self.url("preview"),
            "confirm_url": self.url("confirm"),
        }

    def page(self, template: str, step: int, status: int = 200, **context: Any) -> HttpResponse:
        return render(self.request, f"backoffice/{template}.html", self.frame(step) | context, status=status)


@require_http_methods(["GET", "POST"])
def import_view(request: HttpRequest, pk: str, scope_pk: str) -> HttpResponse:
    """`step` of the query says which one is open; without one, that which the import is at."""
    asked = Import(request, pk, scope_pk)
    step = request.GET.get("step", "")
    if step == "done" and request.method == "GET":
        return _done(asked)
    if asked.record is None or step == "upload":
        return _uploaded(asked) if request.method == "POST" else _upload(asked, UploadForm())
    try:
        if request.method == "POST":
            return _POSTED.get(step, _change)(asked)
        return _SHOWN.get(step, _columns)(asked)
    except Invalid as refusal:
        if request.method == "POST" or step in _SHOWN:
            return _columns(asked, "\n".join(told(refusal)))
        verbs.cancel_import(asked.record)
        asked.record = None
        return _upload(asked, UploadForm(), "\n".join(told(refusal)))


def _upload(asked: Import, form: UploadForm, trouble: str = "") -> HttpResponse:
    wanted = _number(asked.request.GET.get("node", "") or asked.request.POST.get("node", ""))
    places = list(places_in(asked.scope, wanted))
    return asked.page(
        "import_rates_upload",
        1,
        422 if trouble or form.errors else 200,
        form=form,
        trouble=trouble,
        places=places,
        wanted=wanted,
        open_import=asked.record,
        whatsapp=any(node.domain == Domain.WHATSAPP_MESSAGING for node, _ in places),
        octets_max=OCTETS_MAX // 2**20,
        kept_days=verbs.FORGOTTEN_AFTER.days,
    )


def _uploaded(asked: Import) -> HttpResponse:
    form = UploadForm(asked.request.POST, asked.request.FILES)
    if not form.is_valid():
        return _upload(asked, form)
    node = asked.viewer.rows(RateNode, MANAGE).filter(scope=asked.scope, pk=form.cleaned_data["node"]).first()
    if node is None:
        return _upload(asked, form, gettext("Choose where the rates go."))
    file = form.cleaned_data["file"]
    try:
        with _audited(asked, f"Upload rates from {file.name}"):
            verbs.start_import(
                node, file.name, file.read(), Format(form.cleaned_data["format"]), user=asked.viewer.user
            )
    except Invalid as refusal:
        return _upload(asked, form, "\n".join(told(refusal)).removeprefix("format: "))
    return HttpResponseRedirect(asked.url("columns"))


def _columns(asked: Import, trouble: str = "") -> HttpResponse:
    assert asked.record is not None
    view, book = asked.view(), asked.book
    settings, context, query = view.settings, asked.context, asked.request.GET
    first = max(1, _number(query.get("from", "")) or 1)
    faulty = len({fault.row for fault in view.reading.faults}) if view.reading else 0
    return asked.page(
        "import_rates_columns",
        2,
        422 if trouble else 200,
        trouble=trouble,
        heads=view.heads(),
        rows=view.rows(first),
        first=first,
        previous=max(1, first - ROWS_SHOWN_MAX) if first > 1 else 0,
        following=first + ROWS_SHOWN_MAX if first + ROWS_SHOWN_MAX <= len(view.sheet.rows) else 0,
        rows_count=len(view.sheet.rows),
        book=book,
        sheet=view.sheet,
        encodings=ENCODINGS if book.separator else {},
        separators=SEPARATORS,
        settings=settings,
        standard=settings.format is Format.STANDARD,
        format_label=FORMATS[settings.format],
        duplicates=DUPLICATES,
        fixed=fixed_sections(asked.record.node, context),
        sections=[(section, view.label_of(section), _column_of(section, settings)) for section in settings.sections],
        addable=[(section, view.label_of(section)) for section in context.addable(settings)],
        warnings=asked.warnings,
        notes=view.reading.notes if view.reading else [],
        faulty_count=faulty,
        dropped_count=view.reading.dropped_count if view.reading else 0,
        readable_count=view.reading.rows_count if view.reading else 0,
        mapping=_mapping(view, query),
    )  # fmt: skip


def _column_of(section: Parameter, settings: Settings) -> str:
    """The letters of the columns that a section is of, "" when it is derived."""
    column = settings.column(section) or (settings.column(MNC) if section is Parameter.MCCMNC else None)
    return letters_of(column.at) if column is not None else ""


def _mapping(view: View, query: Any) -> dict[str, Any] | None:
    """The values of the column `map`, or of the first that has some without a match."""
    at = _number(query.get("map", ""))
    if query.get("map", "") == "":
        at = next((head.at for head in view.heads() if head.tone in ("warn", "bad")), None)
    if at is None or at not in view.columns or view.reading is None or not view.reading.met.get(at):
        return None
    column = view.columns[at]
    everything = query.get("all", "") == "1"
    values = view.values(at, everything)
    unmatched_count = len(view.reading.unmatched(at))
    return {
        "at": at,
        "label": view.label_of(column.meaning),
        "values": values,
        "everything": everything,
        "is_price": column.meaning == PRICE,
        "unmatched_count": unmatched_count,
        "hidden_count": (len(view.reading.met[at]) if everything else unmatched_count) - len(values),
    }


@require_safe
def column_view(request: HttpRequest, pk: str, scope_pk: str, at: int) -> HttpResponse:
    """The dialog in which a column is declared, asked again when its meaning is chosen (RI-36, RI-44)."""
    asked = Import(request, pk, scope_pk)
    if asked.record is None or at > 255:
        raise Http404
    context, settings = asked.context, asked.settings
    column = settings.column_at(at)
    meaning = request.GET.get("meaning", column.meaning if column else "")
    same = column is not None and column.meaning == meaning
    by = request.GET.get("by", column.by if same and column is not None else KEY)
    return render(
        request,
        "backoffice/import_rates_column.html",
        {
            "at": at,
            "letter": letters_of(at),
            "column": column,
            "groups": meanings(context),
            "meaning": meaning,
            "ways": ways(meaning, context),
            "by": by,
            "matched": by not in (KEY, Parameter.MCCMNC),
            "best": column.best if same and column is not None else False,
            "columns_url": asked.url("columns"),
        },
    )


@require_safe
def values_view(request: HttpRequest, pk: str, scope_pk: str, at: int) -> JsonResponse:
    """What a value of that column can be mapped to."""
    asked = Import(request, pk, scope_pk)
    if asked.record is None:
        raise Http404
    column = asked.view(read=False).columns.get(at)
    if column is None:
        raise Http404
    term, within = request.GET.get("term", "")[:100], request.GET.get("within", "")[:20]
    return JsonResponse({"options": offered(column, asked.context, term, within)})


def _change(asked: Import) -> HttpResponse:
    """A change of the settings: `do` says which."""
    assert asked.record is not None
    sent = asked.request.POST
    do = sent.get("do", "")
    where: dict[str, Any] = {}
    if do == "sheet":
        verbs.choose_sheet(asked.record, _number(sent.get("sheet", "")) or 0)
    elif do == "read":
        encoding, separator = sent.get("encoding", ""), sent.get("separator", "")
        if encoding not in ENCODINGS or separator not in SEPARATORS:
            raise Invalid.of("", gettext("Choose an encoding and a separator."))
        verbs.read_again(asked.record, encoding, separator)
    else:
        changed = _changed(asked.settings, do, asked)
        if do == "map":
            where = {"map": _number(sent.get("at", "")), "all": sent.get("all", "")}
        if do in ("start", "map"):
            where["from"] = sent.get("from", "")
        verbs.change_settings(asked.record, changed)
    return HttpResponseRedirect(asked.url("columns", **where))


def _changed(settings: Settings, do: str, asked: Import) -> Settings:
    sent = asked.request.POST
    context = asked.context
    at = _number(sent.get("at", ""))
    if do == "start":
        return msgspec.structs.replace(settings, start_row=max(1, _number(sent.get("start_row", "")) or 1))
    if do == "duplicates" and sent.get("duplicates") in tuple(Duplicates):
        return msgspec.structs.replace(settings, duplicates=Duplicates(sent["duplicates"]))
    if do == "column" and at is not None and at < 256:
        return _declared(settings, at, context, sent)
    if do == "sections":
        known = (*settings.sections, *context.addable(settings))
        names = [name for name in sent.getlist("section") if name and name in known]
        return settings.ordered(Parameter(name) for name in names)
    if do == "map" and at is not None:
        return settings.replaced(_replacements(asked, at))
    raise Invalid.of("", gettext("This cannot be changed so."))


def _declared(settings: Settings, at: int, context: Context, sent: Any) -> Settings:
    meaning, by = sent.get("meaning", ""), sent.get("by", KEY) or KEY
    if not meaning:
        return settings.undeclared(at)
    allowed = {*PROPERTIES, *context.offered, *([MNC] if context.takes_mnc else [])}
    known = [name for name, _ in ways(meaning, context)] or [KEY]
    if meaning not in allowed or by not in known:
        raise Invalid.of("", gettext("A column cannot mean that here."))
    return settings.declared(Column(at, meaning, by, sent.get("matching") == "best" and by != KEY))


def _replacements(asked: Import, at: int) -> list[Replacement]:
    sent, column = asked.request.POST, asked.view(read=False).columns.get(at)
    if column is None:
        raise Invalid.of("", gettext("This cannot be changed so."))
    said = zip(sent.getlist("value"), sent.getlist("within"), sent.getlist("to"), strict=False)
    return [Replacement(column.meaning, folded(value), to.strip()[:200], within) for value, within, to in said]


def _preview(asked: Import) -> HttpResponse:
    assert asked.record is not None
    seen = verbs.kept_preview(asked.record)
    if seen is None and len(asked.sheet.rows) > ROWS_AT_ONCE_MAX and not asked.warnings:
        return _under_way(asked)
    seen = seen or verbs.preview_import(asked.record)
    if asked.request.headers.get("HX-Request"):  # who has been waiting for it
        return HttpResponse(headers={"HX-Redirect": asked.url("preview")})
    query = asked.request.GET
    only_changes = query.get("only", "") == "changes"
    lines = with_branches(seen.lines) if only_changes else seen.lines
    tab = "errors" if query.get("show") == "errors" or (not seen.records and seen.faults) else "tree"
    found: list[Any] = list(seen.faults) if tab == "errors" else list(lines)
    if query.get("csv") == "1":
        return as_csv(seen, tab)
    first = max(1, _number(query.get("from", "")) or 1)
    shown = found[first - 1 : first - 1 + LINES_SHOWN_MAX]
    context = asked.context
    increases = [line.difference_bp for line in seen.lines if line.difference_bp is not None]
    return asked.page(
        "import_rates_preview",
        3,
        seen=seen,
        tab=tab,
        only_changes=only_changes,
        lines=[shown_line(line, context) for line in shown] if tab == "tree" else [],
        faults=[(fault, "" if fault.column is None else letters_of(fault.column)) for fault in shown] if tab == "errors" else [],
        largest=percent(max(increases)) if increases and max(increases) > 0 else NOTHING,
        first=first,
        last=first - 1 + len(shown),
        count=len(found),
        previous=max(1, first - LINES_SHOWN_MAX) if first > 1 else 0,
        following=first + LINES_SHOWN_MAX if first - 1 + LINES_SHOWN_MAX < len(found) else 0,
        ready=bool(seen.records),
        **_effect(asked),
    )  # fmt: skip


def _under_way(asked: Import) -> HttpResponse:
    """A page that asks again until the preview is made."""
    assert asked.record is not None
    progress = make_preview_aside(asked.record, asked.viewer.now)
    if progress.trouble:
        raise Invalid.of("", progress.trouble)
    return asked.page("import_rates_wait", 3, rows_done=progress.rows_done, rows_count=len(asked.sheet.rows))


def _effect(asked: Import) -> dict[str, Any]:
    """What will be replaced, and for how many."""
    assert asked.record is not None
    now = asked.viewer.now
    scopes = list(Scope.objects.filter(service=asked.service, draft=False, effective_from__lte=now).order_by("pk"))
    holding = [each for each in scopes if each.effective_till is None or each.effective_till > now]
    enabled = EnabledService.objects.filter(service=asked.service, effective_from__lte=now).exclude(
        effective_till__lte=now
    )
    return {
        "is_current": bool(holding) and holding[0].pk == asked.scope.pk,
        "target": name_of(asked.record.node),
        "agreements_count": enabled.values("agreement").distinct().count(),
    }


def _confirm(asked: Import) -> HttpResponse:
    assert asked.record is not None
    seen = verbs.preview_import(asked.record)
    if not seen.records:
        return HttpResponseRedirect(asked.url("preview"))
    return asked.page("import_rates_confirm", 4, seen=seen, **_effect(asked))


def _confirmed(asked: Import) -> HttpResponse:
    assert asked.record is not None
    try:
        with _audited(asked, f"Import rates from {asked.record.file_name}"):
            verbs.confirm_import(asked.record, asked.request.POST.get("stamp", ""), asked.viewer.now)
    except Invalid as refusal:
        return asked.page("import_rates_refused", 4, 409, trouble="\n".join(told(refusal)))
    return HttpResponseRedirect(asked.url("done"))


def _done(asked: Import) -> HttpResponse:
    """What the last import of this person into the scope did."""
    done = asked.viewer.rows(RateImport).filter(scope=asked.scope, state=ImportState.CONFIRMED)
    asked.record = done.select_related("node__scope__service").order_by("-confirmed_at").first()
    if asked.record is None:
        return HttpResponseRedirect(asked.url())
    return asked.page("import_rates_done", 5, counts=asked.record.counts)


def _canceled(asked: Import) -> HttpResponse:
    assert asked.record is not None
    with _audited(asked, f"Cancel import of rates from {asked.record.file_name}"):
        verbs.cancel_import(asked.record)
    return HttpResponseRedirect(asked.back_url)


def _audited(asked: Import, action: str) -> Any:
    return audited(action, user=asked.viewer.user, ip_address=asked.viewer.ip_address)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


_SHOWN = {"preview": _preview, "confirm": _confirm}
_POSTED = {"confirm": _confirmed, "cancel": _canceled}
_ROUTE = "services/<key:pk>/scopes/<key:scope_pk>/import/"
IMPORT = Screen("rates-import", "Import rates", _ROUTE, import_view, "Services", level=MANAGE)
COLUMN = Screen("rates-import-column", "Column", f"{_ROUTE}columns/<int:at>/", column_view, "Services", level=MANAGE)
VALUES = Screen("rates-import-values", "Values", f"{_ROUTE}values/<int:at>/", values_view, "Services", level=MANAGE)
