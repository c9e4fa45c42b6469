"""The command line, `relais COMMAND`. Says what exists; each command lives in `relais/commands/`, read when asked.

Exit codes: 0 done; 1 it failed, or what was checked does not hold; 2 used or set up wrongly (nothing was done).
Errors a person can mend are one message on stderr; anything else is a defect and shows its trace.
"""

import importlib
import sys
from collections.abc import Sequence

import click

FAILED, MISUSED = 1, 2
COMMANDS = {
    "up": "relais.commands.up:up",
    "gateway": "relais.commands.roles:gateway",
    "worker": "relais.commands.roles:worker",
    "web": "relais.commands.roles:web",
    "api": "relais.commands.roles:api",
    "simulate": "relais.commands.simulate:simulate",
    "migrate": "relais.commands.database:migrate",
    "db": "relais.commands.database:db",
    "verify": "relais.commands.database:verify",
    "apply": "relais.commands.records:apply",
    "import-rates": "relais.commands.import_rates:import_rates",
    "user": "relais.commands.records:user",
    "api-key": "relais.commands.records:api_key",
    "demo": "relais.commands.demo:demo",
}


class Named(click.Group):
    """A group whose commands are imported by name: `relais gateway` does not wait for what `relais apply` needs."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Named, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="relais")
def relais() -> None:
    """Business messaging that can be resold.

    Settings are environment variables (RELAIS_…): docs/reference/settings.md. Without any, the database is an embedded
    PostgreSQL in .relais and everything listens on 127.0.0.1.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and ends the process with one of the exit codes above."""
    from relais.commands.ports import PortTaken
    from relais.database.faults import EmbeddedFault
    from relais.settings import SettingsError

    try:
        relais.main(arguments, prog_name="relais")
    except (SettingsError, PortTaken) as error:
        click.echo(f"relais: {error}", err=True)
        sys.exit(MISUSED)
    except EmbeddedFault as error:
        click.echo(f"relais: {error}", err=True)
        sys.exit(FAILED)
