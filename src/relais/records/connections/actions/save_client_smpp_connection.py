"""Make or change what a client binds to our SMPP server with."""

from datetime import datetime

from django.db import transaction

from relais.records.connections.models import ClientSmppConnection
from relais.records.errors import Invalid
from relais.records.networks import ip_networks
from relais.records.saving import prepare, require_fixed, save
from relais.records.secrets import seal

PASSWORD_CHARACTERS_MAX = 8  # SMPP 3.4 §5.2.2; more only when that is wanted (CSMPP-18)
LONG_PASSWORD_CHARACTERS_MAX = 64


@transaction.atomic
def save_client_smpp_connection(
    connection: ClientSmppConnection,
    password: str | None,
    *,
    long_password: bool = False,
    unchanged_since: datetime | None = None,
) -> ClientSmppConnection:
    """`password` is what the client binds with from now on, None keeps the stored one; `long_password`: it may be longer than
    SMPP allows. Sessions that were bound with another one are ended within a second.

    `Invalid` for what no bind can carry, and for a network that is none.
    """
    former = prepare(connection, unchanged_since)
    if former is not None:
        require_fixed(connection, former, ("company",), "cannot be changed: its messages are the company's")
    elif not password:
        raise Invalid.of("password", "is required")
    if not connection.login.isascii() or not connection.login.isprintable() or " " in connection.login:
        raise Invalid.of("login", "takes up to 15 ASCII characters without blanks")
    connection.network = ip_networks(connection.network, "network")
    if password is not None:
        _require_password(password, LONG_PASSWORD_CHARACTERS_MAX if long_password else PASSWORD_CHARACTERS_MAX)
        connection.password_encrypted = seal(password)
    save(connection)
    return connection


def _require_password(password: str, characters_max: int) -> None:
    if not password or len(password) > characters_max:
        raise Invalid.of("password", "takes 1 to %(most)s characters", most=characters_max)
    if not password.isascii() or not password.isprintable():
        raise Invalid.of("password", "takes printable ASCII characters only")
