"""A forgotten password: the link comes by mail from the worker, to a real SMTP server on loopback, and works once."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as Arriving
from tests.account.conftest import PASSWORD, is_in, logged_in, person, typed
from tests.ports import free_port

LINK = re.compile(r"http://testserver(/bo/reset/\S+)")


class Sink(Arriving):
    """Keeps what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.mails.append(message_from_bytes(message.as_bytes()))


@contextmanager
def mail_server() -> Iterator[Sink]:
    """Mails of this process go to it."""
    from django.test import override_settings

    from relais.records.django_settings import mail_by

    sink = Sink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        with override_settings():
            mail_by("127.0.0.1", controller.port, "none", "Relais <relais@example.com>", "", "")
            yield sink
    finally:
        controller.stop()


def work(dsn: str) -> None:
    """What the worker does with the jobs that are there."""
    from relais.jobs.periodic import make_app

    async def run() -> None:
        async with make_app(dsn).open_async() as app:
            await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)

    asyncio.run(run())


def text_of(mail: Message) -> str:
    return mail.get_payload(decode=True).decode()  # type: ignore[union-attr]  # a mail of one part


def ask(asked_for: str) -> str:
    from django.test import Client

    answer = Client(REMOTE_ADDR=f"10.3.0.{len(asked_for)}").post("/bo/reset/", {"asked_for": asked_for})
    assert answer.status_code == 200
    return str(answer.context["told"])


def test_PWD_13_PWD_24_ACC_49_a_link_that_came_by_mail_sets_a_new_password_once(spain: str) -> None:
    from django.db import connection
    from django.test import Client

    user, german = person(), person(language="de", e_mail="shared@example.com")
    second = person(e_mail="SHARED@example.com")
    blocked, inside = person(is_active=False), logged_in(user)
    told = {ask(asked) for asked in (user.login, "shared@example.com", "nobody@example.com", "client", blocked.login)}
    assert len(told) == 1, "the same answer, whoever is known"
    with connection.cursor() as cursor:
        cursor.execute("SELECT args::text FROM procrastinate_jobs WHERE task_name = 'send_reset_mail'")
        assert not [args for (args,) in cursor.fetchall() if user.login in args or "example" in args], "sealed"
    with mail_server() as sink:
        work(spain)
    assert sorted(mail["To"].lower() for mail in sink.mails) == [user.e_mail, *["shared@example.com"] * 2]
    assert {mail["From"] for mail in sink.mails} == {"Relais <relais@example.com>"}
    (mail,) = (mail for mail in sink.mails if mail["To"] == user.e_mail)
    assert mail["Subject"] == "Set a new password for BackOffice" and user.login in text_of(mail)
    assert german.login != second.login
    url = LINK.search(text_of(mail)).group(1)  # type: ignore[union-attr]  # it is there
    browser = Client()
    form = browser.get(url, follow=True)
    assert form.status_code == 200 and form.redirect_chain[0][0].endswith("/set/"), "the token leaves the address"
    assert Client(headers={"Host": "localhost"}).get(url, follow=True).status_code == 404, "of another portal"
    here = form.redirect_chain[0][0]
    for new, again in ((PASSWORD, PASSWORD), ("abcd1234", "abcd1234"), ("Babbage-1871", "Babbage-1872")):
        assert browser.post(here, {"new_password": new, "confirm_password": again}).status_code == 422
    assert is_in(inside)
    sent = {"new_password": "Babbage-1871", "confirm_password": "Babbage-1871"}
    assert browser.post(here, sent).headers["Location"] == "/bo/log-in/"
    assert not is_in(inside) and is_in(typed(user, "Babbage-1871")[0])
    for again in (Client().get(url, follow=True), browser.post(here, sent)):
        assert again.status_code == 404 and "not good any more" in again.content.decode()
    for broken in ("/bo/reset/x/y/", "/bo/reset/MQ/set/", f"/bo/reset/{'9' * 60}/a-b/"):
        assert Client().get(broken, follow=True).status_code == 404


def test_a_link_ends_after_an_hour_with_a_log_in_and_with_a_change_of_the_password(spain: str) -> None:
    from django.utils import timezone

    from relais.records.access.passwords import store_password
    from relais.records.access.resets import parts_of_link, person_of_link
    from relais.records.errors import Invalid

    portal, now = "http://testserver/", timezone.now()
    user = person()
    parts = parts_of_link(user, portal, now)
    assert person_of_link("backoffice", *parts, portal, now + timedelta(minutes=59, seconds=59)) == user
    with pytest.raises(Invalid, match="not good any more"):
        person_of_link("backoffice", *parts, portal, now + timedelta(hours=1, seconds=1))
    with pytest.raises(Invalid, match="not good any more"):
        person_of_link("client_portal", *parts, portal, now)
    store_password(user, "Other-1852", now, by_the_person=True)
    with pytest.raises(Invalid, match="not good any more"):
        person_of_link("backoffice", *parts, portal, now)


def test_links_are_not_asked_for_without_end(spain: str) -> None:
    from django.db import connection
    from django.test import Client

    def jobs() -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_reset_mail'")
            return cursor.fetchone()[0]

    before, client = jobs(), Client(REMOTE_ADDR="10.4.0.1")
    told = [client.post("/bo/reset/", {"asked_for": "somebody@example.com"}).status_code for _ in range(12)]
    assert told == [200] * 10 + [422] * 2 and jobs() == before + 10
    assert client.post("/bo/reset/", {"asked_for": "a\0b"}).status_code == 422
