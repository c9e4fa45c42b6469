"""Codes by SMS: to a number that is only pending, and at log-in; sent through the pipeline and charged like any message."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import PROJECT, SECRET_KEY
from tests.records.conftest import NOW
from tests.records.hashing import quick_hashes
from tests.records.test_dictionaries_and_people import new_user

CODES = PROJECT / "scenarios" / "log_in_codes.yaml"
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def ada(spain: str) -> Any:
    """Of a platform that sends codes."""
    from relais.records.apply import apply_file

    apply_file(CODES)
    with quick_hashes():
        yield new_user("Hornes and Hooves", interface="backoffice", must_change_password=False)


def refusal(verb: Any, *arguments: Any) -> str:
    from relais.records.errors import Invalid

    with pytest.raises(Invalid) as refused:
        verb(*arguments)
    return str(refused.value)


def sent_codes() -> list[tuple[str, str]]:
    """Number and code of each that waits to be sent."""
    from django.db import connection

    from relais.records.access.outbox import opened

    with connection.cursor() as cursor:
        cursor.execute("SELECT args ->> 'sealed' FROM procrastinate_jobs WHERE task_name = 'send_sms_code' ORDER BY id")
        return [opened(sealed)[:2] for (sealed,) in cursor.fetchall()]


def test_ACC_31_to_ACC_37_ACC_50_ACC_51_ACC_54_ACC_59_a_number_counts_once_its_code_is_typed(ada: Any) -> None:
    from relais.records.access.actions.change_second_factor import (
        ask_for_number,
        disable_number,
        number_of,
        set_number,
    )
    from relais.records.access.models import SmsCode
    from relais.records.access.second_factor import Way, is_asked_of, ways_of

    for wrong in ("", "123456", "1" * 16, "+34 612", "34612345678x", "\u0663\u0664612345678"):
        assert "takes 7 to 15 digits" in refusal(ask_for_number, ada, wrong, NOW)
    assert ask_for_number(ada, "+34612345678", NOW) == "34612345678"
    assert "less than a minute ago" in refusal(ask_for_number, ada, "34612345679", NOW + 59 * SECOND)
    ((phone, code),) = sent_codes()
    assert phone == "34612345678" and len(code) == 6 and code.isdecimal()
    assert code not in SmsCode.objects.get().code_hash
    assert (ada.phone, is_asked_of(ada)) == ("", False), "only pending"
    wrong_code = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(5):
        assert "is not the one" in refusal(number_of, ada, wrong_code, NOW)
    assert "wrong too often" in refusal(number_of, ada, code, NOW)
    ask_for_number(ada, "34612345678", NOW + MINUTE)
    assert "not valid any more" in refusal(number_of, ada, sent_codes()[1][1], NOW + 6 * MINUTE + SECOND)
    set_number(ada, number_of(ada, sent_codes()[1][1], NOW + 6 * MINUTE))
    ada.refresh_from_db()
    assert (ada.phone, ada.two_factor, is_asked_of(ada), ways_of(ada)) == ("34612345678", True, True, [Way.SMS])
    assert "not valid any more" in refusal(number_of, ada, sent_codes()[1][1], NOW + 6 * MINUTE)
    ask_for_number(ada, "34699999999", NOW + 10 * MINUTE)
    ada.refresh_from_db()
    assert ada.phone == "34612345678", "the old one stays in force"
    disable_number(ada)
    ada.refresh_from_db()
    assert (ada.phone, is_asked_of(ada)) == ("34612345678", False)


def test_TFA_2_TFA_69_a_code_at_log_in_is_accepted_and_charged_like_any_message(
    ada: Any, spain: str, tmp_path: Path
) -> None:
    import psycopg

    from relais.jobs.periodic import make_app
    from relais.jobs.texts import CodeTexts
    from relais.records.access.models import Purpose
    from relais.records.access.second_factor import Way, code_sender, is_right, send_sms_code

    async def work() -> None:
        texts = CodeTexts(spain, SECRET_KEY)
        try:
            async with make_app(spain, texts.send).open_async() as app:
                await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
        finally:
            await texts.close()

    ada.phone, ada.two_factor = "34612345678", True  # as an administrator enters it: it counts without a code
    ada.save()
    send_sms_code(ada, Purpose.LOG_IN, ada.phone, NOW)
    ((_, code),) = sent_codes()
    asyncio.run(work())
    with psycopg.connect(spain) as session:
        messages = session.execute("SELECT source, destination, body, validity_s FROM traffic_message").fetchall()
        assert messages == [("Relais", "34612345678", f"{code} is your log-in code for Relais. Tell it nobody.", 300)]
        reserved = session.execute(
            "SELECT b.reserved_micros > 0 FROM agreements_balance AS b JOIN agreements_agreement AS a ON a.id = b.agreement_id"
            " WHERE a.agreement_code = 'CODES-1'"
        ).fetchall()
        assert reserved == [(True,)]
        jobs = session.execute(
            "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'send_sms_code'"
        ).fetchall()
        assert jobs == [("succeeded",)]
    assert is_right(ada, Way.SMS, code, NOW + 5 * MINUTE) is True
    policy = code_sender()
    assert policy is not None
    policy.code_sender = None
    policy.save()
    assert "not set up here" in refusal(send_sms_code, ada, Purpose.LOG_IN, ada.phone, NOW + 10 * MINUTE)
