"""`relais simulate smsc | client`: the parts of outside parties, for trials and tests. Needs no database."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from relais.settings import Settings
    from relais.simulators.client import ClientSettings
    from relais.simulators.smsc_script import Script

MISUSED = 2


@click.group()
def simulate() -> None:
    """Play the part of an outside party, for trials and tests."""


@simulate.command()
@click.option("--script", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="What it does, in YAML.")
def smsc(script: Path | None) -> None:
    """Run an SMSC that takes messages over SMPP and answers with receipts.

    What a script may say: docs/howto/try-a-connection.md.
    """
    from relais.commands.ports import SIMULATOR, SIMULATOR_OPS, require_free_ports
    from relais.logs import configure_logging
    from relais.settings import load
    from relais.simulators.smsc_script import ScriptFault, read_script

    settings = load(with_key=False)
    try:
        told = read_script(script.read_text(encoding="utf-8")) if script else None
    except (ScriptFault, UnicodeDecodeError) as fault:
        click.echo(f"{script}: {fault}", err=True)
        sys.exit(MISUSED)
    require_free_ports(settings, SIMULATOR, SIMULATOR_OPS)
    configure_logging("smsc", settings.log_level, settings.log_format)
    import uvloop

    uvloop.run(_run_smsc(settings, told))


@simulate.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The SMPP server.")
@click.option("--port", default=2775, show_default=True, type=click.IntRange(1, 65535))
@click.option("--system-id", required=True, help="The login.")
@click.option("--password", prompt=True, hide_input=True, help="Asked for when left out.")
@click.option("--system-type", default="", help="Where the server wants one.")
@click.option("--tls/--no-tls", default=False, help="TLS 1.2 or 1.3.")
@click.option(
    "--tls-ca", type=click.Path(exists=True, dir_okay=False), help="PEM of the server's authority, if private."
)
@click.option("--from", "source", required=True, help="The sender.")
@click.option("--to", "to", required=True, multiple=True, help='A number; "#" counts up. Several are taken in turn.')
@click.option("--text", default="Trial #", show_default=True, help='"#" is the number of the message.')
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, 1_000_000), help="Messages.")
@click.option(
    "--rate", default=10.0, show_default=True, type=click.FloatRange(0), help="A second; 0 = what the window lets."
)
@click.option("--window", default=10, show_default=True, type=click.IntRange(1, 10_000), help="Unanswered at a time.")
@click.option(
    "--wait", "wait_s", default=30.0, show_default=True, type=click.FloatRange(0), help="Seconds for receipts."
)
def client(
    host: str, port: int, system_id: str, password: str, system_type: str, tls: bool, tls_ca: str | None, source: str,
    to: tuple[str, ...], text: str, count: int, rate: float, window: int, wait_s: float,
) -> None:  # fmt: skip
    """Bind to an SMPP server, hand in messages, wait for their receipts, and say what came of it.

    Exit code 0 when all of them were accepted and reported, 1 when not, or when it could not bind.
    """
    import ssl

    from relais.core.segments import NotEncodable, TooManyParts, encode
    from relais.simulators.client import ClientSettings

    try:
        encode(text)
        context = ssl.create_default_context(cafile=tls_ca) if tls else None
    except (NotEncodable, TooManyParts) as fault:
        raise click.BadParameter(str(fault) or "is too long", param_hint="--text") from fault
    except OSError as fault:
        raise click.BadParameter(str(fault), param_hint="--tls-ca") from fault
    settings = ClientSettings(
        host=host, port=port, system_id=system_id, password=password, system_type=system_type, tls=context, source=source,
        to=to, text=text, count=count, rps=rate or None, window=window, receipts_within_s=wait_s,
    )  # fmt: skip
    sys.exit(_run_client(settings))


def _run_client(settings: "ClientSettings") -> int:
    import uvloop

    from relais.simulators.client import NotBound, Trial, table

    async def run() -> Trial:
        trial = Trial(settings)
        await trial.run()
        return trial

    try:
        trial = uvloop.run(run())
    except NotBound as refusal:
        click.echo(f"not bound: {refusal}", err=True)
        return 1
    except OSError as fault:
        click.echo(f"no connection to {settings.host}:{settings.port}: {fault}", err=True)
        return 1
    click.echo(table(trial))
    return 0 if trial.sound else 1


async def _run_smsc(settings: "Settings", script: "Script | None") -> None:
    """Until SIGINT or SIGTERM."""
    import asyncio
    import signal

    from relais.observability import OpsServer
    from relais.simulators.smsc import Smsc, SmscSettings

    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    smsc = Smsc(SmscSettings(host=settings.simulator_host, port=settings.simulator_port), script)
    ops = OpsServer(settings.ops_host, settings.simulator_ops_port, lambda: {"listening": True}, smsc.registry())
    await smsc.start()
    try:
        await ops.start()
        await stopped.wait()
    finally:
        await ops.stop()
        await smsc.stop()
