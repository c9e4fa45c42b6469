"""Django's settings of the control plane, set explicitly by whoever starts a process: `configure(dsn, secret_key)`.

`DJANGO_SETTINGS_MODULE=relais.records.django_settings` works too (`manage`-style tools): then the environment is read.
"""

import os
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

INSTALLED_APPS = [
    "django.contrib.postgres",
    "procrastinate.contrib.django",  # its schema comes as migrations
    "relais.records.configuration",
    "relais.records.parties",
    "relais.records.agreements",
    "relais.records.catalog",
    "relais.records.connections",
    "relais.records.senders",
    "relais.records.billing",
    "relais.records.people",
    "relais.records.traffic",
]
AUTH_USER_MODEL = "people.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
APPLICATION_NAME = "relais"  # what the audit calls whoever writes without saying who


def database_of(dsn: str) -> dict[str, Any]:
    """Django's DATABASES entry for a `postgresql://user:password@host:port/name?option=value` URL.

    A unix socket is written as `?host=/folder` or as a percent-encoded host. ValueError for any other scheme.
    """
    url = urlsplit(dsn)
    if url.scheme not in {"postgresql", "postgres"}:
        raise ValueError("a database URL starts with postgresql://")
    options = {name: values[-1] for name, values in parse_qs(url.query).items()}
    options.setdefault("application_name", APPLICATION_NAME)
    host = options.pop("host", None) or unquote(_host(url.netloc))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.removeprefix("/")) or options.pop("dbname", ""),
        "USER": unquote(url.username or "") or options.pop("user", ""),
        "PASSWORD": unquote(url.password or "") or options.pop("password", ""),
        "HOST": host,
        "PORT": options.pop("port", None) or str(url.port or ""),
        "OPTIONS": options,
    }


def configure(dsn: str, secret_key: str) -> None:
    """Set Django up for this process, once; a second call may only repeat the database of the first.

    RuntimeError when Django is already set up for another database.
    """
    import django
    from django.conf import settings

    database = database_of(dsn)
    if settings.configured:
        known = settings.DATABASES["default"]
        if any(known.get(key) != value for key, value in database.items()):
            raise RuntimeError("Django is already set up for another database in this process")
        return
    settings.configure(
        INSTALLED_APPS=INSTALLED_APPS,
        AUTH_USER_MODEL=AUTH_USER_MODEL,
        DEFAULT_AUTO_FIELD=DEFAULT_AUTO_FIELD,
        USE_TZ=USE_TZ,
        TIME_ZONE=TIME_ZONE,
        SECRET_KEY=secret_key,
        DATABASES={"default": database},
    )
    django.setup()


def _host(netloc: str) -> str:
    """The host part as written: urlsplit lower-cases `hostname`, which would spoil a socket folder."""
    address = netloc.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0]


# For tools that take a settings module; processes of ours call `configure`.
if "RELAIS_DATABASE_URL" in os.environ and "RELAIS_SECRET_KEY" in os.environ:
    SECRET_KEY = os.environ["RELAIS_SECRET_KEY"]
    DATABASES = {"default": database_of(os.environ["RELAIS_DATABASE_URL"])}
