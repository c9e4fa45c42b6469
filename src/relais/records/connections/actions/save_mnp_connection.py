"""Make or change a connection to a server that knows who serves a number (CO-69)."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from relais.records.catalog.models import Country
from relais.records.connections.models import DEFAULT_MNP, MNP_LIFETIME_MAX_S, MnpConnection, MnpProvider
from relais.records.errors import Invalid, Reason
from relais.records.saving import prepare, save
from relais.records.secrets import seal
from relais.transport.number_lookup import NAME_SERVERS_MAX, NUMBER, places_of

_SUFFIX = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_PATH = re.compile(r"[^.\s]+(\.[^.\s]+)*")


@transaction.atomic
def save_mnp_connection(
    connection: MnpConnection,
    password: str | None,
    *,
    unchanged_since: datetime | None = None,
) -> MnpConnection:
    """`password` is what the connection has from now on, "" none; None keeps the stored one.

    `Invalid` for what nobody could be asked by, for lifetimes of countries that are none, and when DEFAULT is renamed. Switched
    off, nobody is asked: of companies that use it the number range counts.
    """
    former = prepare(connection, unchanged_since)
    if former is not None and former.name == DEFAULT_MNP and connection.name != DEFAULT_MNP:
        raise Invalid.of("name", "DEFAULT always exists, under this name")
    if former is None and connection.name.upper() == DEFAULT_MNP:
        raise Invalid.of("name", "is taken: choose another")
    if connection.enabled or connection.address:
        _require_usable(connection)
    connection.lifetimes = _checked(connection.lifetimes)
    if password is not None:
        if not password.isascii() or not (password.isprintable() or not password):
            raise Invalid.of("password", "takes printable ASCII characters only")
        connection.password_encrypted = seal(password) if password else ""
    save(connection)
    return connection


def _require_usable(connection: MnpConnection) -> None:
    """That somebody could be asked with these settings."""
    if not connection.address:
        raise Invalid.of("address", "is required: where is the server?")
    if connection.kind == MnpProvider.ENUM:
        connection.address = ",".join(part.strip() for part in connection.address.split(","))
    if not connection.address.isascii() or not connection.address.isprintable() or " " in connection.address:
        raise Invalid.of("address", "takes printable ASCII characters without blanks")
    if connection.kind == MnpProvider.ENUM:
        _require_name_server(connection)
        return
    try:
        parts = urlsplit(connection.address)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound:
        raise Invalid.of("address", "must be an http or https URL")
    if NUMBER not in connection.address.partition(parts.netloc)[2]:
        raise Invalid.of("address", "must hold %(place)s where the number goes", place=NUMBER)
    if not _PATH.fullmatch(connection.mcc_path):
        raise Invalid.of("mcc_path", "says where in the answer the MCC stands, such as data.mcc")
    if connection.mnc_path and not _PATH.fullmatch(connection.mnc_path):
        raise Invalid.of("mnc_path", "says where in the answer the MNC stands, such as data.mnc")


def _require_name_server(connection: MnpConnection) -> None:
    if connection.address.count(",") >= NAME_SERVERS_MAX:
        raise Invalid.of("address", "takes at most %(most)s name servers", most=NAME_SERVERS_MAX)
    try:
        places_of(connection.address)
    except ValueError as error:
        raise Invalid.of("address", "must be a host name or an address, with a port if it is not 53") from error
    if not _SUFFIX.fullmatch(connection.enum_suffix):
        raise Invalid.of("enum_suffix", "must be a domain name, such as e164.arpa")


def _checked(lifetimes: object) -> dict[str, int]:
    """Country → seconds."""
    if not isinstance(lifetimes, dict):
        raise Invalid.of("lifetimes", "is a list of countries with seconds")
    known = set(Country.objects.filter(pk__in=list(lifetimes)).values_list("pk", flat=True))
    for country, seconds in lifetimes.items():
        if country not in known:
            raise Invalid.of("lifetimes", "%(country)s is no country of the dictionary", country=str(country))
        if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= MNP_LIFETIME_MAX_S:
            told = Reason("%(country)s: must be from 0 to %(most)s seconds", country=country, most=MNP_LIFETIME_MAX_S)
            raise Invalid({"lifetimes": (told,)})
    return dict(sorted(lifetimes.items()))
