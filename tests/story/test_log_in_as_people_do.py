"""A person whose password has run out comes back: chooses a new one, switches an authenticator app on, and logs in with it."""

import re
import time
from pathlib import Path

import psycopg
import pyotp
from playwright.sync_api import expect
from tests.browser import chromium, served
from tests.story.desk import RESELLER, Desk


def test_PWD_5_ACC_30_ACC_52_from_an_expired_password_to_a_log_in_with_an_app(spain_db: str, tmp_path: Path) -> None:
    with psycopg.connect(spain_db, autocommit=True) as session:
        session.execute("UPDATE access_access SET password_changed_at = now() - interval '61 days'")
    with served(spain_db, tmp_path) as url, chromium() as browser:
        desk = Desk.in_new_browser(browser, url)
        page = desk.page
        desk.log_in(RESELLER)
        expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new password")
        page.goto("/bo/banks/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
        desk.log_in(RESELLER)
        page.get_by_role("button", name="Generate").click()
        expect(page.get_by_text("Note it now: it is not shown again.")).to_be_visible()
        password = page.get_by_role("textbox", name="New password").input_value()
        assert page.get_by_role("textbox", name="Confirm password").input_value() == password
        page.get_by_role("button", name="Save and go on").click()
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Choose a new password")

        page.get_by_role("button", name="My account").click()
        page.get_by_role("link", name="Privacy and Security").click()
        page.get_by_role("link", name="Add app").click()
        secret = desk.dialog.locator("code").inner_text()
        desk.dialog.get_by_label("Code").fill("000000")
        desk.dialog.get_by_role("button", name="Switch on").click()
        expect(desk.dialog.get_by_text("Is not the one that the app shows now")).to_be_visible()
        app = pyotp.TOTP(secret)
        desk.dialog.get_by_label("Code").fill(app.now())
        desk.dialog.get_by_role("button", name="Switch on").click()
        expect(page.get_by_text("Keep these codes now. They are not shown again.")).to_be_visible()
        recovery = page.locator(".acc-codes li").first.inner_text()
        assert re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){3}", recovery)

        page.get_by_role("button", name="My account").click()
        page.get_by_role("button", name="Log out").click()
        desk.log_in((RESELLER[0], password))
        expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
        page.get_by_role("textbox", name="Code").fill(
            app.at(int(time.time()), counter_offset=1)
        )  # the next: each is taken once
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Main navigation")).to_be_visible()

        page.get_by_role("button", name="My account").click()
        page.get_by_role("button", name="Log out").click()
        desk.log_in((RESELLER[0], password))
        page.get_by_role("link", name="Use a recovery code").click()
        page.get_by_role("textbox", name="Code").fill(recovery)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_label("Main navigation")).to_be_visible()
        assert [line for line in desk.troubles if "422" not in line and "401" not in line] == []
