"""`relais gateway | worker | web | api`: one process of the product, alone.

Here the parts of a process are put together (edges on a pipeline, an ops port beside it), because those parts do not
import each other.
"""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from relais.pipeline.traffic import Traffic
    from relais.settings import Settings


@click.command()
def gateway() -> None:
    """Carry messages: the customer API, clients' SMPP sessions, the vendors' connections, charging."""
    from relais.commands.ports import API, GATEWAY_OPS, SMPP

    settings = _prepared("gateway", API, SMPP, GATEWAY_OPS)
    from relais.observability import OpsServer

    def edges(traffic: "Traffic") -> list[Any]:
        ops = OpsServer(settings.ops_host, settings.gateway_ops_port, lambda: {"pipeline": traffic.ready})
        return [ops, _customer_api(settings, traffic), _smpp_server(settings, traffic)]

    _serve_traffic(settings, edges)


@click.command()
def api() -> None:
    """Serve the customer API alone (many nodes; on one machine the gateway serves it)."""
    from relais.commands.ports import API

    settings = _prepared("api", API)
    _serve_traffic(settings, lambda traffic: [_customer_api(settings, traffic)], sends=False)


@click.command()
def worker() -> None:
    """Do what may wait: callbacks to clients, mails, log-in codes, periodic jobs."""
    from relais.commands.ports import WORKER_OPS
    from relais.commands.surroundings import dsn_of

    settings = _prepared("worker", WORKER_OPS)
    import uvloop

    from relais.records.django_settings import configure, mail_by

    configure(dsn_of(settings), settings.secret_key)  # before the jobs are imported: their models need it
    if settings.smtp_host:
        mail_by(
            settings.smtp_host,
            settings.smtp_port,
            settings.smtp_security,
            settings.smtp_sender,
            settings.smtp_login,
            settings.smtp_password,
        )
    from relais.jobs.main import serve
    from relais.observability import OpsServer

    uvloop.run(
        serve(
            dsn=dsn_of(settings),
            secret_key=settings.secret_key,
            callbacks_allow_private=settings.callbacks_allow_private,
            audit_kept_months=settings.audit_kept_months,
            lookups_kept_days=settings.lookups_kept_days,
            ops=lambda ready: OpsServer(settings.ops_host, settings.worker_ops_port, ready),
        )
    )


@click.command()
def web() -> None:
    """Serve the pages: the BackOffice."""
    import os

    from relais.commands.ports import WEB, WEB_OPS
    from relais.commands.surroundings import dsn_of
    from relais.settings import variable

    settings = _prepared("web", WEB, WEB_OPS)
    # The server starts a process of its own for the pages, which reads its settings as any process does.
    os.environ[variable("database_url")] = dsn_of(settings)
    os.environ[variable("secret_key")] = settings.secret_key
    from relais.backoffice.main import serve

    serve(settings)


def _prepared(process: str, *listeners: str) -> "Settings":
    """Settings with a running database, free ports, and the log set up: what every role needs first."""
    from relais.commands.ports import require_free_ports
    from relais.commands.surroundings import running_database
    from relais.logs import configure_logging
    from relais.settings import load

    settings = running_database(load())
    require_free_ports(settings, *listeners)
    configure_logging(process, settings.log_level, settings.log_format)
    return settings


def _customer_api(settings: "Settings", traffic: "Traffic") -> Any:
    from relais.api.app import create_app
    from relais.api.main import Server
    from relais.api.ports import ApiSettings

    return Server(create_app(traffic, ApiSettings(proxies=settings.api_proxies)), settings.api_host, settings.api_port)


def _smpp_server(settings: "Settings", traffic: "Traffic") -> Any:
    from relais.gateway.smpp.server import ClientServer

    tls = None
    if settings.smpp_tls_certificate is not None:
        from relais.transport.smpp import server_tls

        try:
            tls = server_tls(settings.smpp_tls_certificate, settings.smpp_tls_key)
        except OSError as error:  # ssl.SSLError is one
            raise click.ClickException(f"the certificate of the SMPP server cannot be used: {error}") from error
    return ClientServer(traffic, settings.smpp_host, settings.smpp_port, tls=tls, tls_port=settings.smpp_tls_port)


def _serve_traffic(settings: "Settings", edges: Any, *, sends: bool = True) -> None:
    import uvloop

    from relais.commands.surroundings import dsn_of
    from relais.gateway.main import serve
    from relais.secretbox import SecretBox

    uvloop.run(
        serve(
            dsn=dsn_of(settings),
            box=SecretBox(settings.secret_key),
            tick_s=settings.tick_ms / 1000,
            callbacks_allow_private=settings.callbacks_allow_private,
            connections_allow_private=settings.connections_allow_private,
            edges=edges,
            sends=sends,
        )
    )
