"""Command statuses of SMPP 3.4 §5.1.3 and 5.0 §4.7.6, each with the reaction it calls for.

The class is advice for whoever submitted; 0x400 to 0x4FF and above belong to vendors and are read as `AMBIGUOUS`.
"""

from enum import Enum
from types import MappingProxyType
from typing import Final

import msgspec


class StatusClass(Enum):
    """What a status says about the request it answers."""

    OK = "ok"
    PERMANENT = "permanent"  # the same request will be refused again
    TEMPORARY = "temporary"  # the other side has a trouble of its own: later
    THROTTLE = "throttle"  # too fast or too many: slower
    BIND = "bind"  # credentials or account
    PROTOCOL = "protocol"  # one of the two sides is wrong about the protocol
    AMBIGUOUS = "ambiguous"  # vendors use it for anything


class Status(msgspec.Struct, frozen=True):
    """One row of the table."""

    code: int
    name: str
    meaning: str
    kind: StatusClass
    since: str


ESME_ROK: Final = 0x00
ESME_RINVMSGLEN: Final = 0x01
ESME_RINVCMDLEN: Final = 0x02
ESME_RINVCMDID: Final = 0x03
ESME_RINVBNDSTS: Final = 0x04
ESME_RALYBND: Final = 0x05
ESME_RINVPRTFLG: Final = 0x06
ESME_RINVREGDLVFLG: Final = 0x07
ESME_RSYSERR: Final = 0x08
ESME_RINVSRCADR: Final = 0x0A
ESME_RINVDSTADR: Final = 0x0B
ESME_RINVMSGID: Final = 0x0C
ESME_RBINDFAIL: Final = 0x0D
ESME_RINVPASWD: Final = 0x0E
ESME_RINVSYSID: Final = 0x0F
ESME_RCANCELFAIL: Final = 0x11
ESME_RREPLACEFAIL: Final = 0x13
ESME_RMSGQFUL: Final = 0x14
ESME_RINVSERTYP: Final = 0x15
ESME_RINVNUMDESTS: Final = 0x33
ESME_RINVDLNAME: Final = 0x34
ESME_RINVDESTFLAG: Final = 0x40
ESME_RINVSUBREP: Final = 0x42
ESME_RINVESMCLASS: Final = 0x43
ESME_RCNTSUBDL: Final = 0x44
ESME_RSUBMITFAIL: Final = 0x45
ESME_RINVSRCTON: Final = 0x48
ESME_RINVSRCNPI: Final = 0x49
ESME_RINVDSTTON: Final = 0x50
ESME_RINVDSTNPI: Final = 0x51
ESME_RINVSYSTYP: Final = 0x53
ESME_RINVREPFLAG: Final = 0x54
ESME_RINVNUMMSGS: Final = 0x55
ESME_RTHROTTLED: Final = 0x58
ESME_RINVSCHED: Final = 0x61
ESME_RINVEXPIRY: Final = 0x62
ESME_RINVDFTMSGID: Final = 0x63
ESME_RX_T_APPN: Final = 0x64
ESME_RX_P_APPN: Final = 0x65
ESME_RX_R_APPN: Final = 0x66
ESME_RQUERYFAIL: Final = 0x67
ESME_RINVOPTPARSTREAM: Final = 0xC0
ESME_ROPTPARNOTALLWD: Final = 0xC1
ESME_RINVPARLEN: Final = 0xC2
ESME_RMISSINGOPTPARAM: Final = 0xC3
ESME_RINVOPTPARAMVAL: Final = 0xC4
ESME_RDELIVERYFAILURE: Final = 0xFE
ESME_RUNKNOWNERR: Final = 0xFF
ESME_RSERTYPUNAUTH: Final = 0x100
ESME_RPROHIBITED: Final = 0x101
ESME_RSERTYPUNAVAIL: Final = 0x102
ESME_RSERTYPDENIED: Final = 0x103
ESME_RINVDCS: Final = 0x104
ESME_RINVSRCADDRSUBUNIT: Final = 0x105
ESME_RINVDSTADDRSUBUNIT: Final = 0x106

_TABLE = (
    Status(ESME_ROK, "ESME_ROK", "no error", StatusClass.OK, "3.4"),
    Status(ESME_RINVMSGLEN, "ESME_RINVMSGLEN", "message length wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVCMDLEN, "ESME_RINVCMDLEN", "command length wrong", StatusClass.PROTOCOL, "3.4"),
    Status(ESME_RINVCMDID, "ESME_RINVCMDID", "unknown command id", StatusClass.PROTOCOL, "3.4"),
    Status(ESME_RINVBNDSTS, "ESME_RINVBNDSTS", "command not allowed in this bind state", StatusClass.PROTOCOL, "3.4"),
    Status(ESME_RALYBND, "ESME_RALYBND", "already bound", StatusClass.BIND, "3.4"),
    Status(ESME_RINVPRTFLG, "ESME_RINVPRTFLG", "priority flag wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVREGDLVFLG, "ESME_RINVREGDLVFLG", "registered_delivery wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RSYSERR, "ESME_RSYSERR", "system error on the other side", StatusClass.TEMPORARY, "3.4"),
    Status(ESME_RINVSRCADR, "ESME_RINVSRCADR", "source address refused", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDSTADR, "ESME_RINVDSTADR", "destination address refused", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVMSGID, "ESME_RINVMSGID", "message id unknown", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RBINDFAIL, "ESME_RBINDFAIL", "bind failed", StatusClass.BIND, "3.4"),
    Status(ESME_RINVPASWD, "ESME_RINVPASWD", "password wrong", StatusClass.BIND, "3.4"),
    Status(ESME_RINVSYSID, "ESME_RINVSYSID", "system id wrong", StatusClass.BIND, "3.4"),
    Status(ESME_RCANCELFAIL, "ESME_RCANCELFAIL", "cancel failed", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RREPLACEFAIL, "ESME_RREPLACEFAIL", "replace failed", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RMSGQFUL, "ESME_RMSGQFUL", "queue full", StatusClass.THROTTLE, "3.4"),
    Status(ESME_RINVSERTYP, "ESME_RINVSERTYP", "service type wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVNUMDESTS, "ESME_RINVNUMDESTS", "number of destinations wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDLNAME, "ESME_RINVDLNAME", "distribution list unknown", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDESTFLAG, "ESME_RINVDESTFLAG", "destination flag wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVSUBREP, "ESME_RINVSUBREP", "submit with replace refused", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVESMCLASS, "ESME_RINVESMCLASS", "esm_class wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RCNTSUBDL, "ESME_RCNTSUBDL", "cannot submit to list", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RSUBMITFAIL, "ESME_RSUBMITFAIL", "submit failed", StatusClass.AMBIGUOUS, "3.4"),
    Status(ESME_RINVSRCTON, "ESME_RINVSRCTON", "source TON wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVSRCNPI, "ESME_RINVSRCNPI", "source NPI wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDSTTON, "ESME_RINVDSTTON", "destination TON wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDSTNPI, "ESME_RINVDSTNPI", "destination NPI wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVSYSTYP, "ESME_RINVSYSTYP", "system type wrong", StatusClass.BIND, "3.4"),
    Status(ESME_RINVREPFLAG, "ESME_RINVREPFLAG", "replace flag wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVNUMMSGS, "ESME_RINVNUMMSGS", "number of messages wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RTHROTTLED, "ESME_RTHROTTLED", "allowed rate exceeded", StatusClass.THROTTLE, "3.4"),
    Status(ESME_RINVSCHED, "ESME_RINVSCHED", "schedule time wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVEXPIRY, "ESME_RINVEXPIRY", "validity wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVDFTMSGID, "ESME_RINVDFTMSGID", "default message id wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RX_T_APPN, "ESME_RX_T_APPN", "receiver: temporary error", StatusClass.TEMPORARY, "3.4"),
    Status(ESME_RX_P_APPN, "ESME_RX_P_APPN", "receiver: permanent error", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RX_R_APPN, "ESME_RX_R_APPN", "receiver: message refused", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RQUERYFAIL, "ESME_RQUERYFAIL", "query failed", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVOPTPARSTREAM, "ESME_RINVOPTPARSTREAM", "TLV part broken", StatusClass.PERMANENT, "3.4"),
    Status(ESME_ROPTPARNOTALLWD, "ESME_ROPTPARNOTALLWD", "TLV not allowed", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVPARLEN, "ESME_RINVPARLEN", "TLV length wrong", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RMISSINGOPTPARAM, "ESME_RMISSINGOPTPARAM", "TLV missing", StatusClass.PERMANENT, "3.4"),
    Status(ESME_RINVOPTPARAMVAL, "ESME_RINVOPTPARAMVAL", "TLV value wrong", StatusClass.PERMANENT, "3.4"),
    Status(
        ESME_RDELIVERYFAILURE, "ESME_RDELIVERYFAILURE", "delivery failure (data_sm_resp)", StatusClass.PERMANENT, "3.4"
    ),
    Status(ESME_RUNKNOWNERR, "ESME_RUNKNOWNERR", "unknown error", StatusClass.AMBIGUOUS, "3.4"),
    Status(ESME_RSERTYPUNAUTH, "ESME_RSERTYPUNAUTH", "not authorised for service type", StatusClass.PERMANENT, "5.0"),
    Status(ESME_RPROHIBITED, "ESME_RPROHIBITED", "operation prohibited", StatusClass.PERMANENT, "5.0"),
    Status(ESME_RSERTYPUNAVAIL, "ESME_RSERTYPUNAVAIL", "service type unavailable", StatusClass.TEMPORARY, "5.0"),
    Status(ESME_RSERTYPDENIED, "ESME_RSERTYPDENIED", "service type denied", StatusClass.PERMANENT, "5.0"),
    Status(ESME_RINVDCS, "ESME_RINVDCS", "data coding wrong", StatusClass.PERMANENT, "5.0"),
    Status(ESME_RINVSRCADDRSUBUNIT, "ESME_RINVSRCADDRSUBUNIT", "source subunit wrong", StatusClass.PERMANENT, "5.0"),
    Status(
        ESME_RINVDSTADDRSUBUNIT, "ESME_RINVDSTADDRSUBUNIT", "destination subunit wrong", StatusClass.PERMANENT, "5.0"
    ),
)

STATUSES: Final = MappingProxyType({status.code: status for status in _TABLE})


def status_class(code: int) -> StatusClass:
    """The reaction to `code`; a status outside the table is ambiguous."""
    status = STATUSES.get(code)
    return status.kind if status else StatusClass.AMBIGUOUS


def status_name(code: int) -> str:
    """Such as "ESME_RTHROTTLED"; hexadecimal for a status outside the table."""
    status = STATUSES.get(code)
    return status.name if status else f"0x{code:08X}"
