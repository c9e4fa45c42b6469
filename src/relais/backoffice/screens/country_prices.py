"""The page of a price list: cost and sale of each country side by side, the profit rate over all of them with a preview, and a
price by hand (WC-8, WC-9, WC-21)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from relais.backoffice.entities.country_prices import COUNTRY_PRICES, percent
from relais.pages.drawers import Drawer
from relais.pages.forms import MoneyField, told
from relais.pages.kinds import amount
from relais.pages.site import Screen
from relais.pages.viewer import MANAGE, Viewer, viewer_of
from relais.pages.views import record_or_404
from relais.records import audit
from relais.records.catalog.actions.price_countries import CountryLine, apply_profit, lines_of, set_country_price
from relais.records.catalog.models import Country, CountryPrices
from relais.records.errors import Invalid

PRICE_DECIMALS = 4
LINE = COUNTRY_PRICES.line
SHOWN = {"all": "All", "hand": "By hand", "below": "Below cost", "unsold": "Not sold"}


class ProfitForm(forms.Form):
    """`q`: the countries whose names have it, else all."""

    profit = forms.DecimalField(label="Profit rate", min_value=-99, max_value=100_000, decimal_places=2)
    q = forms.CharField(label="Countries", required=False, max_length=100)
    overwrite = forms.BooleanField(label="Overwrite prices made by hand", required=False)

    @property
    def profit_bp(self) -> int:
        return int(self.cleaned_data["profit"] * 100)


class PriceForm(forms.Form):
    price = MoneyField(label="Price", required=False, min_value=0)


@require_http_methods(["GET", "HEAD", "POST"])
def prices_page(request: HttpRequest, pk: str) -> HttpResponse:
    """GET with `profit`: a preview of that rate, which POST then applies. `q` finds countries; `show`: one of SHOWN."""
    viewer = viewer_of(request)
    prices = record_or_404(COUNTRY_PRICES, viewer, pk)
    if request.headers.get("HX-Request") and not request.headers.get("HX-Boosted"):
        return HttpResponse(headers={"HX-Redirect": request.get_full_path()})
    request.page = COUNTRY_PRICES.name  # type: ignore[attr-defined]  # its menu line is the current one
    asked = request.POST if request.method == "POST" else request.GET
    form = ProfitForm(asked if "profit" in asked else None)
    context: dict[str, Any] = {}
    if request.method == "POST":
        if not viewer.may(LINE, MANAGE):
            raise Http404
        if form.is_valid():
            answer = _applied(request, viewer, prices, form)
            if isinstance(answer, HttpResponse):
                return answer
            context["refused"] = answer
    context |= _shown(request, viewer, prices, form)
    status = 422 if form.errors or context.get("refused") else 200
    return render(request, "backoffice/country_prices.html", context, status=status)


def _applied(request: HttpRequest, viewer: Viewer, prices: CountryPrices, form: ProfitForm) -> HttpResponse | str:
    """Back to the list; or why not."""
    isos = _isos(prices, viewer, form.cleaned_data["q"]) if form.cleaned_data["q"] else None
    try:
        with audit.audited("Apply profit rate to Country prices", user=viewer.user, ip_address=viewer.ip_address):
            count = apply_profit(
                prices.pk, form.profit_bp, viewer.now, isos=isos, overwrite=form.cleaned_data["overwrite"],
                unchanged_since=parse_datetime(request.POST.get("unchanged_since", "")) or prices.updated_at,
            )  # fmt: skip
    except Invalid as refusal:
        return "\n".join(told(refusal))
    return HttpResponseRedirect(f"{reverse('country-prices-view', args=[prices.pk])}?changed={count}")


def _isos(prices: CountryPrices, viewer: Viewer, text: str) -> list[str]:
    return [line.iso for line in lines_of(prices, viewer.now) if _matches(line, text)]


def _matches(line: CountryLine, text: str) -> bool:
    return text.casefold() in line.name.casefold() or text.upper() == line.iso


def _shown(request: HttpRequest, viewer: Viewer, prices: CountryPrices, form: ProfitForm) -> dict[str, Any]:
    previewed = form.is_bound and form.is_valid()
    text = (request.GET.get("q") or request.POST.get("q") or "").strip()
    profit_bp = form.profit_bp if previewed else None
    lines: list[CountryLine] = []
    trouble = prices.trouble
    try:
        isos = _isos(prices, viewer, text) if text and previewed else None
        overwrite = previewed and form.cleaned_data["overwrite"]
        lines = lines_of(prices, viewer.now, profit_bp=profit_bp, isos=isos, overwrite=overwrite)
    except Invalid as refusal:
        trouble = "\n".join(told(refusal))
    show = request.GET.get("show", "all")
    show = show if show in SHOWN else "all"
    counts = {"all": len(lines)} | {key: sum(_is(key, line) for line in lines) for key in ("hand", "below", "unsold")}
    found = [line for line in lines if _is(show, line) and (not text or _matches(line, text))]
    decimals = _decimals(found)
    changed = request.GET.get("changed", "")
    return {
        "entity": COUNTRY_PRICES, "prices": prices, "drawer": Drawer(COUNTRY_PRICES, prices, viewer), "form": form,
        "profit": percent(prices.profit_bp), "trouble": trouble, "preview": previewed, "q": text, "show": show,
        "may_manage": viewer.may(LINE, MANAGE), "stamp": prices.updated_at.isoformat(),
        "tabs": [(key, label, counts[key]) for key, label in SHOWN.items()],
        "rows": [_row(line, decimals) for line in found],
        "changes": sum(line.changes for line in lines),
        "kept": counts["hand"] if previewed and not form.cleaned_data["overwrite"] else 0,
        "below": sum(line.below_cost for line in lines),
        "told": _told(int(changed)) if changed.isdecimal() and len(changed) < 6 else "",
    }  # fmt: skip


def _told(count: int) -> str:
    return ngettext("%(count)d price was written.", "%(count)d prices were written.", count) % {"count": count}


def _is(show: str, line: CountryLine) -> bool:
    match show:
        case "hand":
            return line.by_hand
        case "below":
            return line.below_cost
        case "unsold":
            return line.sale_micros is None and line.next_micros is None
    return True


def _decimals(lines: list[CountryLine]) -> int:
    """As many for all as one of them needs: prices below each other are compared."""
    micros = [
        value
        for line in lines
        for value in (*(line.cost or ()), line.sale_micros, line.next_micros)
        if value is not None
    ]
    return next((digits for digits in (4, 5) if all(value % 10 ** (6 - digits) == 0 for value in micros)), 6)


def _row(line: CountryLine, decimals: int) -> dict[str, Any]:
    cost = line.cost
    sale = line.next_micros if line.next_micros is not None else line.sale_micros
    margin = ""
    if cost is not None and sale is not None and cost.high_micros:
        margin = f"{Decimal(100 * (sale - cost.high_micros)) / cost.high_micros:.1f} %"
    spread = cost is not None and cost.low_micros != cost.high_micros
    return {
        "iso": line.iso,
        "name": line.name,
        "cost": "" if cost is None else amount(cost.high_micros, decimals),
        "cost_from": amount(cost.low_micros, decimals) if cost is not None and spread else "",
        "sale": "" if line.sale_micros is None else amount(line.sale_micros, decimals),
        "next": amount(line.next_micros, decimals) if line.changes and line.next_micros is not None else "",
        "margin": margin,
        "by_hand": line.by_hand,
        "below": line.below_cost,
    }


@require_http_methods(["GET", "HEAD", "POST"])
def price_dialog(request: HttpRequest, pk: str, iso: str) -> HttpResponse:
    """One country's price; an empty one gives it back to the profit rate."""
    viewer = viewer_of(request)
    prices = record_or_404(COUNTRY_PRICES, viewer, pk, "manage")
    country = Country.objects.filter(pk=iso).first()
    line = next((line for line in lines_of(prices, viewer.now) if line.iso == iso), None)
    if country is None or line is None:
        raise Http404
    form = PriceForm(request.POST if request.method == "POST" else None, initial={"price": line.sale_micros})
    form.fields["price"].unit = prices.service.currency
    cost = "" if line.cost is None else amount(line.cost.high_micros, PRICE_DECIMALS)
    form.fields["price"].help_text = (
        _("Costs %(cost)s. Empty it to let the profit rate price the country.") % {"cost": cost}
        if cost
        else _("There is no cost.")
    )
    if request.method == "POST" and form.is_valid():
        try:
            with audit.audited("Set price of Country prices", user=viewer.user, ip_address=viewer.ip_address):
                set_country_price(prices.pk, iso, form.cleaned_data["price"], viewer.now)
            url = f"{reverse('country-prices-view', args=[prices.pk])}?changed=1"
            return (
                HttpResponse(headers={"HX-Redirect": url})
                if request.headers.get("HX-Request")
                else HttpResponseRedirect(url)
            )
        except Invalid as refusal:
            form.add_error(None, "\n".join(told(refusal)))
    context = {"prices": prices, "country": country, "form": form}
    return render(request, "backoffice/country_price.html", context, status=422 if form.errors else 200)


COUNTRY_PRICES_PAGE = Screen("country-prices-view", "Country prices", "country-prices/<key:pk>/", prices_page, LINE)
COUNTRY_PRICE = Screen(
    "country-price", "Price of a country", "country-prices/<key:pk>/<slug:iso>/price/", price_dialog, LINE, level=MANAGE
)
