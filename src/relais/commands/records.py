"""`relais apply FILE`, `relais user add`, `relais api-key callback-secret`: business records from the command line."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def apply(file: Path) -> None:
    """Make the records that FILE describes, all or none (docs/reference/scenario.md).

    Applying the same file again changes nothing.
    """
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        from relais.records.apply import apply_file
        from relais.records.errors import Invalid

        try:
            summary = apply_file(file)
        except Invalid as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(1)
    click.echo(summary)


@click.group()
def user() -> None:
    """People who may log in."""


@user.command()
@click.option("--company", required=True, help="Name of the company the user belongs to.")
@click.option("--login", required=True)
@click.option("--e-mail", required=True, help="Where messages for this user go.")
@click.option(
    "--role", "roles", multiple=True, default=("Admin",), show_default=True, help="May be given several times."
)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when not given.")
def add(company: str, login: str, e_mail: str, roles: tuple[str, ...], password: str) -> None:
    """Create a user of the BackOffice."""
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        from relais.records.audit import audited
        from relais.records.errors import Invalid
        from relais.records.people.actions.create_user import create_user

        try:
            with audited("Add User", user=None, ip_address=None):
                create_user(company=company, login=login, e_mail=e_mail, roles=roles, password=password)
        except Invalid as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(1)
    click.echo(f"user {login} of {company} created")


@click.group("api-key")
def api_key() -> None:
    """Keys of the customer API."""


@api_key.command("callback-secret")
@click.option("--company", required=True, help="Name of the company the key belongs to.")
@click.option("--name", required=True, help="Name of the key.")
def callback_secret(company: str, name: str) -> None:
    """Print the secret that a client checks the signatures of callbacks with."""
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        from relais.jobs.callbacks import callback_secret as secret_of
        from relais.records.people.models import ApiKey

        found = ApiKey.objects.filter(company__name__iexact=company, name__iexact=name, revoked_at=None).first()
        if found is None:
            click.echo(f"no API key {name!r} of a company {company!r} is in force", err=True)
            sys.exit(1)
        click.echo(secret_of(settings.secret_key, found.id))
