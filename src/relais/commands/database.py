"""`relais migrate`, `relais db url`, `relais verify`: the database itself."""

import sys

import click

MIGRATION_LOCK = 0x72656C616973  # "relais" in ASCII: key of the advisory lock; one migration at a time


@click.command()
@click.option("--without-dictionaries", is_flag=True, help="Leave countries, networks and prefixes as they are.")
def migrate(without_dictionaries: bool) -> None:
    """Bring the schema and the dictionaries up to date.

    May be repeated, and started on several nodes at once: the second waits for the first and finds nothing to do.
    """
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        import psycopg
        from django.core.management import call_command

        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        with psycopg.connect(dsn_of(settings), autocommit=True) as guard:
            guard.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            call_command("migrate", verbosity=0, interactive=False)
            click.echo("schema: up to date")
            if not without_dictionaries:
                from relais.records.catalog.actions.load_dictionaries import load_dictionaries

                click.echo(f"dictionaries: {load_dictionaries()}")


@click.group()
def db() -> None:
    """Look at the database the product uses."""


@db.command()
def url() -> None:
    """Print the database's URL, password included, for psql and the like."""
    from relais.commands.surroundings import dsn_of, running_database
    from relais.settings import load

    click.echo(dsn_of(running_database(load(with_key=False))))


@click.command()
def verify() -> None:
    """Check that balances, EDRs, ledger and queues agree, and that nobody altered the audit.

    Changes nothing; exit code 1 when it is not so. The newest seal of the audit, kept elsewhere, is proof against whoever
    could rewrite all of it.
    """
    import asyncio

    from relais.commands.surroundings import any_database, dsn_of
    from relais.pipeline import verify as verification
    from relais.settings import load

    with any_database(load(with_key=False)) as settings:
        found = asyncio.run(verification.verify(dsn_of(settings)))
    for name, count in found.totals.items():
        click.echo(f"{name.replace('_', ' ')}: {count}")
    if found.seal:
        click.echo(f"seal of the audit: {found.seal}")
    for finding in found.findings:
        click.echo(f"{'warning' if finding.warning else 'BROKEN'}: {finding.rule}")
        for example in finding.examples:
            click.echo(f"  {example}")
    if not found.holds:
        sys.exit(1)
    click.echo(f"{len(found.rules)} rules hold")
