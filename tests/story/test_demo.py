"""The demo is the first acceptance test: the whole product, through its doors."""

import pytest
from tests.story.conftest import House


@pytest.mark.timeout(300)
def test_the_demo_shows_what_it_promises_twice_over(house: House) -> None:
    first = house.relais("demo", "--exit", within_s=180)
    assert first.returncode == 0, first.stdout + first.stderr
    for words in (
        "Vodafone", "DIGI mobil", "delivered", "undelivered", "refused: destination_blocked", "refused: sender_unknown",
        "ucs2", "TM-1", "HH-1", "Balances, EDRs and ledger agree",
    ):  # fmt: skip
        assert words in first.stdout, words
    second = house.relais("demo", "--exit", within_s=180)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "99." in second.stdout, "it starts from the balance that the first run left"
