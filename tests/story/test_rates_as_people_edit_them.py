"""The constructor of rates under people's hands: by keys and by pointer, one editor at a time, with what they typed kept."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser import chromium, served
from tests.conftest import new_database
from tests.story.desk import RESELLER, Desk

if TYPE_CHECKING:
    from playwright.sync_api import Locator

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def site(server_dsn: str, spain_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with new_database(server_dsn, spain_template) as dsn, served(dsn, tmp_path_factory.mktemp("pages")) as url:
        yield url


@pytest.fixture(scope="module")
def desk(site: str) -> Iterator[Desk]:
    """The reseller's manager at the page of the SMS service."""
    with chromium() as browser:
        made = Desk.in_new_browser(browser, site)
        made.log_in(RESELLER)
        made.open_list("Services")
        made.row("SMS service").first.locator("[data-record]").click()
        expect(made.page.get_by_role("heading", level=1)).to_have_text("SMS service")
        yield made
        assert made.troubles == []


def row(desk: Desk, name: str) -> "Locator":
    return desk.page.locator(".rt-node > .rt-row", has=desk.page.locator(f".rt-name > .clip:text-is('{name}')")).first


def press(desk: Desk, *keys: str) -> None:
    for key in keys:
        desk.page.keyboard.press(key)


def test_SV_62_SV_63_SV_68_SV_94_SV_96_a_tree_is_walked_and_edited_by_keys_alone(desk: Desk) -> None:
    page, form = desk.page, desk.page.locator(".rt-form")
    page.locator(".rt-node > .rt-row[tabindex='0']").focus()
    press(desk, "ArrowDown", "ArrowDown")
    expect(row(desk, "A2P (MT)")).to_be_focused()
    press(desk, "ArrowLeft")
    expect(row(desk, "A2P (MT)")).to_have_attribute("aria-expanded", "false")
    expect(row(desk, "Spain")).not_to_be_visible()
    press(desk, "ArrowRight", "ArrowRight")
    expect(row(desk, "Spain")).to_be_focused()
    press(desk, "ArrowDown", "ArrowDown", "Enter")
    expect(form.get_by_label("Price", exact=True)).to_have_value("0.04")
    form.get_by_label("Price", exact=True).fill("0.045")
    press(desk, "Escape")
    expect(page.get_by_role("alertdialog")).to_contain_text("1 change will be lost")
    page.get_by_role("button", name="Keep editing").click()
    expect(form.get_by_label("Price", exact=True)).to_have_value("0.045")
    form.get_by_label("Price", exact=True).press("Control+Enter")
    expect(form).to_have_count(0)
    expect(row(desk, "Vodafone")).to_contain_text("0.04500")
    expect(row(desk, "Vodafone")).to_be_focused()
    row(desk, "DIGI mobil").focus()
    press(desk, "Enter")
    form.locator("[data-insert-step]").first.click()
    over = form.locator("[data-over]")
    form.get_by_label("Threshold").nth(1).fill("5000")
    expect(over.nth(2)).to_have_text("5000")
    form.get_by_label("Price of the step").nth(1).fill("0.0045")
    form.get_by_role("button", name="Save").click()
    expect(row(desk, "DIGI mobil")).to_contain_text("3 steps")
    press(desk, "Delete")
    expect(desk.dialog).to_contain_text("Delete DIGI mobil?")
    press(desk, "Escape")
    expect(desk.dialog).not_to_be_visible()
    expect(row(desk, "DIGI mobil")).to_be_visible()


def test_SV_61_SV_66_SV_272_values_are_added_searched_and_told_when_somebody_else_was_there(desk: Desk) -> None:
    page, form = desk.page, desk.page.locator(".rt-form")
    row(desk, "A2P (MT)").hover()
    row(desk, "A2P (MT)").get_by_label("Add several below A2P (MT)").click()
    field = form.locator(".ts-control input").first
    for country in ("Portugal", "France"):
        field.press_sequentially(country)
        form.locator(".ts-dropdown .option", has_text=re.compile(f"^{country}$")).click()
        expect(form.locator(".ts-control .item", has_text=country)).to_be_visible()
    form.get_by_label("Price", exact=True).fill("0.06")
    form.get_by_role("button", name="Save").click()
    for country in ("Portugal", "France"):
        expect(row(desk, country)).to_contain_text("0.06000")
    other = desk.second_tab()
    other.page.goto(page.url)
    row(other, "France").focus()
    other.page.keyboard.press("Enter")
    other.page.locator(".rt-form").get_by_label("Price", exact=True).fill("0.07")
    other.page.keyboard.press("Control+Enter")
    expect(row(other, "France")).to_contain_text("0.07000")
    other.page.close()
    row(desk, "France").focus()
    press(desk, "Enter")
    expect(form.locator(".note")).to_contain_text("Somebody else has changed this tree")
    page.get_by_role("link", name="Read it anew").last.click()
    page.get_by_label("Find in the tree").press_sequentially("franc")
    page.locator(".rt-found a", has_text="France").click()
    expect(row(desk, "France")).to_be_focused()
    expect(row(desk, "France")).to_contain_text("0.07000")
    probe = page.locator(".rt-probe")
    probe.get_by_label("To", exact=False).first.fill("+33 6 12 34 56 78")
    probe.get_by_role("button", name="Work out").click()
    expect(probe.locator(".rt-price")).to_contain_text("0.07")
    expect(probe.locator(".rt-way")).to_contain_text("France")
