"""`relais up`: the whole product on one machine."""

import click


@click.command()
def up() -> None:
    """Run everything on this machine: database, gateway with the API, worker, pages. Ctrl-C stops it."""
    from relais.commands.ports import API, GATEWAY_OPS, SMPP, WEB, WEB_OPS, WORKER_OPS, address, require_free_ports
    from relais.logs import configure_logging
    from relais.settings import load
    from relais.supervisor import GATEWAY, PAGES, WORKER, Supervisor

    settings = load()
    require_free_ports(settings, WEB, API, SMPP, GATEWAY_OPS, WORKER_OPS, WEB_OPS)
    configure_logging("supervisor", settings.log_level, settings.log_format)
    with Supervisor(settings) as supervisor:
        if supervisor.command("migrate") != 0:
            raise click.ClickException("the database could not be migrated; the reason is above")
        supervisor.start(GATEWAY, WORKER, PAGES)
        if supervisor.wait_until_ready():
            web_host, web_port = address(settings, WEB)
            host, port = address(settings, API)
            click.echo(f"BackOffice: http://{web_host}:{web_port}/bo/\nAPI: http://{host}:{port}/api/v1/docs")
            click.echo(f"SMPP: {':'.join(map(str, address(settings, SMPP)))}")
            click.echo("Running. Ctrl-C stops everything.")
        supervisor.run()
