"""Many records at once: step after step as the window asks for them, with what is refused told at the end."""

import re
from html import unescape
from typing import Any

import pytest

URL = "/bo/banks/bulk/delete/"
SCRIPTED = {"HX-Request": "true"}
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def _a_record_a_step(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from relais.pages import bulk

    monkeypatch.setattr(bulk, "STEP_S", 0.0)


def banks(client: Any, count: int) -> list[int]:
    from relais.records.parties.models import Bank

    for number in range(count):
        fields = {"name": f"Steps {number}", "swift_code": f"STEPES{number:02}", "branch_code": f"{number:03}"}
        assert client.post("/bo/banks/new/", {"country": "ES", "address": "Madrid"} | fields).status_code == 302, fields
    return list(Bank.objects.filter(name__startswith="Steps ").order_by("pk").values_list("pk", flat=True))


def fields_of(answer: Any) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in HIDDEN.findall(answer.content.decode()):
        fields.setdefault(name, []).append(unescape(value))
    return fields


def test_it_says_how_far_it_is_until_all_are_done(owner: Any) -> None:
    from relais.records.parties.models import Bank

    keys = banks(owner, 3)
    sent: dict[str, Any] = {"ids": keys, "sure": "1"}
    for tried in (1, 2):
        answer = owner.post(URL, sent, headers=SCRIPTED)
        assert f"{tried} of 3" in answer.content.decode() and 'hx-trigger="load"' in answer.content.decode()
        assert Bank.objects.filter(pk__in=keys).count() == 3 - tried
        sent = fields_of(answer)
    assert owner.post(URL, sent, headers=SCRIPTED).status_code == 204
    assert not Bank.objects.filter(pk__in=keys).exists()


def test_what_is_refused_on_the_way_is_named_at_the_end(owner: Any) -> None:
    from relais.records.parties.models import Bank, BankAccount

    keys = banks(owner, 3)
    used = Bank.objects.filter(pk__in=BankAccount.objects.values("bank")).order_by("pk").first()
    sent: dict[str, Any] = {"ids": [used.pk, *keys], "sure": "1"}
    answer = owner.post(URL, sent, headers=SCRIPTED)
    assert used.pk < keys[0] and "1 refused" in answer.content.decode()
    for _ in keys:
        answer = owner.post(URL, fields_of(answer), headers=SCRIPTED)
    told = answer.content.decode()
    assert "3 done. Those below stay as they were" in told and str(used) in told
    assert Bank.objects.filter(pk=used.pk).exists() and not Bank.objects.filter(pk__in=keys).exists()


@pytest.mark.parametrize(
    "nonsense", [{"total": "many"}, {"tried": ""}, {"refused": "[1"}, {"after": "\0"}, {"after": "9" * 40}]
)
def test_a_step_that_is_made_up_breaks_nothing(owner: Any, nonsense: dict[str, str]) -> None:
    from relais.records.parties.models import Bank

    keys = banks(owner, 2)
    sent = {"ids": keys, "sure": "1", "total": "2", "tried": "0", "after": str(keys[0])} | nonsense
    assert owner.post(URL, sent, headers=SCRIPTED).status_code in (200, 204)
    assert Bank.objects.filter(pk__in=keys).count() >= 1
