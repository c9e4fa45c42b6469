"""What an operator can set for a vendor's SMPP connection."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from relais.wire.smpp.message_ids import IdRule, id_forms
from relais.wire.smpp.pdus import SYSTEM_ID, SYSTEM_TYPE
from relais.wire.smpp.states import SessionSettings

PASSWORD_CHARACTERS_MAX = 8  # SMPP 3.4 §5.2.2, its NUL apart
LONG_PASSWORD_CHARACTERS_MAX = 64


SESSIONS_MAX = 20


class BindMode(StrEnum):
    """How a session is bound."""

    TRANSCEIVER = "transceiver"
    APART = "apart"  # one to send and one for receipts, for vendors without transceivers


@dataclass(frozen=True, kw_only=True)
class SmppSettings:
    """Host, port and credentials as the vendor gave them; everything else has the value that fits most vendors.

    Times in seconds. TON and NPI: None chooses by the sender's shape. ValueError for what SMPP cannot carry.
    """

    host_name: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    long_password: bool = False  # the vendor gave more than the standard's 8 characters: up to 64
    use_tls: bool = False
    tls_ca_file: str = ""  # PEM of a private authority; empty = the system's
    tls_verify: bool = True
    allow_internal: bool = False  # the platform's own networks and loopback (VSMPP-45); the installation's to say
    interface_version: int = 0x34
    service_type: str = ""
    sessions: int = 1  # at a time, over which parts are spread; the limits are the connection's
    bind_mode: BindMode = BindMode.TRANSCEIVER

    connect_timeout_s: float = 20.0
    response_timeout_s: float = 60.0
    enquire_link_s: float = 30.0
    enquire_link_required: bool = True  # some vendors never answer enquire_link
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 60.0
    refused_bind_wait_s: float = 300.0  # after refused credentials: repeating them gets accounts locked

    source_ton: int | None = None
    source_npi: int | None = None
    short_code_ton: int = 0
    short_code_npi: int = 1
    destination_ton: int = 1
    destination_npi: int = 1
    esm_class: int = 0  # mode bits: 3 where the vendor wants store-and-forward said
    validity_max_s: int = 72 * 3600  # longer validities are refused by most centres
    inverse_address_mode: bool = (
        False  # of incoming messages source and destination stand the other way round (VSMPP-23)
    )
    use_tlv: bool = False  # join parts by sar_ TLVs instead of a UDH

    id_match: IdRule = IdRule.ANY
    receipts_without_esm_class: bool = False  # take a text that looks like a receipt for one
    receipt_utc_offset_min: int = 0  # of the vendor's clock in receipts without zone

    def __post_init__(self) -> None:
        """Options come from JSON: a rule or mode may be its word."""
        object.__setattr__(self, "id_match", IdRule(self.id_match))
        object.__setattr__(self, "bind_mode", BindMode(self.bind_mode))
        if not 1 <= self.sessions <= SESSIONS_MAX:
            raise ValueError(f"sessions is 1 to {SESSIONS_MAX}")
        if not self.host_name or not 1 <= self.port <= 65_535:
            raise ValueError(f"not an address: {self.host_name!r}, port {self.port}")
        password_max = LONG_PASSWORD_CHARACTERS_MAX if self.long_password else PASSWORD_CHARACTERS_MAX
        for name, text, characters_max in (
            ("system_id", self.system_id, SYSTEM_ID - 1),
            ("password", self.password, password_max),
            ("system_type", self.system_type, SYSTEM_TYPE - 1),
            ("service_type", self.service_type, 5),
        ):
            if not text.isascii() or "\0" in text or len(text) > characters_max:
                raise ValueError(f"{name} must be at most {characters_max} ASCII characters")
        for name, seconds in (
            ("connect_timeout_s", self.connect_timeout_s),
            ("response_timeout_s", self.response_timeout_s),
            ("enquire_link_s", self.enquire_link_s),
            ("reconnect_min_s", self.reconnect_min_s),
            ("refused_bind_wait_s", self.refused_bind_wait_s),
            ("validity_max_s", self.validity_max_s),
        ):
            if not seconds > 0:
                raise ValueError(f"{name} must be more than 0")
        if self.reconnect_max_s < self.reconnect_min_s:
            raise ValueError("reconnect_max_s must not be less than reconnect_min_s")
        octets = [self.source_ton or 0, self.source_npi or 0, self.short_code_ton, self.short_code_npi]
        octets += [self.destination_ton, self.destination_npi, self.esm_class, self.interface_version]
        if not all(0 <= octet <= 255 for octet in octets):
            raise ValueError("TON, NPI, esm_class and interface_version are 0 to 255")

    def match_ids(self, receipt_id: str) -> tuple[str, ...]:
        """How the response to the submission may have written the id of this receipt, likeliest first."""
        return id_forms(receipt_id, self.id_match)

    def session(self) -> SessionSettings:
        """The limits of one session."""
        return SessionSettings(
            bind_timeout_s=self.connect_timeout_s,
            response_timeout_s=self.response_timeout_s,
            enquire_link_s=self.enquire_link_s,
            enquire_link_required=self.enquire_link_required,
        )

    def tls(self) -> ssl.SSLContext | None:
        """TLS 1.2 or later (CSMPP-21), or None. Reads files. OSError when the authority's cannot be read."""
        if not self.use_tls:
            return None
        context = ssl.create_default_context(cafile=self.tls_ca_file or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if not self.tls_verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
