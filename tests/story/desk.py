"""A person at the BackOffice: what they see is found by its words, as they find it."""

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import TimeoutError as NotInTime
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

OWNER, RESELLER = ("owner", "Olga-demo-2025"), ("reseller", "Rita-demo-2025")


class Desk:
    """One tab of a browser. `troubles`: what its console said."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self.troubles: list[str] = []
        page.on("console", lambda line: self.troubles.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))

    @classmethod
    def in_new_browser(cls, browser: "Browser", url: str) -> "Desk":
        context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 960}, reduced_motion="reduce")
        return cls(context.new_page())

    def second_tab(self) -> "Desk":
        return Desk(self.page.context.new_page())

    def log_in(self, who: tuple[str, str]) -> None:
        self.page.goto("/bo/log-in/")
        self.page.get_by_label("Login", exact=True).fill(who[0])
        self.page.get_by_label("Password", exact=True).fill(who[1])
        self.page.get_by_role("button", name="Log in", exact=True).click()
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Log in")

    @property
    def drawer(self) -> "Locator":
        return self.page.locator("#drawer")

    @property
    def dialog(self) -> "Locator":
        return self.page.locator("#dialog")

    @property
    def rows(self) -> "Locator":
        return self.page.locator("#list tbody tr")

    def row(self, text: str) -> "Locator":
        return self.rows.filter(has_text=text)

    def open_list(self, plural: str) -> None:
        """By the menu, whose group may be closed."""
        line = self.page.get_by_label("Main navigation").get_by_role(
            "link", name=plural, exact=True, include_hidden=True
        )
        if not line.is_visible():
            line.locator("xpath=ancestor::details/summary").click()
        line.click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text(plural)

    def open_new(self, label: str) -> None:
        self.page.locator("#list").get_by_role("link", name=f"New {label}", exact=True).first.click()
        self.see_title(f"Add {label[:1].upper()}{label[1:]}")

    def open_record(self, text: str) -> None:
        """By its row in the list."""
        self.row(text).first.locator("[data-record]").click()
        expect(self.drawer).to_be_visible()

    def see_title(self, words: str) -> None:
        expect(self.drawer.locator("#drawer-title")).to_have_text(words)

    def field(self, label: str) -> "Locator":
        """A required one has a star before its label."""
        return self.drawer.get_by_label(re.compile(rf"^\*?{re.escape(label)}$")).first

    def fill(self, **fields: Any) -> None:
        """By label, blanks written as underscores. A busy browser may give the letters to the field that was left just before:
        a person sees that the field is empty, and types again."""
        for label, value in fields.items():
            field = self.field(label.replace("_", " "))
            field.fill(value)
            if value and not field.input_value():
                field.fill(value)

    def choose(self, label: str, text: str) -> None:
        """One of a searchable choice, found by typing a part of its name; or of a plain one."""
        field = self.field(label)
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(label=text)
            return
        self._pick(field, text, ".option")

    def create(self, label: str, text: str) -> None:
        """A new one of a searchable choice, by its name."""
        self._pick(self.field(label), text, ".create")

    def _pick(self, field: "Locator", text: str, line: str) -> None:
        choice = self.drawer.locator(".ts-wrapper", has=self.page.locator(f"#{field.get_attribute('id')}"))
        found = choice.locator(f".ts-dropdown {line}", has_text=text).first
        for wait_ms in (5_000, 10_000, 20_000):
            try:
                choice.locator(".ts-control").click(timeout=wait_ms)
            except NotInTime:  # the lines of the choice before it are open above it: whoever leaves that closes them
                field.focus()
            field.fill("")
            field.press_sequentially(text)
            try:
                found.click(timeout=wait_ms)
                break
            except NotInTime:  # its lines were put in anew meanwhile, which closed it: a person opens it again
                pass
        expect(choice.locator(".ts-control .item")).to_contain_text(text)

    def save(self) -> None:
        self.drawer.get_by_role("button", name="Save").click()

    def add(self, told: str) -> None:
        """Save a new record, see it stored, and close its window."""
        self.save()
        self.see_toast(f"{told} added")
        self.close()

    def close(self) -> None:
        self.drawer.get_by_role("button", name="Close (Esc)").click()
        expect(self.drawer).not_to_be_visible()

    def see_toast(self, words: str) -> None:
        expect(self.page.locator(".toast-x").last).to_contain_text(words)

    def value_of(self, label: str) -> "Locator":
        """A value of the record that is shown as text."""
        return self.page.locator(f"dl > div:has(> dt:text-is('{label}')) > dd").first
