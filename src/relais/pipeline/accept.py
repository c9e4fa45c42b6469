"""Checks a submission and rates it: a `Message` that may be charged, or a refusal. Nothing is written here."""

import ipaddress
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from relais.contracts.vendors import Pricing
from relais.core.numbers import Range, normalise
from relais.core.rating.types import Parameter, Term
from relais.core.refusals import Refusal
from relais.core.segments import NotEncodable, TooManyParts
from relais.pipeline import channels
from relais.pipeline.configuration import RIGHT_SEND, ApiKey, Sender, Snapshot
from relais.pipeline.ids import MessageIds
from relais.pipeline.message import Message
from relais.pipeline.origin import encoded_as_cut
from relais.pipeline.rate import Chains, Rated, Routes, priced_anew, priced_chain
from relais.pipeline.submission import Refused, Submission

SEGMENTS_MAX = 10  # what networks deliver in order; 1,530 GSM characters or 670 others
TEXT_CHARACTERS_MAX = 1600  # above it no encoding fits, so that a huge text is refused without encoding it
VALIDITY_DEFAULT_S = 72 * 3600
VALIDITY_MIN_S, VALIDITY_MAX_S = 60, 7 * 86400
SEND_AHEAD_MAX = timedelta(days=366)
CLIENT_REF_CHARACTERS_MAX = 128
CALLBACK_URL_CHARACTERS_MAX = 2048

A2P = "A2P"
Admitted = Message | Refused

DETAILS = {
    Refusal.KEY_WITHOUT_RIGHT: "This API key may not send messages; use a key with the right 'send'.",
    Refusal.COMPANY_DISABLED: "Sending is switched off for your company; ask your provider.",
    Refusal.CHANNEL_UNKNOWN: "The channel must be 'sms', 'whatsapp' or 'rcs'.",
    Refusal.SENDER_UNKNOWN: "No sender ID of this name belongs to your company; create it first or correct 'from'. To name"
    " none your company needs a default one.",
    Refusal.SENDER_BLOCKED: "This sender ID is not active.",
    Refusal.SENDER_NOT_CONNECTED: "This sender ID has no vendor connection in use; ask your provider.",
    Refusal.SENDER_NOT_ALLOWED: "This country takes no such sender: choose another sender ID.",
    Refusal.SENDER_NOT_REGISTERED: "This country asks for a registration of the sender ID: ask your provider.",
    Refusal.NUMBER_INVALID: "'to' must be a phone number in international form, such as 34612345678.",
    Refusal.TEXT_EMPTY: "'text' is empty.",
    Refusal.TEXT_TOO_LONG: f"'text' needs more than {SEGMENTS_MAX} segments; shorten it or send several messages.",
    Refusal.TEXT_NOT_ENCODABLE: "'text' holds characters that no SMS can carry, such as NUL or half of a surrogate pair.",
    Refusal.VALIDITY_INVALID: f"'validity_s' must be from {VALIDITY_MIN_S} to {VALIDITY_MAX_S} seconds.",
    Refusal.SEND_AT_INVALID: "'send_at' must lie in the next 366 days.",
    Refusal.CALLBACK_URL_INVALID: "'callback_url' must be an http or https URL with a public host.",
    Refusal.CLIENT_REF_INVALID: f"'client_ref' must have 1 to {CLIENT_REF_CHARACTERS_MAX} characters, none of them a control.",
    Refusal.AGREEMENT_EXPIRED: "The agreement of this sender ID is not in force.",
    Refusal.RATE_NOT_FOUND: "No rate is agreed for this destination.",
    Refusal.DESTINATION_BLOCKED: "Messages to this destination are blocked.",
    Refusal.RECIPIENT_OPTED_OUT: "'to' is on your company's stop list, for this sender ID or for all.",
    Refusal.LINK_NOT_ALLOWED: "'text' has a link to a host that is not allowed for this sender ID.",
    Refusal.RECIPIENT_FLOODED: "'to' got too many such messages in the last hour; try again later.",
    Refusal.CAP_REACHED: "A cap on what may be sent in this hour or day is reached; ask your provider.",
    Refusal.BALANCE_TOO_LOW: "The balance does not cover this message.",
    Refusal.PROVIDER_UNAVAILABLE: "Your provider cannot take messages at the moment; ask your provider.",
    Refusal.IDEMPOTENCY_KEY_REUSED: "This Idempotency-Key was used with another body; use a new key for a new request.",
    Refusal.OVERLOADED: "Too many messages are waiting, or the database is away; nothing was charged: try again.",
}


def refused(refusal: Refusal) -> Refused:
    """The refusal with the sentence that says what to do."""
    return Refused(refusal=refusal, detail=DETAILS[refusal])


class Admission:
    """Everything accepting needs, of one snapshot. `callbacks_allow_private` is for tests and closed networks. `down`: whether
    a vendor connection is known to carry nothing at the moment. `stopped`: whether a company does not write to a number from a
    sender ID."""

    def __init__(
        self,
        snapshot: Snapshot,
        ids: MessageIds,
        *,
        callbacks_allow_private: bool = False,
        down: Callable[[int], bool] = lambda connection_id: False,
        stopped: Callable[[int, int, str], bool] = lambda company_id, sender_id, digits: False,
    ) -> None:
        self.snapshot = snapshot
        self._down = down
        self._stopped = stopped
        self._chains = Chains(snapshot)
        self._rules = snapshot.sender_rules
        self._ids = ids
        self._callbacks_allow_private = callbacks_allow_private

    def admit(self, key: ApiKey, submission: Submission, now: datetime, served: Range | None = None) -> Admitted:
        """The message, rated at every level and not yet charged; or why it is refused. `served` counts instead of the range."""
        sender = self._sender(key, submission)
        if isinstance(sender, Refusal):
            return refused(sender)
        connection_id = self._connection(sender)
        if connection_id is None:
            return refused(Refusal.SENDER_NOT_CONNECTED)
        refusal = self._refuse_options(submission, now)
        if refusal is not None:
            return refused(refusal)
        channel = channels.NUMBERS[submission.channel]
        digits = normalise(submission.destination)
        number_range = served or (self.snapshot.number_plan.resolve(digits) if digits else None)
        if digits is None or number_range is None:
            return refused(Refusal.NUMBER_INVALID)
        if self._stopped(key.company_id, sender.id, digits) and not submission.despite_stop:
            return refused(Refusal.RECIPIENT_OPTED_OUT)
        if self._rules and channel == channels.SMS and (told := self._rules.refuse(sender, number_range.country)):
            return told
        text = submission.text
        if not text or text.isspace():
            return refused(Refusal.TEXT_EMPTY)
        if len(text) > TEXT_CHARACTERS_MAX:
            return refused(Refusal.TEXT_TOO_LONG)
        if not text.isascii():
            text = unicodedata.normalize("NFC", text)
        try:
            encoded = encoded_as_cut(text, submission.origin) if channel == channels.SMS else channels.whole(text)
        except NotEncodable:
            return refused(Refusal.TEXT_NOT_ENCODABLE)
        except TooManyParts:
            return refused(Refusal.TEXT_TOO_LONG)
        if "\x00" in text:
            return refused(Refusal.TEXT_NOT_ENCODABLE)
        if len(encoded.parts) > SEGMENTS_MAX:
            return refused(Refusal.TEXT_TOO_LONG)
        assert sender.agreement_id is not None
        kind = (sender.id, number_range.country, number_range.network_id)
        hop = None if channel == channels.SMS else self._chains.of(sender.agreement_id, now)
        if hop is None:
            terms: Rated = self._chains.rate(
                sender.agreement_id, now, len(encoded.parts), kind, lambda: self.attributes(*kind, digits)
            )
        else:
            terms = priced_chain(
                hop, channels.price_to_reserve(channel, self.attributes(*kind, digits), text, submission)
            )
        if isinstance(terms, Refusal):
            return refused(terms)
        send_at = submission.send_at if submission.send_at and submission.send_at > now else None
        rated, routes = ((), terms.routes) if isinstance(terms, Routes) else (terms, ())
        return Message(
            submission.message_id or self._ids.take(now.timestamp()), now, key.company_id, key.id, sender.id, connection_id,
            number_range.network_id, number_range.country, sender.text, digits, text, encoded, rated, routes,
            submission.validity_s or VALIDITY_DEFAULT_S, send_at, submission.client_ref,
            submission.callback_url or key.webhook_url, submission.callback_final_only, submission.origin, channel, hop,
        )  # fmt: skip

    def reported_terms(self, message: Message, pricing: Pricing | None, now: datetime) -> tuple[Term, ...] | None:
        """What each level owes now that the vendor has said what the message was, by the rates of its acceptance (SV-281), or,
        for one that was brought back from its row, those of now; None where that says nothing new. A level that has no rate for
        it keeps what was reserved."""
        if pricing is None:
            return None
        attributes = self.attributes(message.sender_id, message.country, message.network_id, message.destination)
        price = channels.price_reported(message.channel, attributes, pricing, now)
        hop = message.hop or self._chains.of(message.terms[0].agreement_id, now)
        return None if price is None else priced_anew(hop, message.terms, price)

    def attributes(self, sender_id: int, country: str, network_id: int | None, digits: str) -> dict[Parameter, str]:
        """What rate trees may be split by, for an SMS that goes out; what is not known is absent."""
        attributes = {
            Parameter.DIRECTION: A2P,
            Parameter.COUNTRY: country,
            Parameter.SENDER_ID: str(sender_id),
            Parameter.PHONE_NUMBER: digits,
        }
        network = self.snapshot.networks.get(network_id) if network_id is not None else None
        if network is not None:
            attributes[Parameter.NETWORK] = str(network.id)
            attributes[Parameter.NETWORK_NAME] = network.name
            if network.mccmnc and network.mcc:
                attributes[Parameter.MCCMNC] = network.mccmnc
                attributes[Parameter.MCC] = network.mcc
            if network.operator:
                attributes[Parameter.MNO] = network.operator
        return attributes

    def _sender(self, key: ApiKey, submission: Submission) -> Sender | Refusal:
        """The sender ID, if this client may send from it."""
        if not key.rights & RIGHT_SEND:
            return Refusal.KEY_WITHOUT_RIGHT
        if not key.company_enabled:
            return Refusal.COMPANY_DISABLED
        if submission.channel not in channels.NUMBERS:
            return Refusal.CHANNEL_UNKNOWN
        sender = self.snapshot.senders.get((key.company_id, submission.channel, submission.source.casefold()))
        if sender is None and not submission.source:
            sender = self.snapshot.default_senders.of(key.company_id, submission.channel)
        if sender is None or sender.agreement_id is None:
            return Refusal.SENDER_UNKNOWN
        return Refusal.SENDER_BLOCKED if sender.status != "active" else sender

    def _connection(self, sender: Sender) -> int | None:
        """That which the next message leaves by: the sender's first, unless it is out of use or down and there is a second."""
        if sender.second_connection_id is None:
            return sender.connection_id if self._in_use(sender.connection_id) else None
        usable = [each for each in (sender.connection_id, sender.second_connection_id) if self._in_use(each)]
        return next(
            (each for each in usable if each is not None and not self._down(each)), usable[0] if usable else None
        )

    def _in_use(self, connection_id: int | None) -> bool:
        connection = self.snapshot.connections.get(connection_id) if connection_id else None
        return connection is not None and not connection.disabled

    def _refuse_options(self, submission: Submission, now: datetime) -> Refusal | None:
        if submission.validity_s is not None and not VALIDITY_MIN_S <= submission.validity_s <= VALIDITY_MAX_S:
            return Refusal.VALIDITY_INVALID
        if submission.send_at is not None and submission.send_at - now > SEND_AHEAD_MAX:
            return Refusal.SEND_AT_INVALID
        ref = submission.client_ref
        if ref is not None and (not 1 <= len(ref) <= CLIENT_REF_CHARACTERS_MAX or not ref.isprintable()):
            return Refusal.CLIENT_REF_INVALID
        if submission.callback_url is not None and not self._callback_allowed(submission.callback_url):
            return Refusal.CALLBACK_URL_INVALID
        return None

    def _callback_allowed(self, url: str) -> bool:
        """Whether the form of the URL is right; whether its host resolves to a public address is asked when it is used."""
        if len(url) > CALLBACK_URL_CHARACTERS_MAX or not url.isprintable():
            return False
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return self._callbacks_allow_private or (host != "localhost" and "." in host)
        return self._callbacks_allow_private or address.is_global
