"""What every list and every record's window does under people's hands, tried on banks of the reseller."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser import chromium, served
from tests.conftest import new_database, relais
from tests.story.desk import RESELLER, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Route

pytestmark = pytest.mark.timeout(300)  # the first test also waits for the database and the pages
NAMES = ["Azahar", "Brisa", "Cierzo", "Duna", "Encina", "Faro", "Garza", "Hayedo", "Jara", "Levante", *(
    f"Tramontana {number:02}" for number in range(30)
)]  # fmt: skip


@pytest.fixture(scope="module")
def site(server_dsn: str, spain_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The pages on Spain with enough banks for two pages; their URL."""
    folder = tmp_path_factory.mktemp("pages")
    with new_database(server_dsn, spain_template) as dsn:
        _add_banks(dsn, folder)
        with served(dsn, folder) as url:
            yield url


def _add_banks(dsn: str, folder: "Path") -> None:
    rest = "company: Hornes and Hooves, country: ES, address: Calle Mayor 1, branch_code: '001'"
    lines = [f"  - {{name: {name}, swift_code: BANKES{n:02}, {rest}}}" for n, name in enumerate(NAMES)]
    path = folder / "banks.yaml"
    path.write_text("\n".join(["banks:", *lines, ""]), encoding="utf-8")
    done = relais("apply", str(path), dsn=dsn)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def browser(site: str) -> Iterator["Browser"]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def desk(browser: "Browser", site: str) -> Iterator[Desk]:
    """The reseller's manager at the list of banks."""
    made = Desk.in_new_browser(browser, site)
    made.log_in(RESELLER)
    made.open_list("Banks")
    yield made
    made.page.context.close()


def _find(desk: Desk, name: str) -> None:
    desk.page.get_by_role("searchbox").fill(name)
    expect(desk.row(name).first).to_be_visible()
    expect(desk.page).to_have_url(re.compile(r"q="))


def _edit(desk: Desk, name: str) -> None:
    _find(desk, name)
    desk.open_record(name)
    desk.drawer.get_by_role("link", name="Edit").click()
    desk.see_title("Edit Bank")


def _empty(field: "Locator") -> None:
    """By the mark that the field shows under the mouse."""
    place = field.locator("xpath=ancestor::div[contains(concat(' ', @class), ' fld')][1]")
    place.hover()
    place.locator(".clear").click()


def test_a_record_has_an_address_of_its_own_and_back_closes_its_window(desk: Desk) -> None:
    address_of_list = desk.page.url
    desk.open_record("Tramontana 29")
    expect(desk.page).to_have_url(re.compile(r"/bo/banks/\d+/$"))
    address = desk.page.url
    desk.page.go_back()
    expect(desk.drawer).not_to_be_visible()
    expect(desk.page).to_have_url(address_of_list)
    desk.page.goto(address)
    desk.see_title("View Bank")
    expect(desk.value_of("Name")).to_have_text("Tramontana 29")
    desk.page.keyboard.press("Escape")
    expect(desk.drawer).not_to_be_visible()
    expect(desk.page).to_have_url(address_of_list)
    assert desk.troubles == []


def test_GEN_45_GEN_46_GEN_56_a_row_opens_by_one_click_or_two_and_a_status_stands_there_in_capitals(desk: Desk) -> None:
    cell = desk.row("Tramontana 29").locator("td:not(.sel, .first)").last
    for click in (cell.click, cell.dblclick):
        click()
        desk.see_title("View Bank")
        expect(desk.value_of("Name")).to_have_text("Tramontana 29")
        desk.page.keyboard.press("Escape")
        expect(desk.drawer).not_to_be_visible()
    desk.open_list("Sender IDs")
    expect(desk.row("Monsters").locator(".st")).to_have_css("text-transform", "uppercase")
    desk.open_record("Monsters")
    desk.drawer.get_by_role("link", name="Edit").click()
    expect(desk.field("Status").locator("option:checked")).to_have_text("Active")
    assert desk.troubles == []


def test_CO_54_GEN_48_a_record_is_deleted_out_of_its_form(desk: Desk) -> None:
    _edit(desk, "Levante")
    desk.drawer.get_by_role("link", name="Delete…").click()
    desk.dialog.get_by_role("button", name="Cancel").click()
    desk.see_title("Edit Bank")
    desk.drawer.get_by_role("link", name="Delete…").click()
    desk.dialog.get_by_role("button", name="Delete record").click()
    expect(desk.drawer).not_to_be_visible()
    expect(desk.page.get_by_role("heading", name="No bank matches")).to_be_visible()
    assert desk.troubles == []


def test_j_and_k_go_through_the_records_of_the_list(desk: Desk) -> None:
    desk.open_record("Tramontana 29")
    expect(desk.value_of("Name")).to_have_text("Tramontana 29")
    desk.page.keyboard.press("j")
    expect(desk.value_of("Name")).to_have_text("Tramontana 28")
    desk.page.keyboard.press("j")
    expect(desk.value_of("Name")).to_have_text("Tramontana 27")
    desk.page.keyboard.press("k")
    expect(desk.value_of("Name")).to_have_text("Tramontana 28")
    expect(desk.row("Tramontana 28")).to_have_class(re.compile("is-open"))


def test_leaving_a_form_with_changes_asks_first(desk: Desk) -> None:
    _edit(desk, "Azahar")
    desk.fill(Name="Azahar del Sur")
    expect(desk.drawer.locator("[data-changes]")).to_have_text("1 unsaved change")
    desk.page.keyboard.press("Escape")
    question = desk.page.get_by_role("alertdialog")
    expect(question).to_contain_text("1 change will be lost.")
    question.get_by_role("button", name="Keep editing").click()
    expect(desk.field("Name")).to_have_value("Azahar del Sur")
    desk.page.keyboard.press("Escape")
    question.get_by_role("button", name="Discard changes").click()
    expect(desk.drawer).not_to_be_visible()
    expect(desk.page).to_have_url(re.compile(r"/bo/banks/\?.*q=Azahar"))  # closing goes back, which takes its time
    desk.page.reload()
    expect(desk.row("Azahar").locator("[data-record]")).to_have_text("Azahar")


def test_BK_18_BA_14_OBA_14_a_mark_in_a_field_empties_it_and_the_cross_closes_the_form(desk: Desk) -> None:
    """The same in every form. What was emptied is a change like any other."""
    _edit(desk, "Jara")
    address = desk.drawer.get_by_label("Address")
    _empty(address)
    expect(address).to_have_value("")
    expect(address).to_be_focused()
    expect(desk.drawer.locator(".clear:visible")).to_have_count(0)
    _empty(desk.drawer.locator("select[name=country]"))
    expect(desk.drawer.get_by_text("2 unsaved changes")).to_be_visible()
    desk.drawer.get_by_role("button", name="Close (Esc)").click()
    desk.page.get_by_role("button", name="Discard changes").click()
    expect(desk.drawer).not_to_be_visible()
    for page in ("Bank accounts", "Own bank accounts"):
        desk.open_list(page)
        desk.page.get_by_role("link", name=re.compile("^New ")).first.click()
        name = desk.drawer.locator("[name=name]")
        name.fill("Savings")
        _empty(name)
        expect(name).to_have_value("")
        desk.drawer.get_by_role("button", name="Close (Esc)").click()
        expect(desk.drawer).not_to_be_visible()
    assert desk.troubles == []


def test_ctrl_enter_saves(desk: Desk) -> None:
    _edit(desk, "Brisa")
    desk.fill(Name="Brisa Marina")
    desk.page.keyboard.press("Control+Enter")
    desk.see_toast("Brisa Marina saved")
    desk.see_title("View Bank")
    expect(desk.row("Brisa Marina")).to_be_visible()


def test_errors_are_told_together_and_lead_to_their_fields(desk: Desk) -> None:
    desk.open_new("bank")
    desk.save()
    summary = desk.drawer.locator("[data-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text(re.compile(r"Not saved\. \d fields need your attention:"))
    summary.get_by_role("link", name="Name", exact=True).click()
    expect(desk.field("Name")).to_be_focused()
    expect(desk.field("Name")).to_have_attribute("aria-invalid", "true")


def test_of_two_who_edit_one_record_the_second_sees_both_values(desk: Desk) -> None:
    _edit(desk, "Cierzo")
    other = desk.second_tab()
    other.page.goto(desk.page.url)
    other.see_title("Edit Bank")
    desk.fill(Name="Cierzo Norte")
    desk.save()
    desk.see_toast("Cierzo Norte saved")
    other.fill(Name="Cierzo Este")
    other.save()
    told = other.drawer.get_by_role("row", name="Name")
    expect(told.locator("td")).to_have_text(["Cierzo Norte", "Cierzo Este"])
    expect(other.drawer.locator("[data-summary]")).to_be_focused()
    other.drawer.get_by_role("button", name="Save mine over theirs").click()
    other.see_toast("Cierzo Este saved")
    assert other.troubles == [_said_of(409)]


def _said_of(status: int) -> str:
    """What the browser itself says in its console of an answer that is no success."""
    words = {401: "Unauthorized", 409: "Conflict"}
    return f"Failed to load resource: the server responded with a status of {status} ({words[status]})"


def test_columns_stay_as_each_person_has_put_them(desk: Desk, browser: "Browser", site: str) -> None:
    heads = desk.page.locator("#list thead th:not(.sel)")
    before = heads.all_inner_texts()
    desk.page.get_by_role("button", name="Columns").click()
    menu = desk.page.locator("#columns-menu")
    menu.locator("li", has_text=before[-1]).hover()
    menu.get_by_role("button", name=f"Move {before[-1]} up").click()
    swapped = [*before[:-2], before[-1], before[-2]]
    menu.get_by_label(before[-2], exact=True).uncheck()
    desk.page.keyboard.press("Escape")
    expect(heads).to_have_text(swapped[:-1])
    again = Desk.in_new_browser(browser, site)
    again.log_in(RESELLER)
    again.open_list("Banks")
    expect(again.page.locator("#list thead th:not(.sel)")).to_have_text(swapped[:-1])
    again.page.get_by_role("button", name="Columns").click()
    again.page.get_by_role("button", name="Reset").click()
    expect(again.page.locator("#list thead th:not(.sel)")).to_have_text(before)
    again.page.context.close()


def test_a_saved_filter_is_a_tab_with_its_count(desk: Desk) -> None:
    _find(desk, "Tramontana 1")
    expect(desk.rows).to_have_count(10)
    desk.page.get_by_role("button", name="Save filter as…").click()
    desk.page.get_by_label("Name of the filter").fill("The teens")
    desk.page.locator("#save-filter").get_by_role("button", name="Save").click()
    tabs = desk.page.get_by_role("navigation", name="Saved filters")
    expect(tabs.locator("[aria-current]")).to_contain_text("The teens 10")
    tabs.get_by_role("link", name="All").click()
    expect(desk.rows).to_have_count(25)
    tabs.get_by_role("link", name="The teens 10").click()
    expect(desk.rows).to_have_count(10)
    tabs.get_by_role("button", name="Delete filter The teens").click()
    expect(tabs).not_to_contain_text("The teens")


def test_counts_that_come_while_a_button_is_pressed_leave_it_its_click(desk: Desk) -> None:
    held: list[Route] = []
    desk.page.route("**/tabs/**", lambda route: held.append(route))
    with desk.page.expect_request("**/tabs/**"):
        _find(desk, "Tramontana 1")
    expect(desk.rows).to_have_count(10)
    desk.page.get_by_role("button", name="Save filter as…").hover()
    desk.page.mouse.down()
    every = desk.page.get_by_role("navigation", name="Saved filters").get_by_role("link", name="All")
    expect(every).to_have_text("All ")
    (route,) = held
    route.continue_()
    expect(every).to_have_text(re.compile(r"^All \d+$"))
    desk.page.mouse.up()
    expect(desk.page.get_by_label("Name of the filter")).to_be_visible()


def test_a_selection_reaches_over_pages_and_deleting_it_asks_first(desk: Desk) -> None:
    _find(desk, "Tramontana 0")
    expect(desk.rows).to_have_count(10)
    desk.page.get_by_role("searchbox").fill("Tramontana")
    expect(desk.rows).to_have_count(25)
    desk.page.get_by_label("Select this page").check()
    expect(desk.page.locator("[data-selected]")).to_have_text("25 selected")
    desk.page.get_by_role("button", name="Select all 30").click()
    expect(desk.page.locator("[data-selected]")).to_have_text("All 30 selected")
    desk.page.get_by_role("toolbar").get_by_role("button", name="Delete…").click()
    expect(desk.dialog.get_by_role("heading")).to_have_text("Delete 30 banks?")
    desk.dialog.get_by_role("button", name="Cancel").click()
    expect(desk.rows).to_have_count(25)
    desk.page.get_by_role("toolbar").get_by_role("button", name="Delete…").click()
    desk.dialog.get_by_role("button", name="Delete 30 records").click()
    expect(desk.page.get_by_role("heading", name="No bank matches")).to_be_visible()
    expect(desk.dialog).not_to_be_visible()


def test_ctrl_k_finds_a_company_by_a_part_of_its_name(desk: Desk) -> None:
    desk.page.keyboard.press("Control+k")
    desk.page.locator("#find input").press_sequentially("onster")
    companies = desk.page.get_by_role("listbox").get_by_role("group", name="Companies")
    found = companies.get_by_role("option", name="Telecom Monsters")
    expect(found).to_be_visible()
    for _ in range(desk.page.locator("#find [role=option]").count()):
        if found.get_attribute("aria-selected") == "true":
            break
        desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Telecom Monsters")
    expect(desk.page).to_have_url(re.compile(r"/bo/companies/\d+/$"))


def test_a_form_outlives_the_session_it_was_opened_in(desk: Desk) -> None:
    _edit(desk, "Duna")
    desk.fill(Name="Duna Blanca")
    other = desk.second_tab()
    other.page.goto("/bo/banks/")
    other.page.get_by_role("button", name="My account").click()
    other.page.get_by_role("button", name="Log out").click()
    expect(other.page.get_by_role("heading", level=1)).to_have_text("Log in")
    desk.save()
    banner = desk.drawer.get_by_role("alert")
    expect(banner).to_contain_text("Your session has ended. What you entered is still here.")
    expect(desk.field("Name")).to_have_value("Duna Blanca")
    other.log_in(RESELLER)
    banner.get_by_role("button", name="try again").click()
    desk.see_toast("Duna Blanca saved")
    assert desk.troubles == [_said_of(401)]


def test_who_only_listens_is_told_what_others_see(desk: Desk) -> None:
    keys = desk.page.keyboard
    desk.page.locator("#list th a", has_text="Name").focus()
    keys.press("Enter")
    said = re.compile(r"Sorted by Name, (a|de)scending\. Rows 1")
    expect(desk.page.locator("#list-status")).to_have_text(said)
    expect(desk.page.locator("#list th a", has_text="Name")).to_be_focused()
    desk.open_record("Jara")
    desk.drawer.get_by_role("link", name="Edit").focus()
    keys.press("Enter")
    expect(desk.drawer.get_by_role("status").filter(has_text="Edit Bank")).to_be_attached()
    country = desk.drawer.get_by_role("combobox", name="Country")
    country.focus()
    expect(country).to_have_accessible_description(re.compile("^Spain "))
    expect(country).not_to_have_attribute("aria-activedescendant", re.compile("."))
    keys.press("ArrowDown")
    expect(country).to_have_attribute("aria-activedescendant", re.compile("."))
    keys.press("Escape")
    desk.drawer.get_by_role("link", name="Delete…").click()
    question = desk.page.get_by_role("alertdialog", name="Delete bank “Jara”?")
    expect(question).to_have_accessible_description(re.compile("is deleted for good"))
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()


def test_a_record_is_edited_without_a_mouse(browser: "Browser", site: str) -> None:
    desk = Desk.in_new_browser(browser, site)
    keys = desk.page.keyboard
    desk.page.goto("/bo/banks/")
    expect(desk.page.get_by_label("Login", exact=True)).to_be_focused()
    keys.type(RESELLER[0])
    keys.press("Tab")
    keys.type(RESELLER[1])
    keys.press("Enter")
    expect(desk.page.get_by_role("heading", level=1)).to_have_text("Banks")
    keys.press("/")
    expect(desk.page.get_by_role("searchbox")).to_be_focused()
    keys.type("Encina")
    expect(desk.rows).to_have_count(1)
    _tab_to(desk, "[data-record]")
    keys.press("Enter")
    desk.see_title("View Bank")
    _tab_to(desk, "#drawer .dr-f a.btn-primary")
    keys.press("Enter")
    desk.see_title("Edit Bank")
    expect(desk.field("Name")).to_be_focused()
    keys.press("Control+a")
    keys.type("Encina Vieja")
    _tab_to(desk, "#drawer [data-save]")
    keys.press("Enter")
    desk.see_toast("Encina Vieja saved")
    keys.press("Escape")
    expect(desk.drawer).not_to_be_visible()
    expect(desk.row("Encina Vieja").locator("[data-record]")).to_be_focused()
    desk.page.context.close()


def _tab_to(desk: Desk, selector: str) -> None:
    """Press Tab until the focus is there; each step of it can be seen."""
    for _ in range(60):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"Tab never comes to {selector}")
