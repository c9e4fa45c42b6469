"""`relais apply FILE`, `relais user add | unblock`, `relais api-key callback-secret`: business records from the command line."""

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

        configure(
            dsn_of(settings),
            settings.secret_key,
            connections_allow_private=settings.connections_allow_private,
        )
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
@click.option("--own-password", is_flag=True, help="The person has chosen the password: it need not be changed first.")
def add(company: str, login: str, e_mail: str, roles: tuple[str, ...], password: str, own_password: bool) -> None:
    """Create a user of the BackOffice, who changes the password at the first log-in."""
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
                create_user(
                    company=company,
                    login=login,
                    e_mail=e_mail,
                    roles=roles,
                    password=password,
                    must_change_password=not own_password,
                )
        except Invalid as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(1)
    click.echo(f"user {login} of {company} created")


@user.command()
@click.option("--login", required=True)
@click.option(
    "--interface", default="backoffice", type=click.Choice(["backoffice", "client_portal"]), show_default=True
)
def unblock(login: str, interface: str) -> None:
    """Let a user in again who was blocked for being away too long."""
    from relais.commands.surroundings import any_database, dsn_of
    from relais.settings import load

    with any_database(load()) as settings:
        from relais.records.django_settings import configure

        configure(dsn_of(settings), settings.secret_key)
        from django.utils import timezone

        from relais.records.access.actions.block_unused_users import unblock_user
        from relais.records.errors import Invalid
        from relais.records.people.models import User

        found = User.objects.filter(interface=interface, login__iexact=login).first()
        try:
            if found is None:
                raise Invalid.of("login", f"no user of the {interface} has the login {login!r}")
            unblock_user(found.pk, None, timezone.now())
        except Invalid as refusal:
            click.echo(str(refusal), err=True)
            sys.exit(1)
    click.echo(f"user {found.login} may log in again")


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
        from django.utils import timezone

        from relais.records.people.models import ApiKey
        from relais.records.traffic.webhooks import webhook_secrets

        found = ApiKey.objects.filter(company__name__iexact=company, name__iexact=name, revoked_at=None).first()
        if found is None:
            click.echo(f"no API key {name!r} of a company {company!r} is in force", err=True)
            sys.exit(1)
        click.echo(webhook_secrets(found, timezone.now())[0])
