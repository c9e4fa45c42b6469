"""Make or change an SMPP connection to a vendor."""

from collections.abc import Mapping

from django.db import transaction

from relais.contracts.registry import vendors
from relais.records.connections.models import VendorSmppConnection
from relais.records.errors import Invalid
from relais.records.saving import save
from relais.records.secrets import seal

METHODS = ("unsent", "undelivered")  # VSMPP-33


@transaction.atomic
def save_vendor_smpp_connection(connection: VendorSmppConnection, password: str) -> VendorSmppConnection:
    """`password` is what the connection has from now on. `Invalid` for settings the adapter could not use, and for a
    statuses map with a code twice (VSMPP-43)."""
    _require_usable_settings(connection, password)
    _require_sound_map(connection.statuses_map)
    connection.password_encrypted = seal(password)
    save(connection)
    return connection


def _require_usable_settings(connection: VendorSmppConnection, password: str) -> None:
    options = {name: value for name, value in connection.options.items() if name != "receipt_parts"}
    settings = vendors()["smpp"].settings
    try:
        settings(
            host_name=connection.host_name,
            port=connection.port,
            system_id=connection.system_id,
            password=password,
            system_type=connection.system_type,
            use_tls=connection.use_tls,
            use_tlv=connection.use_tlv,
            **options,
        )
    except TypeError as error:
        raise Invalid.of("options", str(error).partition("__init__() ")[2] or str(error)) from error
    except ValueError as error:
        raise Invalid.of("", str(error)) from error


def _require_sound_map(statuses_map: object) -> None:
    """{status: [{"codes": [text, ...], "method": METHODS}, ...]}; a line without codes is for every other code."""
    if not isinstance(statuses_map, Mapping):
        raise Invalid.of("statuses_map", "is a list of lines for each status")
    for status, lines in statuses_map.items():
        met: set[str] = set()
        for line in lines if isinstance(lines, list) else [None]:
            sound = isinstance(line, Mapping) and set(line) <= {"codes", "method"} and line.get("method") in METHODS
            codes = line.get("codes", []) if sound else None
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                raise Invalid.of(
                    "statuses_map", f"{status}: a line has codes (texts) and a method, unsent or undelivered"
                )
            for code in codes or [""]:
                if code in met:
                    raise Invalid.of("statuses_map", f"{status}: {code or 'a line without codes'} is there twice")
                met.add(code)
