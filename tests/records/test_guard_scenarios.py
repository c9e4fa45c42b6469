"""Guard rails in scenario files."""

from pathlib import Path
from typing import Any

import pytest

from relais.records.errors import Invalid

FILE = """
caps:
  - {client: Hornes and Hooves, period: day, spend_max: "500.00", currency: EUR, country: es, doing: refuse}
  - {company: Hornes and Hooves, client: Telecom Monsters, period: hour, messages_max: 1000, api_key: demo, prefix: "346"}
  - {company: Hornes and Hooves, client: Telecom Monsters, period: hour, messages_max: 2000, client_connection: monsters}
flood_filters:
  - {company: Hornes and Hooves, client: Telecom Monsters, sender_id: Monsters, identical_max: 3, note: as agreed}
link_lists:
  - {company: Hornes and Hooves, client: Telecom Monsters, channel: sms, sender_id: Monsters, hosts: "example.com, müller.de"}
trusted_numbers:
  - {company: Hornes and Hooves, number: "+34 600 123 456"}
notice_emails:
  - {company: Hornes and Hooves, event: traffic, emails: "noc@example.com, noc@example.com"}
"""
WRONG = """
caps:
  - {client: Telecom Monsters, period: day, messages_max: 5}
"""
OTHERS = """
caps:
  - {client: Hornes and Hooves, period: day, messages_max: 5, client_connection: monsters}
"""
BOTH = """
caps:
  - {company: Hornes and Hooves, client: Telecom Monsters, period: day, messages_max: 5, api_key: demo,
     client_connection: monsters}
"""


def test_guard_rails_are_applied_once_changed_and_refused(spain: str, tmp_path: Path) -> None:
    from relais.records.apply import apply_file
    from relais.records.guards.models import Cap, FloodFilter, LinkList, NoticeAddresses, TrustedNumber

    def applied(text: str) -> Any:
        file = tmp_path / "guards.yaml"
        file.write_text(text, encoding="utf-8")
        return apply_file(file)

    assert str(applied(FILE)).splitlines() == [
        "caps: 3 created", "flood_filters: 1 created", "link_lists: 1 created", "trusted_numbers: 1 created",
        "notice_emails: 1 created",
    ]  # fmt: skip
    assert not applied(FILE).changed
    assert "flood_filters: 1 changed" in str(
        applied(FILE.replace("identical_max: 3", "identical_max: 4, doing: refuse"))
    )
    flood = FloodFilter.objects.get()
    assert (flood.identical_max, flood.doing, flood.client.name) == (4, "refuse", "Telecom Monsters")
    cap = Cap.objects.get(client__name="Hornes and Hooves")
    assert (cap.spend_max_micros, cap.currency, cap.country_id, cap.doing) == (500_000_000, "EUR", "ES", "refuse")
    assert LinkList.objects.get().hosts == "example.com\nmüller.de"
    assert TrustedNumber.objects.filter(number="34600123456").exists()
    assert NoticeAddresses.objects.get().emails == "noc@example.com"
    bound = Cap.objects.get(client_connection__login="monsters")
    assert (bound.messages_max, bound.api_key_id, bound.client.name) == (2000, None, "Telecom Monsters")
    for wrong, reason in (
        (WRONG, "is not served by this company"),
        (OTHERS, "belongs to another company"),
        (BOTH, "excludes an API key"),
    ):
        with pytest.raises(Invalid, match=reason):
            applied(wrong)
    assert Cap.objects.count() == 3
