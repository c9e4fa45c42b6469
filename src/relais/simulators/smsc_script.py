"""A script of the simulated SMSC: what it is, what becomes of messages, and what happens as time goes by.

docs/howto/try-a-connection.md says it to its users.
Read from YAML, wholly or not at all: `ScriptFault` names the first thing that cannot be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import yaml

from relais.simulators.smsc_behaviours import Behaviour, IdStyle, ReceiptForm
from relais.wire.smpp import statuses

CUT, UNBIND = "cut", "unbind"


class ScriptFault(ValueError):
    """What is wrong with a script, and where."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`after_s` from the start: `changes` of the settings, `mix` anew, `down` or up again, and how all sessions end."""

    after_s: float
    changes: Mapping[str, Any] = field(default_factory=dict)
    mix: Mapping[Behaviour, int] | None = None
    down: bool | None = None
    disconnect: str = ""


@dataclass(frozen=True, kw_only=True)
class Script:
    """`settings`: of `SmscSettings`. `mix`: behaviours with their share in percent; the rest is delivered. `destinations`: by the
    beginning of the number, the longest wins, before the mix. A message that asks for a behaviour itself gets that."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    mix: Mapping[Behaviour, int] = field(default_factory=dict)
    destinations: Mapping[str, Behaviour] = field(default_factory=dict)
    stages: tuple[Stage, ...] = ()


def read_script(text: str) -> Script:
    try:
        told = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise ScriptFault(f"is no YAML: {error}") from error
    if not isinstance(told, dict):
        raise ScriptFault("is a list of settings, each with its value")
    rest = dict(told)
    mix, destinations, stages = (rest.pop(name, None) for name in ("mix", "destinations", "stages"))
    listed = stages or []
    if not isinstance(listed, list):
        raise ScriptFault("stages: is a list")
    made = [_stage(each, f"stages[{number}]") for number, each in enumerate(listed, 1)]
    if [each.after_s for each in made] != sorted(each.after_s for each in made):
        raise ScriptFault("stages: stand in the order of their after_s")
    numbers = _mapping(destinations or {}, "destinations")
    return Script(
        settings=_settings(rest, _SETTINGS, ""),
        mix=_mix(mix or {}, "mix"),
        destinations={str(key): _behaviour(value, f"destinations.{key}") for key, value in numbers.items()},
        stages=tuple(made),
    )


def _stage(told: Any, place: str) -> Stage:
    rest = dict(_mapping(told, place))
    if "after_s" not in rest:
        raise ScriptFault(f"{place}: after_s is missing")
    after_s = _seconds(rest.pop("after_s"), f"{place}.after_s")
    mix, down, disconnect = rest.pop("mix", None), rest.pop("down", None), rest.pop("disconnect", "")
    if down is not None and not isinstance(down, bool):
        raise ScriptFault(f"{place}.down: true or false")
    if disconnect not in ("", CUT, UNBIND):
        raise ScriptFault(f"{place}.disconnect: {CUT} or {UNBIND}")
    changes = _settings(rest, _CHANGEABLE, place)
    shares = None if mix is None else _mix(mix, f"{place}.mix")
    return Stage(after_s=after_s, changes=changes, mix=shares, down=down, disconnect=disconnect)


def _mapping(told: Any, place: str) -> Mapping[Any, Any]:
    if not isinstance(told, dict):
        raise ScriptFault(f"{place}: names with values")
    return told


def _mix(told: Any, place: str) -> Mapping[Behaviour, int]:
    shares = {
        _behaviour(name, place): _whole(share, f"{place}.{name}") for name, share in _mapping(told, place).items()
    }
    if sum(shares.values()) > 100:
        raise ScriptFault(f"{place}: more than 100 percent")
    return shares


def _behaviour(told: Any, place: str) -> Behaviour:
    try:
        return Behaviour(told)
    except ValueError:
        raise ScriptFault(f"{place}: {told!r} is none of {', '.join(Behaviour)}") from None


def _settings(told: Mapping[str, Any], known: Mapping[str, Callable[[Any, str], Any]], place: str) -> Mapping[str, Any]:
    found = {}
    for name, value in told.items():
        where = f"{place}.{name}" if place else str(name)
        if name not in known:
            raise ScriptFault(f"{where}: is none of {', '.join(known)}")
        found[name] = known[name](value, where)
    return found


def _text(told: Any, place: str) -> str:
    if not isinstance(told, str):
        raise ScriptFault(f"{place}: a text")
    return told


def _seconds(told: Any, place: str) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not 0 <= told < 1e6:
        raise ScriptFault(f"{place}: seconds")
    return float(told)


def _whole(told: Any, place: str) -> int:
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise ScriptFault(f"{place}: a whole number")
    return told


def _limit(told: Any, place: str) -> int | None:
    return None if told is None else _whole(told, place)


def _percent(told: Any, place: str) -> int:
    if _whole(told, place) > 100:
        raise ScriptFault(f"{place}: at most 100")
    return int(told)


def _status(told: Any, place: str) -> int:
    if isinstance(told, str):
        code = next((code for code in statuses.STATUSES if statuses.status_name(code) == told), None)
        if code is None:
            raise ScriptFault(f"{place}: {told!r} is no status")
        return code
    return _whole(told, place)


def _one_of(kind: type[IdStyle] | type[ReceiptForm]) -> Callable[[Any, str], Any]:
    def parse(told: Any, place: str) -> Any:
        try:
            return kind(told)
        except ValueError:
            raise ScriptFault(f"{place}: {told!r} is none of {', '.join(kind)}") from None

    return parse


_CHANGEABLE: Final[Mapping[str, Callable[[Any, str], Any]]] = MappingProxyType(
    {
        "response_delay_s": _seconds,
        "receipt_delay_s": _seconds,
        "rps_max": _limit,
        "refused_percent": _percent,
        "refused_status": _status,
        "close_after_count": _limit,
    }
)
_SETTINGS: Final[Mapping[str, Callable[[Any, str], Any]]] = MappingProxyType(
    {
        "system_id": _text,
        "password": _text,
        "system_type": _text,
        "ids": _one_of(IdStyle),
        "receipt_form": _one_of(ReceiptForm),
        **_CHANGEABLE,
    }
)
