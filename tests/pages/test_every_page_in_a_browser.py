"""Every page that the site declares, in both widths and both themes: nothing in the console, nothing wider than the screen,
nothing that axe finds (WCAG 2.1 A, AA), which is asked of each page in one width and theme, in turns; `make look` asks in all
four and leaves pictures in build/screens.

The pages come from the declarations, so a new entity or screen is looked at without a line here.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.browser import chromium, served
from tests.conftest import named_database
from tests.pages import conformance as made_up
from tests.pages.conformance import World

EVERYWHERE = bool(os.environ.get("LOOK_EVERYWHERE"))  # `make look`
PICTURES = Path(__file__).resolve().parents[2] / "build" / "screens"
SIZES = {"wide": (1440, 960), "narrow": (390, 844)}
THEMES = ("light", "dark")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "resultTypes": ["violations"],
}
OF_ACCOUNT = {
    "reset": ("reset/", ""),
    "account": ("account/", "reseller"),
    "account-security": ("account/security/", "reseller"),
    "account-app": ("account/app/", "reseller"),
    "account-password": ("account/password/", "reseller"),
    "documentation": ("documentation/", "reseller"),
}
NO_PAGES = {
    "payment-effect",
    "rates-level",
    "rates-find",
    "rates-new",
    "rates-probe",
    "pack-cost",
    "audit-entry-csv",
    "connections-now",
    "sender-registration-document",
    "rates-import",
    "rates-import-column",
    "rates-import-values",
    "permission-levels",
}  # screens that are part of a page, or a file
TABS = re.compile(r'<nav class="tabs[^>]*>.*?</nav>', re.DOTALL)
WIDER = """() => [document.documentElement, ...document.querySelectorAll("dialog[open], dialog[open] .dr-b")]
    .filter((each) => each.scrollWidth > each.clientWidth + 1)
    .map((each) => `${each.tagName.toLowerCase()}.${each.className}: ${each.scrollWidth} in ${each.clientWidth} px`)"""
COUNTED = "() => !document.querySelector('[hx-trigger=load]')"
FOUND = """async (rules) => (await axe.run(document, rules)).violations.flatMap((each) =>
    each.nodes.map((node) => `${each.id} at ${node.target.join(" ")}: ${node.any[0]?.message ?? each.help}`))"""


@dataclass
class Pages:
    """What to look at: name → (URL, login); "" is nobody."""

    url: str
    sessions: dict[str, str]
    found: dict[str, tuple[str, str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def site(world: World, server_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    from django.db import connection

    found = {"log-in": ("/bo/log-in/", ""), "error": ("/bo/nowhere/", "reseller"), **_pages_of_entities(world)}
    found |= _pages_of_screens(world) | _steps_of_imports(world) | _pages_of_the_portal(world)
    found |= {name: (f"/bo/{route}", login) for name, (route, login) in OF_ACCOUNT.items()}
    found |= {f"{name}-{tab}": page for name, own in found.items() for tab, page in _tabs_of(world, own)}
    sessions = {login: client.cookies["relais_session"].value for login, client in world.clients.items()}
    dsn = named_database(server_dsn, connection.settings_dict["NAME"])
    with served(dsn, tmp_path_factory.mktemp("web")) as url:
        yield Pages(url, sessions, found)


@pytest.fixture(scope="module")
def browser(site: Pages) -> Iterator[Any]:
    with chromium() as opened:
        yield opened


def _pages_of_entities(world: World) -> dict[str, tuple[str, str]]:
    found = {}
    for name in made_up.entity_names():
        entity, login = made_up.entity(name), made_up.keeper_of(name)
        found[f"{name}-list"] = (f"/bo/{name}/", login)
        key = world.own[name][0] if world.own.get(name) else made_up.rows_of(name, login).order_by("-pk")[0].pk
        found[f"{name}-view"] = (made_up.url_of(name, key), login)
        if made_up.is_added(name):
            found[f"{name}-new"] = (f"/bo/{name}/new/", login)
        if entity.form and (entity.form_of_new or not made_up.is_added(name)):  # else the form is that of a new one
            found[f"{name}-edit"] = (made_up.url_of(name, key, "edit"), login)
    return found


def _pages_of_the_portal(world: World) -> dict[str, tuple[str, str]]:
    """Of the client's admin: lists, a record of each entity, forms, screens, and what says no."""
    from relais.portal.site import PORTAL
    from relais.records.visibility import visible

    found = {"portal-log-in": ("/portal/log-in/", ""), "portal-account": ("/portal/account/", "client")}
    found |= {f"portal-{screen.name}": (f"/portal/{screen.route}", "client") for screen in PORTAL.screens.values()}
    for name, entity in PORTAL.entities.items():
        record = visible(entity.model, made_up.user_of("client"), "manage" if entity.form else "view").order_by("pk")[0]
        found[f"portal-{name}-list"] = (f"/portal/{name}/", "client")
        found[f"portal-{name}-view"] = (f"/portal/{name}/{record.pk}/", "client")
        if entity.form:
            found[f"portal-{name}-new"] = (f"/portal/{name}/new/", "client")
            found[f"portal-{name}-edit"] = (f"/portal/{name}/{record.pk}/edit/", "client")
    assert world.client("client").get("/portal/overview/").status_code == 200
    return found


def _pages_of_screens(world: World) -> dict[str, tuple[str, str]]:
    """Screens that are no entity's own page; one with a record's key in its route gets a record of the entity it begins with."""
    from relais.backoffice.site import BACKOFFICE

    own_pages = {entity.own_page for entity in BACKOFFICE.entities.values()}
    found = {}
    for screen in BACKOFFICE.screens.values():
        if screen.name in own_pages | NO_PAGES or screen.route.count("<") > 1:
            continue  # of two keys: a part of what the first one names
        entity = screen.route.split("/")[0]
        login = made_up.keeper_of(entity) if entity in BACKOFFICE.entities else "owner"
        key = str(world.own[entity][0]) if "<" in screen.route else ""
        found[screen.name] = ("/bo/" + re.sub(r"<[^>]+>", key, screen.route), login)
    return found


def _steps_of_imports(world: World) -> dict[str, tuple[str, str]]:
    """A preview and what is asked before an import, with a file that who imports has chosen."""
    from django.core.files.uploadedfile import SimpleUploadedFile
    from tests.pages.test_import_rates import NORDIC, upload, url

    assert upload(world.client("reseller"), NORDIC).status_code == 200
    rates = {f"rates-{step}": (url(step), "reseller") for step in ("upload", "columns", "preview", "confirm")}
    text = b"MCC,MNC,ISO,Network\n214,98,ES,A new network\n214,97,ES,Another new one\n"
    answer = world.client("owner").post("/bo/import/network-codes/", {"file": SimpleUploadedFile("codes.csv", text)})
    assert answer.status_code == 302, answer.content.decode()
    codes = {f"import-{step}": (f"/bo/import/network-codes/?step={step}", "owner") for step in ("preview", "confirm")}
    return rates | codes


def _tabs_of(world: World, page: tuple[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """The tabs of a page of its own, but the one it opens with."""
    url, login = page
    if not login or "nowhere" in url:
        return
    answer = world.client(login).get(url)
    assert answer.status_code == 200, f"{url}: {answer.status_code}"
    for links in TABS.findall(answer.content.decode()):
        for link, tab in re.findall(r'href="(\?(?:tab|show|kind)=([a-z_]+))"(?! aria-current)', links):
            yield tab, (url.split("?")[0] + link, login)


@pytest.mark.timeout(3_000 if EVERYWHERE else 900)
@pytest.mark.parametrize("half", [pytest.param(half, marks=pytest.mark.xdist_group(f"half {half}")) for half in (0, 1)])
def test_every_page_is_quiet_fits_and_can_be_read_by_all(site: Pages, browser: Any, half: int) -> None:
    """Two workers share the pages. A page is opened once and made narrow then; `make look` opens it in each width."""
    troubles, opened = [], {}
    PICTURES.mkdir(parents=True, exist_ok=True)
    for turn, (name, (url, login)) in list(enumerate(site.found.items()))[half::2]:
        if login not in opened:
            opened[login] = _Page(browser, site, login, SIZES["wide"])
        said = opened[login].look(name, url, turn // 2)
        troubles += [f"{name} ({url}): {each}" for each in said]
    for page in opened.values():
        page.browsed.context.close()
    assert not troubles, "\n".join(troubles)


LAYERS = {  # what opens over the list of agreements, and how
    "csv-menu": "[popovertarget=csv-menu]",
    "filter-menu": "[popovertarget=filter-menu]:visible",
    "columns-menu": "[popovertarget=columns-menu]",
    "account-menu": "[popovertarget=account-menu]",
    "help": "[data-open=help]",
    "find": "[data-find]:visible",
}


def test_what_opens_over_a_page_can_be_read_by_all(site: Pages, browser: Any) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    page = _Page(browser, site, "reseller", SIZES["wide"])
    browsed, troubles = page.browsed, []

    def look(name: str) -> None:
        browsed.evaluate(AXE_SCRIPT)
        troubles.extend(f"{name}: {each}" for each in [*browsed.evaluate(FOUND, RULES), *page.said])
        browsed.screenshot(path=PICTURES / f"over-{name}--1440-light.jpg", type="jpeg", quality=80)

    PICTURES.mkdir(parents=True, exist_ok=True)
    page.open("/bo/agreements/", error=False)
    for name, opener in LAYERS.items():
        browsed.locator(opener).first.click()
        browsed.locator(f"#{name}").wait_for()
        if name == "find":
            browsed.keyboard.type("a")
            browsed.locator("#find-results a").first.wait_for()
        look(name)
        browsed.keyboard.press("Escape")
        browsed.locator(f"#{name}").wait_for(state="hidden")
    browsed.locator("tbody [name=ids]").first.check()
    look("bulk")
    page.open("/bo/banks/new/", error=False)
    browsed.locator("#drawer [name=name]").fill("A bank")
    browsed.locator("#drawer [data-save]").click()
    browsed.locator("#drawer .err").first.wait_for()
    page.said.clear()  # the browser itself reports that the form was refused
    look("form-with-errors")
    browsed.keyboard.press("Escape")
    browsed.locator("dialog[role=alertdialog]").wait_for()
    look("leave-without-saving")
    page.open(site.found["banks-view"][0], error=False)
    browsed.get_by_role("link", name="Delete…").click()
    browsed.locator("#dialog [data-close]").wait_for()
    look("delete")
    browsed.context.close()
    assert not troubles, "\n".join(troubles)


def test_a_list_starts_without_what_few_pages_need(site: Pages, browser: Any) -> None:
    """Components and searchable choices are most of what the scripts take on a phone; each is there when it is asked for."""
    page = _Page(browser, site, "reseller", SIZES["narrow"])
    components, choices = page.browsed.locator("script[src*='/components.js']"), page.browsed.locator(".ts-wrapper")
    assert page.open("/bo/agreements/", error=False) == []
    assert (components.count(), choices.count()) == (0, 0)
    page.browsed.locator("[popovertarget=filter-menu]:visible").click()
    page.browsed.locator("#filter-menu .ts-wrapper").first.wait_for()
    assert page.open("/bo/banks/new/", error=False) == []
    page.browsed.locator("#drawer [x-data=counter] textarea").first.fill("Twelve marks")
    page.browsed.locator("#drawer [x-data=counter] [x-text=said]", has_text="12 / ").wait_for()
    assert components.count() == 1 and page.said == []
    page.browsed.context.close()


class _Page:
    """A tab of a browser in which somebody is logged in."""

    def __init__(self, browser: Any, site: Pages, login: str, size: tuple[int, int]) -> None:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
            base_url=site.url,
        )
        if login:
            names = ("relais_session", "relais_portal_session")
            context.add_cookies([{"name": name, "value": site.sessions[login], "url": site.url} for name in names])
        self.said: list[str] = []
        self.browsed = context.new_page()
        self.browsed.on("console", lambda line: self.said.append(line.text) if line.type == "error" else None)
        self.browsed.on("pageerror", lambda error: self.said.append(str(error)))

    def look(self, name: str, url: str, turn: int) -> list[str]:
        """What is wrong with a page. It is read in one width and theme, everywhere in all of them, and pictured then."""
        from axe_playwright_python.base import AXE_SCRIPT

        said: list[str] = []
        for width, (size, themes) in enumerate(zip(SIZES.values(), (THEMES, THEMES[::-1]), strict=True)):
            self.browsed.set_viewport_size({"width": size[0], "height": size[1]})
            if width == 0 or EVERYWHERE:
                said += self.open(url, error=name == "error")
            if width == 1:
                said += self.browsed.evaluate(WIDER)
            for theme in themes if EVERYWHERE else (themes[turn % 2],):
                self.browsed.emulate_media(color_scheme=theme)
                if EVERYWHERE or width == turn // 2 % 2:
                    self.browsed.evaluate(AXE_SCRIPT)
                    said += self.browsed.evaluate(FOUND, RULES)
                if EVERYWHERE:
                    picture = PICTURES / f"{name}--{size[0]}-{theme}.jpg"
                    self.browsed.screenshot(path=picture, type="jpeg", quality=80)
        return said

    def open(self, url: str, *, error: bool) -> list[str]:
        """What the console said meanwhile."""
        self.said.clear()
        answer = self.browsed.goto(url)
        assert answer.status == (404 if error else 200), f"{url}: {answer.status}"
        self.browsed.wait_for_function(COUNTED)
        return [] if error else list(self.said)  # the browser itself reports a page that is not there
