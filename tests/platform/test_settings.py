"""Settings: defaults, refusals that name the variable, the generated key, and the reference page."""

import stat
from dataclasses import FrozenInstanceError
from ipaddress import ip_network
from pathlib import Path

import pytest

from relais import settings
from relais.settings import Settings, SettingsError, read

PROJECT = Path(__file__).resolve().parents[2]


def test_without_any_variable_everything_listens_on_loopback_ports_of_the_readme(tmp_path: Path) -> None:
    given = read({"RELAIS_DATA_DIR": str(tmp_path)}, tmp_path)
    assert (given.api_host, given.api_port) == ("127.0.0.1", 8001)
    assert (given.web_host, given.web_port, given.web_names) == ("127.0.0.1", 8000, ("127.0.0.1", "localhost"))
    assert (given.smpp_host, given.smpp_port) == ("127.0.0.1", 2775)
    assert (given.simulator_host, given.simulator_port) == ("127.0.0.1", 2776)
    assert (given.ops_host, given.gateway_ops_port, given.worker_ops_port) == ("127.0.0.1", 8101, 8102)
    assert given.database_url is None and given.postgres_bin is None and given.callbacks_allow_private is False


def test_every_setting_is_read_from_its_variable(tmp_path: Path) -> None:
    environment = {
        "RELAIS_DATABASE_URL": "postgresql://me@db.example/relais",
        "RELAIS_DATA_DIR": str(tmp_path / "data"),
        "RELAIS_POSTGRES_BIN": str(tmp_path / "bin"),
        "RELAIS_SECRET_KEY": "k" * 32,
        "RELAIS_WEB_HOST": "w",
        "RELAIS_WEB_PORT": "5",
        "RELAIS_WEB_NAMES": "bo.example.com, relais.example.com",
        "RELAIS_WEB_TLS": "yes",
        "RELAIS_WEB_PROXIES": "1",
        "RELAIS_API_HOST": "::1",
        "RELAIS_API_PORT": "1",
        "RELAIS_API_PROXIES": "10.0.0.0/8, 2001:db8::1",
        "RELAIS_SMPP_HOST": "a",
        "RELAIS_SMPP_PORT": "2",
        "RELAIS_SMPP_TLS_PORT": "8",
        "RELAIS_SMPP_TLS_CERTIFICATE": str(tmp_path / "chain.pem"),
        "RELAIS_SMPP_TLS_KEY": str(tmp_path / "key.pem"),
        "RELAIS_SIMULATOR_HOST": "b",
        "RELAIS_SIMULATOR_PORT": "3",
        "RELAIS_OPS_HOST": "c",
        "RELAIS_GATEWAY_OPS_PORT": "4",
        "RELAIS_WORKER_OPS_PORT": "65535",
        "RELAIS_WEB_OPS_PORT": "6",
        "RELAIS_SIMULATOR_OPS_PORT": "7",
        "RELAIS_SMTP_HOST": "mail.example",
        "RELAIS_SMTP_PORT": "465",
        "RELAIS_SMTP_SECURITY": "tls",
        "RELAIS_SMTP_SENDER": "Relais <relais@example.com>",
        "RELAIS_SMTP_LOGIN": "relais",
        "RELAIS_SMTP_PASSWORD": "secret",
        "RELAIS_TICK_MS": "10",
        "RELAIS_LOG_LEVEL": "debug",
        "RELAIS_LOG_FORMAT": "json",
        "RELAIS_CALLBACKS_ALLOW_PRIVATE": "yes",
        "RELAIS_CONNECTIONS_ALLOW_PRIVATE": "yes",
        "RELAIS_AUDIT_KEPT_MONTHS": "36",
        "RELAIS_LOOKUPS_KEPT_DAYS": "7",
    }
    assert read(environment, tmp_path) == Settings(
        "postgresql://me@db.example/relais", tmp_path / "data", tmp_path / "bin", "k" * 32,
        "w", 5, ("bo.example.com", "relais.example.com"), True, 1, "::1", 1,
        (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128")), "a", 2, 8,
        tmp_path / "chain.pem", tmp_path / "key.pem", "b", 3, "c", 4, 65535, 6, 7,
        "mail.example", 465, "tls", "Relais <relais@example.com>", "relais", "secret", 10, "debug", "json", True, True, 36, 7,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("RELAIS_API_PORT", "0", "RELAIS_API_PORT takes a whole number from 1 to 65535, not '0'"),
        ("RELAIS_API_PORT", "65536", "RELAIS_API_PORT takes a whole number from 1 to 65535, not '65536'"),
        ("RELAIS_API_PORT", "8001 ", "RELAIS_API_PORT takes a whole number from 1 to 65535, not '8001 '"),
        ("RELAIS_API_PORT", "²", "RELAIS_API_PORT takes a whole number from 1 to 65535, not '²'"),
        ("RELAIS_TICK_MS", "9" * 30, f"RELAIS_TICK_MS takes a whole number from 1 to 10, not '{'9' * 30}'"),
        ("RELAIS_API_PROXIES", "proxy", "RELAIS_API_PROXIES takes addresses and networks separated by commas, not 'proxy'"),
        ("RELAIS_API_HOST", "http://a/", "RELAIS_API_HOST takes a host name or an address, not 'http://a/'"),
        ("RELAIS_LOG_LEVEL", "loud", "RELAIS_LOG_LEVEL takes one of debug, info, warning, error, not 'loud'"),
        ("RELAIS_CALLBACKS_ALLOW_PRIVATE", "1", "RELAIS_CALLBACKS_ALLOW_PRIVATE takes yes or no, not '1'"),
        (
            "RELAIS_DATABASE_URL", "mysql://u:pw@h/d",
            "RELAIS_DATABASE_URL takes a URL that starts with postgresql://, not its value",
        ),
        ("RELAIS_SECRET_KEY", "short", "RELAIS_SECRET_KEY takes at least 32 characters, not its value"),
        ("RELAIS_API_PROT", "1", "RELAIS_API_PROT is not a setting; did you mean RELAIS_API_PORT?"),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named_and_secrets_are_not_shown(tmp_path: Path, name: str, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read({name: text}, tmp_path)
    assert str(refused.value) == told


def test_all_wrong_variables_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        read({"RELAIS_TICK_MS": "x", "RELAIS_API_PORT": "x"}, tmp_path)
    assert [line.split()[0] for line in str(refused.value).splitlines()] == ["RELAIS_API_PORT", "RELAIS_TICK_MS"]


def test_empty_variables_and_those_of_others_are_no_settings(tmp_path: Path) -> None:
    environment = {"RELAIS_API_PORT": "", "RELAIS_TEST_DATABASE_URL": "x", "PATH": "y", "RELAIS_DATA_DIR": "/d"}
    assert read(environment, tmp_path) == read({"RELAIS_DATA_DIR": "/d"}, tmp_path)


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        read({}, tmp_path).api_port = 1  # type: ignore[misc]  # that it is refused is the point


def test_the_key_is_generated_once_private_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAIS_DATA_DIR", str(tmp_path / "data"))
    first = settings.load().secret_key
    assert len(first) >= settings.SECRET_KEY_LENGTH_MIN
    assert settings.load().secret_key == first
    assert [path.name for path in (tmp_path / "data").iterdir()] == [settings.SECRET_KEY_FILE]
    assert stat.S_IMODE((tmp_path / "data" / settings.SECRET_KEY_FILE).stat().st_mode) == 0o600


def test_a_command_that_needs_no_key_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAIS_DATA_DIR", str(tmp_path / "data"))
    assert settings.load(with_key=False).secret_key == ""
    assert not (tmp_path / "data").exists()


def test_the_reference_page_is_what_the_settings_say() -> None:
    page = (PROJECT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == settings.reference(), "run: python -m relais.settings > docs/reference/settings.md"
