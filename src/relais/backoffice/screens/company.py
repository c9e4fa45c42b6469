"""The page of a company (CO-28 to CO-50). A script that asks for the record gets its view window instead (CO-51)."""

from dataclasses import replace
from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from relais.backoffice.company_finance import finance, sees_finance
from relais.backoffice.company_overview import overview
from relais.backoffice.entities.companies import COMPANIES, MNP_FIELDS, TYPES
from relais.pages.drawers import Drawer
from relais.pages.entity import Entity
from relais.pages.site import Screen
from relais.pages.viewer import Viewer, viewer_of
from relais.records.parties.models import Company, CompanyType

TABS = {"overview": "Overview", "finance": "Finance", "assets": "Assets"}
ASSETS = {"content": "Content", "conversation": "Conversation", "whatsapp": "Whats App"}
ATTRIBUTES = (
    ("creator_of_resellers", "Creator of resellers"),
    ("mnp_requests", "MNP Requests"),
    ("moderation", "Moderation"),
    ("two_factor_required", "Two Factor Authentication"),
)


@require_safe
def company_page(request: HttpRequest, pk: str) -> HttpResponse:
    """`tab`: one of TABS; `period` of the overview; `entity` and `operations` of finance; `kind` of assets."""
    viewer = viewer_of(request)
    company = _company(viewer, pk)
    drawer = Drawer(shown_to(viewer.company.parent_id is None), company, viewer)
    if request.headers.get("HX-Request") and request.headers.get("HX-Target") != "main":
        return render(request, "pages/view.html", {"entity": COMPANIES, "drawer": drawer})
    request.page = COMPANIES.name  # type: ignore[attr-defined]  # the menu marks the list this page belongs to
    tabs = {key: label for key, label in TABS.items() if key != "finance" or sees_finance(viewer)}
    tab = request.GET.get("tab", "")
    tab = tab if tab in tabs else "overview"
    context = {
        "entity": COMPANIES,
        "company": company,
        "drawer": drawer,
        "chips": chips(company, viewer),
        "tabs": tabs,
        "tab": tab,
        "tab_template": f"backoffice/company_{tab}.html",
    }
    return render(request, "backoffice/company.html", context | _shown(tab, request, company, viewer))


@cache
def shown_to(tenant: bool) -> Entity:
    """Companies as their view window shows them: the MNP group to the tenant alone (CO-18)."""
    if tenant:
        return COMPANIES
    sections = tuple(section for section in COMPANIES.sections if section.keys != MNP_FIELDS)
    return replace(COMPANIES, sections=sections)


def chips(company: Company, viewer: Viewer) -> list[str]:
    """What was checked when the company was made, or since (CO-30), as far as the viewer is shown it."""
    hidden = () if viewer.company.parent_id is None else MNP_FIELDS
    told = [TYPES[CompanyType.RESELLER]] if company.type == CompanyType.RESELLER else []
    return told + [label for name, label in ATTRIBUTES if name not in hidden and getattr(company, name)]


def _shown(tab: str, request: HttpRequest, company: Company, viewer: Viewer) -> dict[str, Any]:
    asked = request.GET
    if tab == "overview":
        return overview(company, viewer, asked.get("period", ""))
    if tab == "finance":
        return finance(company, viewer, asked.get("entity", ""), asked.get("operations", ""))
    kind = asked.get("kind", "")
    return {"kinds": ASSETS, "kind": kind if kind in ASSETS else "content"}


def _company(viewer: Viewer, pk: str) -> Company:
    """One of the viewer's clients, or its own company; 404 alike for all others."""
    rows = COMPANIES.rows(viewer.rows(Company))
    company: Company | None = rows.filter(pk=int(pk)).first() if pk.isdecimal() and len(pk) < 19 else None
    if company is None:
        raise Http404
    return company


COMPANY_PAGE = Screen(
    name="companies-view", label="Company", route="companies/<key:pk>/", view=company_page, line=COMPANIES.line
)
