"""Says before a process starts, and in words, that it could not listen where it is told to."""

import errno
import socket

from relais.settings import Settings, variable

API, SMPP, WEB, SIMULATOR = "api", "smpp", "web", "simulator"
GATEWAY_OPS, WORKER_OPS, WEB_OPS, SIMULATOR_OPS = "gateway_ops", "worker_ops", "web_ops", "simulator_ops"


class PortTaken(Exception):
    """An address that cannot be listened on; the text names the setting to change."""


def require_free_ports(settings: Settings, *listeners: str) -> None:
    """Raises `PortTaken` with a line for each of `listeners` that cannot listen now.

    A look ahead for the person at the terminal, not a reservation: the listener itself still has the last word.
    """
    problems = [problem for listener in listeners if (problem := _problem(settings, listener)) is not None]
    if problems:
        raise PortTaken("\n".join(problems))


def address(settings: Settings, listener: str) -> tuple[str, int]:
    """Host and port of a listener."""
    host = settings.ops_host if listener.endswith("_ops") else getattr(settings, f"{listener}_host")
    return str(host), int(getattr(settings, f"{listener}_port"))


def _problem(settings: Settings, listener: str) -> str | None:
    host, port = address(settings, listener)
    port_variable = variable(f"{listener}_port")
    host_variable = variable("ops_host" if listener.endswith("_ops") else f"{listener}_host")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free for a server
            trial.bind(place)
            trial.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return f"{host}:{port} is taken by another program; set {port_variable}"
        if error.errno == errno.EACCES:
            return f"{host}:{port} may not be used by this user; set {port_variable} to 1024 or more"
        return f"{host}:{port} cannot be listened on ({error.strerror}); set {host_variable}"
    return None
