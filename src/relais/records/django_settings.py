"""Django's settings of the control plane, set explicitly by whoever starts a process.

`configure(dsn, secret_key)` is for jobs and commands, `configure_web(…)` for the process that serves pages. They are the
same settings but for what the second is told, so that one process (a test) may do both.
`DJANGO_SETTINGS_MODULE=relais.records.django_settings` works too (`manage`-style tools): then the environment is read.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# Pages, where this installation has them; named as text, because nothing of `records` imports what is above it.
_SITES = ("relais.pages", "relais.account", "relais.backoffice", "relais.portal")
_PAGES = [name for name in _SITES if find_spec(name) is not None]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
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
    "relais.records.access",
    "relais.records.guards",
    "relais.records.traffic",
    *_PAGES,
]
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["relais.records.people.backends.InterfaceBackend"]
PASSWORD_RESET_TIMEOUT = 3600  # seconds that a link to set a new password is good for
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # a login is unique within an interface, which the backend asks for
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("de", "Deutsch"), ("ru", "Русский")]

ROOT_URLCONF = "relais.backoffice.urls"
# By interface: a site has URLs of its own, whose names are the same on every site.
URLCONFS = {"backoffice": ROOT_URLCONF, "client_portal": "relais.portal.urls"}
LOGIN_URL = "/bo/login/"
STATIC_URL = "/static/"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "relais.records.people.middleware.SignedInPerson",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

SESSION_ENGINE = "relais.records.access.sessions"
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"  # until a mail server is named
MAIL_WITHIN_S = 20
CONNECTIONS_ALLOW_PRIVATE = False  # whether vendors may be at internal addresses (VSMPP-45)

IDLE_S = 60 * 60  # a session ends after so long without a request (PWD-10), until the policy in force says otherwise
SESSION_TOUCH_S = 60  # … and is written at most once in so long, which is why the cookie lives that much longer
SESSION_COOKIE_AGE = IDLE_S + SESSION_TOUCH_S
SESSION_COOKIE_NAME = "relais_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "relais_csrf"
CSRF_COOKIE_HTTPONLY = True  # pages carry the token themselves
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

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


def configure(dsn: str, secret_key: str, *, connections_allow_private: bool = False) -> None:
    """Set Django up for this process, once; a second call may only repeat the database of the first.
    `connections_allow_private`: vendors' connections to internal addresses are taken (VSMPP-45).

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
    settings.configure(**_shared(), SECRET_KEY=secret_key, DATABASES={"default": database})
    settings.CONNECTIONS_ALLOW_PRIVATE = connections_allow_private
    django.setup()


def mail_by(host: str, port: int, security: str, sender: str, login: str, password: str) -> None:
    """After `configure`: mails of this process go out by that server. Without it none does."""
    from django.conf import settings

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = login, password
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = security == "starttls", security == "tls"
    settings.EMAIL_TIMEOUT, settings.DEFAULT_FROM_EMAIL = MAIL_WITHIN_S, sender


def configure_web(
    dsn: str,
    secret_key: str,
    *,
    allowed_hosts: Sequence[str],
    secure_cookies: bool,
    debug: bool = False,
    trusted_origins: Sequence[str] = (),
    https_header: tuple[str, str] | None = None,
    middleware: Sequence[str] = (),
    **further: Any,
) -> None:
    """As `configure`, for the process that serves pages; may follow it in one process, before the first request.

    Connections to the database stay open, and are tried before each request. `secure_cookies` keeps cookies to HTTPS.
    `trusted_origins` are those forms may be sent from besides the own host (`https://host`). `https_header` is what a
    trusted proxy, and nobody else, sets on requests that came by HTTPS: its name as in `META`, and the value.
    `middleware` comes directly after the one for security. `further` are settings of Django that win over ours.
    """
    configure(dsn, secret_key)
    from django.conf import settings
    from django.db import connections

    web = {
        "DEBUG": debug,
        "ALLOWED_HOSTS": list(allowed_hosts),
        "CSRF_TRUSTED_ORIGINS": list(trusted_origins),
        "SECURE_PROXY_SSL_HEADER": https_header,
        "SESSION_COOKIE_SECURE": secure_cookies,
        "CSRF_COOKIE_SECURE": secure_cookies,
        "MIDDLEWARE": [MIDDLEWARE[0], *middleware, *MIDDLEWARE[1:]],
    }
    for name, value in (web | further).items():
        setattr(settings, name, value)
    for alias in connections:
        connections[alias].settings_dict.update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
        settings.DATABASES[alias].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)


def _shared() -> dict[str, Any]:
    """The settings of this module: its names in capitals, as a settings module has them."""
    return {name: value for name, value in globals().items() if name.isupper() and name not in _OF_THE_PROCESS}


CALLBACKS_ALLOW_PRIVATE = False  # whether servers at private addresses may be asked; as the setting of that name says

_OF_THE_PROCESS = {"SECRET_KEY", "DATABASES"}


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
