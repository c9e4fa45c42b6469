"""Words by which a recipient asks to be left alone, to be written to again, or for help: whole messages, in several languages.

A word that asks to stop is understood whatever language it is in: who typed it meant it.
"""

import unicodedata
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class Asked(IntEnum):
    """Stored as smallint."""

    STOP = 1
    START = 2
    HELP = 3


WORDS: Final[Mapping[Asked, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        Asked.STOP: {
            "en": (
                "stop",
                "stopall",
                "stop all",
                "unsubscribe",
                "cancel",
                "end",
                "quit",
                "optout",
                "opt out",
                "revoke",
            ),
            "es": ("baja", "parar", "alto", "cancelar", "detener"),
            "de": ("stopp", "abmelden", "abbestellen", "ende"),
            "ru": ("стоп", "отписка", "отписаться", "отмена"),
            "fr": ("arrêt", "arrêter", "désabonner", "désinscription"),
            "it": ("ferma", "annulla", "disiscrivi"),
            "pt": ("parar", "sair", "cancelar"),
        },
        Asked.START: {
            "en": ("start", "unstop", "subscribe", "optin", "opt in", "resume"),
            "es": ("alta", "iniciar", "suscribir"),
            "de": ("starten", "anmelden"),
            "ru": ("старт", "подписка", "подписаться"),
            "fr": ("démarrer", "abonner"),
            "it": ("inizia", "iscrivi"),
            "pt": ("iniciar", "voltar"),
        },
        Asked.HELP: {
            "en": ("help", "info"),
            "es": ("ayuda", "información"),
            "de": ("hilfe",),
            "ru": ("помощь", "справка"),
            "fr": ("aide",),
            "it": ("aiuto",),
            "pt": ("ajuda",),
        },
    }
)
_BESIDE: Final = " \t\r\n.,;:!?¡¿'\"«»„“”\u2018\u2019()*-"


def plain(text: str) -> str:
    """The text as it is compared: without case, accents, signs around it and blanks that do not part words."""
    bare = unicodedata.normalize("NFD", text.casefold())
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter) or letter == "\u0306")  # й is no и
    return " ".join(unicodedata.normalize("NFC", bare).strip(_BESIDE).split())


_ASKED: Final[Mapping[str, Asked]] = MappingProxyType(
    {plain(word): asked for asked, languages in WORDS.items() for words in languages.values() for word in words}
)
TEXT_CHARACTERS_MAX: Final = 60  # whatever is longer is no such word


def own_words(stop: str, start: str, help_: str) -> dict[str, Asked]:
    """A sender's further words, as it lists them with commas between."""
    lists = {Asked.STOP: stop, Asked.START: start, Asked.HELP: help_}
    return {plain(word): asked for asked, words in lists.items() for word in words.split(",") if plain(word)}


def asked_by(text: str, own: Mapping[str, Asked] = MappingProxyType({}), keyword: str = "") -> Asked | None:
    """What a message from a phone asks, if it is such a word; also behind the keyword of a shared number. The sender's `own`
    words go before the others."""
    if len(text) > TEXT_CHARACTERS_MAX:
        return None
    said = plain(text)
    if keyword and said.startswith(f"{plain(keyword)} "):
        said = said.removeprefix(f"{plain(keyword)} ")
    return own.get(said) or _ASKED.get(said)
