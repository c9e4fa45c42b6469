"""What a command finds around it: its settings, and a database to work on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from relais.settings import Settings


def running_database(settings: Settings) -> Settings:
    """`settings` with the database that already runs; `EmbeddedFault` when none does.

    For processes that live long: a server they started would end with them.
    """
    from relais.database.embedded import running_dsn
    from relais.database.faults import EmbeddedFault

    if settings.database_url is not None:
        return settings
    if (dsn := running_dsn(settings.data_dir)) is None:
        raise EmbeddedFault(
            f"no database runs in {settings.data_dir}: start one with `relais up`, or set RELAIS_DATABASE_URL"
        )
    return replace(settings, database_url=dsn)


@contextmanager
def any_database(settings: Settings) -> Iterator[Settings]:
    """`settings` with a database for one command: the one named or running, else embedded, stopped again afterwards."""
    from relais.database.embedded import Embedded, running_dsn

    dsn = settings.database_url or running_dsn(settings.data_dir)
    if dsn is not None:
        yield replace(settings, database_url=dsn)
        return
    with Embedded(settings.data_dir, installed=settings.postgres_bin) as server:
        yield replace(settings, database_url=server.dsn)


def dsn_of(settings: Settings) -> str:
    """The database of settings that went through one of the functions above."""
    assert settings.database_url is not None
    return settings.database_url
