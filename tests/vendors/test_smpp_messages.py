"""Between the contract's words and SMPP's, and the settings of a connection."""

import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.vendors.smpp_sandbox import part, settings_for

from relais.contracts.vendors import RefusalClass
from relais.core.lifecycle import State
from relais.vendors.smpp.messages import FINAL_STATES, REFUSAL_CLASSES, refusal, source_address, submit_sm
from relais.vendors.smpp.settings import SmppSettings
from relais.wire.smpp import statuses, tlvs
from relais.wire.smpp.codec import decode, encode
from relais.wire.smpp.message_ids import IdRule
from relais.wire.smpp.receipts import MessageState
from relais.wire.smpp.statuses import StatusClass

PLAIN = settings_for(2775)


@pytest.mark.parametrize(
    ("sender", "expected"),
    [
        ("Monsters", (5, 0, "Monsters")),
        ("24", (0, 1, "24")),
        ("123456", (0, 1, "123456")),
        ("34600123456", (1, 1, "34600123456")),
        ("+34600123456", (1, 1, "34600123456")),
        ("4fun", (5, 0, "4fun")),
        ("+", (5, 0, "+")),
        ("٣٤٥", (5, 0, "٣٤٥")),
    ],
)
def test_ton_and_npi_follow_the_senders_shape(sender: str, expected: tuple[int, int, str]) -> None:
    assert source_address(sender, PLAIN) == expected


def test_ton_and_npi_are_the_operators_where_set() -> None:
    settings = settings_for(2775, source_ton=0, source_npi=0, destination_ton=2, destination_npi=8, esm_class=3)
    request = submit_sm(part(header=b"\x05\x00\x03\x01\x02\x01", parts=2), settings)
    assert (request.source_ton, request.source_npi) == (0, 0)
    assert (request.destination_ton, request.destination_npi) == (2, 8)
    assert request.esm_class == 0x43
    assert source_address("123", settings_for(2775, short_code_ton=3, short_code_npi=0)) == (3, 0, "123")


def test_validity_is_relative_and_bounded() -> None:
    assert submit_sm(part(validity_s=90), PLAIN).validity_period == "000000000130000R"
    assert submit_sm(part(validity_s=10**6), PLAIN).validity_period == "000003000000000R"
    assert submit_sm(part(validity_s=10**6), settings_for(1, validity_max_s=3600)).validity_period == "000000010000000R"


@pytest.mark.parametrize(
    ("header", "joined"),
    [
        (b"\x05\x00\x03\x2a\x02\x01", "020c0002002a 020e000102 020f000101"),
        (b"\x06\x08\x04\x01\x2a\x02\x01", "020c0002012a 020e000102 020f000101"),
    ],
)
def test_VSMPP_22_parts_are_joined_by_tlvs_where_the_vendor_wants_it(header: bytes, joined: str) -> None:
    request = submit_sm(part(header=header, parts=2), settings_for(2775, use_tlv=True))
    assert (request.esm_class, request.short_message, request.tlvs) == (0, b"Hello", bytes.fromhex(joined))


def test_a_header_that_says_more_than_joining_stays_a_header() -> None:
    header = b"\x08\x00\x03\x2a\x02\x01\x24\x01\x01"  # a national table too
    request = submit_sm(part(header=header, parts=2), settings_for(2775, use_tlv=True))
    assert (request.esm_class, request.short_message, request.tlvs) == (0x40, header + b"Hello", b"")


@given(st.binary(max_size=140), st.sampled_from([0, 8]), st.integers(1, 10**7))
def test_every_part_that_fits_can_be_written(body: bytes, data_coding: int, validity_s: int) -> None:
    request = submit_sm(part(body=body, data_coding=data_coding, validity_s=validity_s), PLAIN)
    request.sequence = 1
    assert decode(encode(request)) == request


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (0x58, "ESME_RTHROTTLED 0x58", RefusalClass.THROTTLED),
        (0x14, "ESME_RMSGQFUL 0x14", RefusalClass.THROTTLED),
        (0x08, "ESME_RSYSERR 0x08", RefusalClass.TEMPORARY),
        (0x45, "ESME_RSUBMITFAIL 0x45", RefusalClass.TEMPORARY),
        (0x04, "ESME_RINVBNDSTS 0x04", RefusalClass.TEMPORARY),
        (0x03, "ESME_RINVCMDID 0x03", RefusalClass.PERMANENT),
        (0x0A, "ESME_RINVSRCADR 0x0A", RefusalClass.SENDER),
        (0x412, "0x00000412", RefusalClass.TEMPORARY),
        (0x00, "ESME_ROK 0x00", RefusalClass.TEMPORARY),
    ],
)
def test_a_status_says_what_to_do(status: int, error: str, kind: RefusalClass) -> None:
    assert refusal(status) == (error, kind)


def test_the_table_of_classes_is_total() -> None:
    assert set(REFUSAL_CLASSES) == set(StatusClass)
    assert all(isinstance(refusal(code)[1], RefusalClass) for code in statuses.STATUSES)


def test_VSMPP_37_statuses_without_an_entry_follow_the_standard() -> None:
    """`ENROUTE`, `ACCEPTD` and `UNKNOWN` are not final; SKIPPED (5.0) is."""
    assert {state.name: FINAL_STATES.get(state) for state in MessageState} == {
        "SCHEDULED": None,
        "ENROUTE": None,
        "DELIVERED": State.DELIVERED,
        "EXPIRED": State.EXPIRED,
        "DELETED": State.UNDELIVERED,
        "UNDELIVERABLE": State.UNDELIVERED,
        "ACCEPTED": None,
        "UNKNOWN": None,
        "REJECTED": State.REJECTED,
        "SKIPPED": State.UNDELIVERED,
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"host_name": ""},
        {"port": 0},
        {"port": 65_536},
        {"system_id": "x" * 16},
        {"password": "123456789"},
        {"password": "pässword"},
        {"system_type": "x" * 13},
        {"service_type": "SIXSIX"},
        {"long_password": True, "password": "x" * 65},
        {"response_timeout_s": 0},
        {"enquire_link_s": float("nan")},
        {"reconnect_min_s": 9.0, "reconnect_max_s": 8.0},
        {"source_ton": 256},
        {"id_match": "guess"},
    ],
    ids=repr,
)
def test_settings_that_smpp_cannot_carry_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        settings_for(fields.pop("port", 2775), **fields)


def test_settings_take_the_words_of_json_and_do_not_show_the_password() -> None:
    settings = settings_for(2775, id_match="hex_to_dec", password="x" * 64, long_password=True)
    assert settings.id_match is IdRule.HEX_TO_DEC
    assert settings.match_ids("4096")[0] == "1000"
    assert "xxx" not in repr(settings)


def test_CSMPP_21_tls_begins_at_1_2() -> None:
    context = SmppSettings(host_name="h", port=1, system_id="s", password="p", use_tls=True).tls()
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname
    assert PLAIN.tls() is None


def test_sar_tlvs_are_read_as_they_are_written() -> None:
    request = submit_sm(part(header=b"\x05\x00\x03\x2a\x02\x01", parts=2), settings_for(2775, use_tlv=True))
    assert tlvs.int_of(tlvs.tlv_value(request.tlvs, tlvs.SAR_TOTAL_SEGMENTS)) == 2
