"""The PDUs of SMPP 3.4 §4 as plain records; their octets are `codec`'s.

Every record begins with sequence number, status and its TLVs as raw octets (see `tlvs`). Text is what C-strings hold,
read as Latin-1, so that nothing a peer writes is lost. `LAYOUT` is the body in its order: (field, most octets with NUL)
for a C-string, (field, 0) for an integer of one octet. Layouts that a table cannot say (short messages, lists) are read
and written by hand in `codec`.
"""

from typing import ClassVar, Final

import msgspec

from relais.wire.smpp import commands

Layout = tuple[tuple[str, int], ...]

ONE_OCTET: Final = 0
SYSTEM_ID: Final = 16
PASSWORD: Final = 65  # the specification says 9, real ones are longer; a client's own limit is its settings' business
SYSTEM_TYPE: Final = 13
SERVICE_TYPE: Final = 6
ADDRESS: Final = 21
LONG_ADDRESS: Final = 65  # data_sm and alert_notification
ADDRESS_RANGE: Final = 41
MESSAGE_ID: Final = 65
TIME: Final = 17

_SOURCE: Final[Layout] = (("source_ton", ONE_OCTET), ("source_npi", ONE_OCTET), ("source", ADDRESS))
_DESTINATION: Final[Layout] = (
    ("destination_ton", ONE_OCTET),
    ("destination_npi", ONE_OCTET),
    ("destination", ADDRESS),
)


class Pdu(msgspec.Struct, gc=False):
    """What all have in common. `sequence` is set by the session when it sends a request."""

    COMMAND: ClassVar[int] = 0
    LAYOUT: ClassVar[Layout] = ()

    sequence: int = 0
    status: int = 0
    tlvs: bytes = b""


class GenericNack(Pdu):
    COMMAND: ClassVar[int] = commands.GENERIC_NACK


class Bind(Pdu):
    """What the three binds share."""

    LAYOUT: ClassVar[Layout] = (
        ("system_id", SYSTEM_ID),
        ("password", PASSWORD),
        ("system_type", SYSTEM_TYPE),
        ("interface_version", ONE_OCTET),
        ("addr_ton", ONE_OCTET),
        ("addr_npi", ONE_OCTET),
        ("address_range", ADDRESS_RANGE),
    )

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""

    def __repr__(self) -> str:
        """Without the password: a record may end in a log."""
        return f"{type(self).__name__}(sequence={self.sequence}, system_id={self.system_id!r})"


class BindReceiver(Bind):
    COMMAND: ClassVar[int] = commands.BIND_RECEIVER


class BindTransmitter(Bind):
    COMMAND: ClassVar[int] = commands.BIND_TRANSMITTER


class BindTransceiver(Bind):
    COMMAND: ClassVar[int] = commands.BIND_TRANSCEIVER


class BindResp(Pdu):
    """What the responses to the three binds share."""

    LAYOUT: ClassVar[Layout] = (("system_id", SYSTEM_ID),)

    system_id: str = ""


class BindReceiverResp(BindResp):
    COMMAND: ClassVar[int] = commands.BIND_RECEIVER | commands.RESPONSE_BIT


class BindTransmitterResp(BindResp):
    COMMAND: ClassVar[int] = commands.BIND_TRANSMITTER | commands.RESPONSE_BIT


class BindTransceiverResp(BindResp):
    COMMAND: ClassVar[int] = commands.BIND_TRANSCEIVER | commands.RESPONSE_BIT


class Outbind(Pdu):
    COMMAND: ClassVar[int] = commands.OUTBIND
    LAYOUT: ClassVar[Layout] = (("system_id", SYSTEM_ID), ("password", PASSWORD))

    system_id: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Without the password."""
        return f"Outbind(system_id={self.system_id!r})"


class Unbind(Pdu):
    COMMAND: ClassVar[int] = commands.UNBIND


class UnbindResp(Pdu):
    COMMAND: ClassVar[int] = commands.UNBIND | commands.RESPONSE_BIT


class EnquireLink(Pdu):
    COMMAND: ClassVar[int] = commands.ENQUIRE_LINK


class EnquireLinkResp(Pdu):
    COMMAND: ClassVar[int] = commands.ENQUIRE_LINK | commands.RESPONSE_BIT


class ShortMessage(Pdu):
    """What submit_sm and deliver_sm share. `short_message` begins with the UDH when `esm_class` has bit 0x40."""

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class SubmitSm(ShortMessage):
    COMMAND: ClassVar[int] = commands.SUBMIT_SM


class DeliverSm(ShortMessage):
    COMMAND: ClassVar[int] = commands.DELIVER_SM


class SubmitSmResp(Pdu):
    COMMAND: ClassVar[int] = commands.SUBMIT_SM | commands.RESPONSE_BIT
    LAYOUT: ClassVar[Layout] = (("message_id", MESSAGE_ID),)

    message_id: str = ""


class DeliverSmResp(Pdu):
    """Its message_id is unused: written as a single NUL, whatever the status; a peer's is read and means nothing."""

    COMMAND: ClassVar[int] = commands.DELIVER_SM | commands.RESPONSE_BIT
    LAYOUT: ClassVar[Layout] = (("message_id", 1),)

    message_id: str = ""


class Address(msgspec.Struct, frozen=True, gc=False):
    """A destination of submit_multi by number."""

    ton: int
    npi: int
    number: str


class RefusedAddress(msgspec.Struct, frozen=True, gc=False):
    """A destination that submit_multi_resp reports as not taken, and why."""

    ton: int
    npi: int
    number: str
    status: int


class SubmitMulti(Pdu):
    """`destinations` holds addresses and, as text, names of distribution lists; 1 to 254 of them."""

    COMMAND: ClassVar[int] = commands.SUBMIT_MULTI
    LAYOUT: ClassVar[Layout] = (("service_type", SERVICE_TYPE), *_SOURCE)  # as far as the list
    AFTER_LIST: ClassVar[Layout] = (
        ("esm_class", ONE_OCTET),
        ("protocol_id", ONE_OCTET),
        ("priority_flag", ONE_OCTET),
        ("schedule_delivery_time", TIME),
        ("validity_period", TIME),
        ("registered_delivery", ONE_OCTET),
        ("replace_if_present_flag", ONE_OCTET),
        ("data_coding", ONE_OCTET),
        ("sm_default_msg_id", ONE_OCTET),
    )

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destinations: tuple[Address | str, ...] = ()
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class SubmitMultiResp(Pdu):
    COMMAND: ClassVar[int] = commands.SUBMIT_MULTI | commands.RESPONSE_BIT
    LAYOUT: ClassVar[Layout] = (("message_id", MESSAGE_ID),)

    message_id: str = ""
    unsuccessful: tuple[RefusedAddress, ...] = ()


class DataSm(Pdu):
    """The text travels in the TLV message_payload."""

    COMMAND: ClassVar[int] = commands.DATA_SM
    LAYOUT: ClassVar[Layout] = (
        ("service_type", SERVICE_TYPE),
        ("source_ton", ONE_OCTET),
        ("source_npi", ONE_OCTET),
        ("source", LONG_ADDRESS),
        ("destination_ton", ONE_OCTET),
        ("destination_npi", ONE_OCTET),
        ("destination", LONG_ADDRESS),
        ("esm_class", ONE_OCTET),
        ("registered_delivery", ONE_OCTET),
        ("data_coding", ONE_OCTET),
    )

    service_type: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


class DataSmResp(Pdu):
    COMMAND: ClassVar[int] = commands.DATA_SM | commands.RESPONSE_BIT
    LAYOUT: ClassVar[Layout] = (("message_id", MESSAGE_ID),)

    message_id: str = ""


class QuerySm(Pdu):
    COMMAND: ClassVar[int] = commands.QUERY_SM
    LAYOUT: ClassVar[Layout] = (("message_id", MESSAGE_ID), *_SOURCE)

    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""


class QuerySmResp(Pdu):
    COMMAND: ClassVar[int] = commands.QUERY_SM | commands.RESPONSE_BIT
    LAYOUT: ClassVar[Layout] = (
        ("message_id", MESSAGE_ID),
        ("final_date", TIME),
        ("message_state", ONE_OCTET),
        ("error_code", ONE_OCTET),
    )

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class CancelSm(Pdu):
    COMMAND: ClassVar[int] = commands.CANCEL_SM
    LAYOUT: ClassVar[Layout] = (("service_type", SERVICE_TYPE), ("message_id", MESSAGE_ID), *_SOURCE, *_DESTINATION)

    service_type: str = ""
    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    destination_ton: int = 0
    destination_npi: int = 0
    destination: str = ""


class CancelSmResp(Pdu):
    COMMAND: ClassVar[int] = commands.CANCEL_SM | commands.RESPONSE_BIT


class ReplaceSm(Pdu):
    """The text's coding is the replaced message's."""

    COMMAND: ClassVar[int] = commands.REPLACE_SM
    LAYOUT: ClassVar[Layout] = (
        ("message_id", MESSAGE_ID),
        *_SOURCE,
        ("schedule_delivery_time", TIME),
        ("validity_period", TIME),
        ("registered_delivery", ONE_OCTET),
        ("sm_default_msg_id", ONE_OCTET),
    )  # then sm_length and short_message

    message_id: str = ""
    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class ReplaceSmResp(Pdu):
    COMMAND: ClassVar[int] = commands.REPLACE_SM | commands.RESPONSE_BIT


class AlertNotification(Pdu):
    """The mobile station is there again; takes no response."""

    COMMAND: ClassVar[int] = commands.ALERT_NOTIFICATION
    LAYOUT: ClassVar[Layout] = (
        ("source_ton", ONE_OCTET),
        ("source_npi", ONE_OCTET),
        ("source", LONG_ADDRESS),
        ("esme_ton", ONE_OCTET),
        ("esme_npi", ONE_OCTET),
        ("esme", LONG_ADDRESS),
    )

    source_ton: int = 0
    source_npi: int = 0
    source: str = ""
    esme_ton: int = 0
    esme_npi: int = 0
    esme: str = ""


_CONCRETE: Final[tuple[type[Pdu], ...]] = (
    GenericNack,
    BindReceiver,
    BindTransmitter,
    BindTransceiver,
    BindReceiverResp,
    BindTransmitterResp,
    BindTransceiverResp,
    Outbind,
    Unbind,
    UnbindResp,
    EnquireLink,
    EnquireLinkResp,
    SubmitSm,
    SubmitSmResp,
    DeliverSm,
    DeliverSmResp,
    SubmitMulti,
    SubmitMultiResp,
    DataSm,
    DataSmResp,
    QuerySm,
    QuerySmResp,
    CancelSm,
    CancelSmResp,
    ReplaceSm,
    ReplaceSmResp,
    AlertNotification,
)

PDUS: Final[dict[int, type[Pdu]]] = {pdu.COMMAND: pdu for pdu in _CONCRETE}
