"""Packs, a bundle and a Back-to-First scale out of `scenarios/packs.yaml`, through the customer API and a simulated carrier."""

from pathlib import Path

import psycopg
from tests.conftest import PROJECT, SECRET_KEY, new_database
from tests.story.conftest import House, new_house, stop

VODAFONE, ITALY = "34600123456", "393471234567"


def deliver(house: House, to: str, text: str = "Hello") -> str:
    """The price that the client is answered with, once the message has reached its recipient."""
    status, told = house.post({"from": "Monsters", "to": to, "text": text})
    assert status == 202, told
    house.until(lambda: house.get(f"/api/v1/messages/{told['id']}")["status"] == "delivered")
    return str(house.get(f"/api/v1/messages/{told['id']}")["price"]["amount"])


def balance(house: House) -> str:
    (agreement,) = house.get("/api/v1/balance")["balances"]
    return str(agreement["balance"])


def test_SV_209_SV_243_SV_255_packs_go_first_people_are_counted_and_a_period_is_corrected(
    server_dsn: str, spain_template: str
) -> None:
    """WC-15: a client sends with its sender ID, and asks for its credit and for what became of a message. Also
    ES-13, ES-80, SV-213, SV-269: 100.00 less 10.00 and 20.00 for the packs, and then message by message."""
    with new_database(server_dsn, spain_template) as dsn, new_house() as house:
        house.environment |= {"RELAIS_DATABASE_URL": dsn, "RELAIS_SECRET_KEY": SECRET_KEY}
        spain = Path(house.folder / "spain.yaml")
        text = (PROJECT / "scenarios" / "spain.yaml").read_text(encoding="utf-8")
        spain.write_text(text.replace("port: 2776", f"port: {house.simulator_port}"), encoding="utf-8")
        for scenario in (spain, PROJECT / "scenarios" / "packs.yaml"):
            applied = house.relais("apply", str(scenario))
            assert applied.returncode == 0, applied.stderr
        processes = [house.start("simulate", "smsc"), house.start("gateway")]
        try:
            house.until(house.bound)
            assert balance(house) == "70.000000"
            assert [deliver(house, VODAFONE) for _ in range(3)] == ["0.000000"] * 3  # the pack
            assert deliver(house, VODAFONE) == "0.040000"
            assert deliver(house, "34600123457") == "0.040000"  # the second person of the bundle
            assert deliver(house, "34600123458") == "0.240000"  # the third, beyond its size
            assert balance(house) == "69.680000"
            assert [deliver(house, ITALY) for _ in range(4)] == ["0.050000"] * 3 + ["0.040000"]
            assert balance(house) == "69.520000"  # four at 0.04
            with psycopg.connect(dsn) as database:
                paid = database.execute(
                    "SELECT s.type, p.used FROM traffic_pack AS p JOIN catalog_enabledservice AS e ON e.id = p.pack_id"
                    " JOIN catalog_service AS s ON s.id = e.service_id ORDER BY 1"
                ).fetchall()
            assert paid == [("bundle_pack", 3), ("monetary_pack", 90_000), ("unit_pack", 3)]
            verified = house.relais("verify")
            assert verified.returncode == 0, verified.stdout
        finally:
            for process in processes:
                stop(process)
