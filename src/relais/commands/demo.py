"""`relais demo`: the product with the Spain scenario and real messages; `relais demo reset` forgets its database."""

import os
import sys

import click


@click.group(invoke_without_command=True)
@click.option("--exit", "ends_by_itself", is_flag=True, help="Stop when the messages are done; 1 if any went wrong.")
@click.pass_context
def demo(context: click.Context, ends_by_itself: bool) -> None:
    """Run the product with example clients and send messages through it."""
    if context.invoked_subcommand is not None:
        return
    from relais.commands.ports import (
        API,
        GATEWAY_OPS,
        SIMULATOR,
        SIMULATOR_OPS,
        SMPP,
        WEB,
        WEB_OPS,
        WORKER_OPS,
        require_free_ports,
    )
    from relais.logs import configure_logging
    from relais.settings import load

    os.environ.setdefault("RELAIS_CONNECTIONS_ALLOW_PRIVATE", "yes")  # its vendor is the simulator
    os.environ.setdefault("RELAIS_LOG_LEVEL", "warning")  # the messages are the point, also to the children
    settings = load()
    require_free_ports(settings, WEB, API, SMPP, GATEWAY_OPS, WORKER_OPS, WEB_OPS, SIMULATOR, SIMULATOR_OPS)
    configure_logging("demo", settings.log_level, settings.log_format)
    from relais.demo import run

    sys.exit(run(settings, ends_by_itself=ends_by_itself))


@demo.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Delete the embedded database, with everything in it."""
    from relais.database.embedded import forget
    from relais.settings import SettingsError, load

    settings = load(with_key=False)
    if settings.database_url is not None:
        raise SettingsError("RELAIS_DATABASE_URL names a server of your own: only the embedded database is reset")
    if not yes:
        click.confirm(f"Delete the database in {settings.data_dir}?", abort=True)
    forget(settings.data_dir)
    click.echo(f"{settings.data_dir} is forgotten")
