"""Make or change an SMPP connection to a vendor."""

import socket
from collections.abc import Collection, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction

from relais.contracts.registry import SMPP, vendors
from relais.records.connections.models import VendorSmppConnection
from relais.records.errors import WHOLE, Invalid, Reason
from relais.records.parties.models import Company
from relais.records.parties.tree import level_and_above
from relais.records.saving import prepare, require_fixed, save
from relais.records.secrets import seal
from relais.records.senders.models import SenderId
from relais.transport.http import is_public

METHODS = ("unsent", "undelivered")  # VSMPP-33
PORT_MAX = 65_535
OF_THE_PIPELINE = ("receipt_parts", "resends", "move_after_s")  # options that are not the adapter's
SENDER_LETTERS_MAX, SENDER_DIGITS_MAX = 11, 15
_KEPT = "kept"  # stands for the stored password, whose form was checked when it was given


@transaction.atomic
def save_vendor_smpp_connection(
    connection: VendorSmppConnection,
    password: str | None,
    *,
    companies: Collection[Company] | None = None,
    limits: bool | None = None,
    unchanged_since: datetime | None = None,
) -> VendorSmppConnection:
    """`password` is what the connection has from now on; None keeps the stored one (HTTPC-50). `companies`: whose sender IDs
    may use it, empty = all (VSMPP-12). `limits`: the form's checkbox; off, both limits go, on, one is needed (VSMPP-40).
    None leaves what is.

    `Invalid` for settings the adapter could not use, for a host at an internal address (VSMPP-45), for a statuses map with a
    status or code twice (VSMPP-43), for companies that are not the owner or below it, and when a sender ID in use would lose
    the connection.
    """
    former = prepare(connection, unchanged_since)
    if former is not None:
        require_fixed(connection, former, ("company",), "cannot be changed: a connection stays with its owner")
    if limits is False:
        connection.rps_limit = connection.window_limit = None
    elif limits and connection.rps_limit is None and connection.window_limit is None:
        raise Invalid.of("rps_limit", "give an RPS limit or a window limit, or untick Limits")
    if password is None and former is None:
        raise Invalid.of("password", "is required")
    _require_usable_settings(connection, _KEPT if password is None else password)
    if former is None or former.host_name != connection.host_name:
        _require_public_host(connection)
    _require_sound_map(connection.statuses_map)
    _require_usual_sender(connection.fallback_sender)
    if password is not None:
        connection.password_encrypted = seal(password)
    save(connection)
    if companies is not None:
        _reserve_for(connection, companies)
    return connection


def _reserve_for(connection: VendorSmppConnection, companies: Collection[Company]) -> None:
    if strangers := [company for company in companies if connection.company_id not in level_and_above(company)]:
        raise Invalid.of(
            "companies", "%(company)s is neither the owner of the connection nor below it", company=strangers[0].name
        )
    using = SenderId.objects.filter(smpp_connection=connection) | SenderId.objects.filter(
        second_smpp_connection=connection
    )
    losing = using.exclude(company__in=companies)
    if companies and (sender := losing.select_related("company").order_by("pk").first()):
        raise Invalid.of(
            "companies",
            "%(company)s uses it for %(sender)s: add it, or change that sender ID",
            company=sender.company.name,
            sender=str(sender),
        )
    connection.companies.set(companies)


def _require_public_host(connection: VendorSmppConnection) -> None:
    """As far as it can be known now: the adapter looks again whenever it connects. A name that nobody knows is no fault."""
    if settings.CONNECTIONS_ALLOW_PRIVATE or connection.options.get("vendor", SMPP) != SMPP:
        return
    try:
        found = socket.getaddrinfo(connection.host_name, connection.port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return
    if not any(is_public(str(place[4][0])) for place in found):
        raise Invalid.of(
            "host_name",
            "leads to an internal address: the operator of this installation has not allowed that",
        )


def _require_usable_settings(connection: VendorSmppConnection, password: str) -> None:
    if not connection.host_name:
        raise Invalid.of("host_name", "is required")
    if connection.port is None or not 1 <= connection.port <= PORT_MAX:
        raise Invalid.of("port", "must be a whole number from 1 to %(most)s", most=PORT_MAX)
    move_after_s = connection.options.get("move_after_s", 0)
    if move_after_s is not None and (isinstance(move_after_s, bool) or not isinstance(move_after_s, int | float)):
        raise Invalid.of("options", "move_after_s is a number of seconds, or null")
    options = {name: value for name, value in connection.options.items() if name not in OF_THE_PIPELINE}
    kind = options.pop("vendor", SMPP)
    if kind not in vendors():
        raise Invalid.of("options", "vendor is one of %(vendors)s", vendors=", ".join(sorted(vendors())))
    if kind == SMPP:
        columns = ("host_name", "port", "system_id", "system_type", "use_tls", "use_tlv")
        options |= {name: getattr(connection, name) for name in columns} | {"password": password}
    try:
        vendors()[kind].settings(**options)
    except TypeError as error:
        raise Invalid.of("options", str(error).partition("__init__() ")[2] or str(error)) from error
    except ValueError as error:
        named = str(error).partition(" ")[0]
        raise Invalid.of(named if hasattr(connection, named) or named == "password" else WHOLE, str(error)) from error


def _require_usual_sender(text: str) -> None:
    """A name of up to 11 characters or a number of up to 15 digits, as networks take them (SP-28); "" is none."""
    digits = text.removeprefix("+")
    if digits.isascii() and digits.isdigit():
        if len(digits) > SENDER_DIGITS_MAX:
            raise Invalid.of("fallback_sender", "a number has up to %(most)s digits", most=SENDER_DIGITS_MAX)
    elif len(text) > SENDER_LETTERS_MAX or not text.isascii():
        raise Invalid.of("fallback_sender", "a name has up to %(most)s letters and digits", most=SENDER_LETTERS_MAX)


def _require_sound_map(statuses_map: object) -> None:
    """{status: [{"codes": [text, ...], "method": METHODS}, ...]}; a line without codes is for every other code."""
    if not isinstance(statuses_map, Mapping):
        raise Invalid.of("statuses_map", "is a list of lines for each status")
    names: set[str] = set()
    for status, lines in statuses_map.items():
        name = status.strip().upper() if isinstance(status, str) else ""
        if not name or name in names:
            if not name:
                raise Invalid.of("statuses_map", "a status needs its name")
            raise Invalid.of("statuses_map", "%(status)s: is there twice", status=status)
        names.add(name)
        met: set[str] = set()
        for line in lines if isinstance(lines, list) else [None]:
            sound = isinstance(line, Mapping) and set(line) <= {"codes", "method"} and line.get("method") in METHODS
            codes = line.get("codes", []) if sound else None
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                raise Invalid.of(
                    "statuses_map",
                    "%(status)s: a line has codes (texts) and a method, unsent or undelivered",
                    status=status,
                )
            for code in codes or [""]:
                if code in met:
                    raise Invalid.of(
                        "statuses_map",
                        "%(status)s: %(code)s is there twice",
                        status=status,
                        code=code or Reason("a line without codes"),
                    )
                met.add(code)
