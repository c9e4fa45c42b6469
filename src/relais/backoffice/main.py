"""The process that serves the pages: granian in front, Django behind it, static files by the product itself.

Granian runs the application in a process of its own, which reads its settings from the environment like any other. That
process also has the ops port, so that metrics and readiness are those of the pages.
"""

import asyncio
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any

import psycopg
from granian import Granian
from granian.constants import Interfaces
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from relais.collector import calm_collector
from relais.settings import Settings, load

KIT = Path(__file__).parent.parent / "pages"
STATIC_KEPT_S = 365 * 24 * 3600  # their URLs carry a digest of the content
HSTS_S = 365 * 24 * 3600
THREADS_COUNT = 8
COLLECT_AFTER_OBJECTS = 50_000  # made and not freed yet: more than one page makes


def serve(settings: Settings) -> None:
    """Until SIGINT or SIGTERM."""
    Granian(
        "relais.backoffice.main:create_application",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=THREADS_COUNT,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=10,
    ).serve()


def create_application() -> Any:
    """The WSGI application, in the process that runs it."""
    from relais.logs import configure_logging

    settings = load()
    configure_logging("web", settings.log_level, settings.log_format)
    configure_pages(settings)
    from django.core.wsgi import get_wsgi_application

    threading.Thread(target=_serve_ops, args=(settings,), name="ops", daemon=True).start()
    application = with_static_files(get_wsgi_application())
    calm_collector(COLLECT_AFTER_OBJECTS)
    return application


def configure_pages(settings: Settings) -> None:
    """Django for pages: the kit's middleware and what its templates find around them, as `settings` say."""
    import django.forms

    from relais.records.django_settings import configure_web

    assert settings.database_url is not None
    processors = ["django.template.context_processors.request", "relais.pages.guard.frame"]
    configure_web(
        settings.database_url,
        settings.secret_key,
        allowed_hosts=settings.web_names,
        secure_cookies=settings.web_tls,
        https_header=("HTTP_X_FORWARDED_PROTO", "https") if settings.web_tls and settings.web_proxies else None,
        middleware=(
            "relais.pages.middleware.request_id",
            "relais.pages.middleware.client_address",
            "relais.pages.middleware.headers",
            "relais.pages.middleware.site",
            "django.middleware.gzip.GZipMiddleware",
        ),
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "DIRS": [KIT / "templates", Path(django.forms.__file__).parent / "templates"],  # ours of a name first
                "OPTIONS": {"context_processors": processors},
            }
        ],
        FORM_RENDERER="django.forms.renderers.TemplatesSetting",  # widgets of ours are templates of ours
        LOGIN_URL="/bo/log-in/",
        CONNECTIONS_ALLOW_PRIVATE=settings.connections_allow_private,
        TRUSTED_PROXIES_COUNT=settings.web_proxies,
        CALLBACKS_ALLOW_PRIVATE=settings.callbacks_allow_private,
        SECURE_HSTS_SECONDS=HSTS_S if settings.web_tls else 0,
    )


def with_static_files(application: Any) -> WhiteNoise:
    """`application` with the kit's static files under /static/, compressed once, here, where a client takes that."""
    source = KIT / "static"
    served = Path(tempfile.mkdtemp(prefix="relais-static-"))
    shutil.copytree(source, served, dirs_exist_ok=True)
    compressor = Compressor(use_brotli=False, quiet=True)
    for path in sorted(served.rglob("*")):
        if path.is_file() and compressor.should_compress(path.name):
            for _ in compressor.compress(str(path)):
                pass
    return WhiteNoise(
        application, root=served, prefix="static/", max_age=STATIC_KEPT_S, allow_all_origins=False,
        add_headers_function=_static_headers,
    )  # fmt: skip


def _static_headers(headers: Any, path: str, url: str) -> None:
    """A file is what its type says, and for our own pages."""
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def _serve_ops(settings: Settings) -> None:
    from relais.observability import OpsServer

    async def run() -> None:
        server = OpsServer(settings.ops_host, settings.web_ops_port, lambda: {"database": _answers(settings)})
        await server.start()
        await asyncio.Event().wait()

    asyncio.run(run())


def _answers(settings: Settings) -> bool:
    """Whether the database does. Asked on the ops port's own thread, without Django, whose connections are the pages'."""
    try:
        with psycopg.connect(settings.database_url or "", connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
