"""Delivery receipts in the forms met at vendors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.wire.smpp import tlvs
from relais.wire.smpp.pdus import DataSm, DeliverSm
from relais.wire.smpp.receipts import (
    MessageState,
    Receipt,
    is_receipt,
    looks_like_receipt,
    read_receipt,
    receipt_text,
)

REFERENCE = (
    "id:1001A sub:001 dlvrd:001 submit date:2611221015 done date:2611221016 stat:DELIVRD err:000 text:Hello id:9 stat:X"
)


def read(text: str, tlvs: bytes = b"") -> Receipt:
    return read_receipt(DeliverSm(short_message=text.encode("latin-1"), esm_class=4, tlvs=tlvs))


DELIVERED = Receipt("1001A", MessageState.DELIVERED, "DELIVRD", "000", "2611221015", "2611221016")


def test_the_reference_form_is_read() -> None:
    assert read(REFERENCE) == DELIVERED


@pytest.mark.parametrize(
    "text",
    [
        REFERENCE.replace("sub:001 dlvrd:001 ", ""),
        REFERENCE.replace("text:", "Text:"),
        REFERENCE.split(" text:")[0],
        REFERENCE.replace("id:1001A", "ID: 1001A").replace("stat:", "Stat:"),
        "stat:DELIVRD err:000 done date:2611221016 submit date:2611221015 id:1001A",
        "id:1001A\nsub:001\ndlvrd:001\nsubmit date:2611221015\ndone date:2611221016\nstat:delivrd\nerr:000\ntext:",
        REFERENCE.split(" text:")[0] + "\0",
    ],
)
def test_keys_are_found_in_any_order_case_and_company(text: str) -> None:
    assert read(text) == DELIVERED


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("id:550e8400-e29b-41d4-a716-446655440000 stat:DELIVRD", "message_id", "550e8400-e29b-41d4-a716-446655440000"),
        ("id:1 stat:UNDELIV err:0A1", "error", "0A1"),
        ("id:1 stat:UNDELIV err:1", "error", "1"),
        ("id:1 stat:UNDELIV err:1027", "error", "1027"),
        ("id:1 stat:UNDELIV err: text:err:7", "error", ""),
        ("id:1 done date:261122101600 stat:DELIVRD", "done_date", "261122101600"),
        ("id:1 done date:261122101600000+ stat:DELIVRD", "done_date", "261122101600000+"),
        ("id:1 done date: stat:DELIVRD", "done_date", ""),
        ("id:1 stat:FAILED", "state", MessageState.UNDELIVERABLE),
        ("id:1 stat:DELIVERED", "state", MessageState.DELIVERED),
        ("id:1 stat:REJECTED", "state", MessageState.REJECTED),
        ("id:1 stat:BUFFRED", "state", MessageState.ENROUTE),
        ("id:1 stat:WHATEVER", "state", None),
        ("id:1 stat:WHATEVER", "status", "WHATEVER"),
        ("text:id:1 stat:DELIVRD", "message_id", ""),
        ("", "state", None),
    ],
)
def test_each_key_may_be_missing_or_written_otherwise(text: str, field: str, expected: object) -> None:
    assert getattr(read(text), field) == expected


def test_a_receipt_of_nothing_but_tlvs_is_read() -> None:
    octets = tlvs.pack_tlvs(
        [
            (tlvs.RECEIPTED_MESSAGE_ID, "1001A"),
            (tlvs.MESSAGE_STATE, 5),
            (tlvs.NETWORK_ERROR_CODE, b"\x03\x00\x1b"),
        ]
    )
    assert read_receipt(DeliverSm(tlvs=octets)) == Receipt("1001A", MessageState.UNDELIVERABLE, "UNDELIV", "27", "", "")
    assert read_receipt(DataSm(tlvs=octets)).message_id == "1001A"


def test_the_tlvs_id_and_the_texts_word_win() -> None:
    octets = tlvs.pack_tlvs([(tlvs.RECEIPTED_MESSAGE_ID, "4097"), (tlvs.MESSAGE_STATE, 2)])
    receipt = read("id:1001 stat:UNDELIV err:005", tlvs=octets)
    assert (receipt.message_id, receipt.state, receipt.error) == ("4097", MessageState.UNDELIVERABLE, "005")


def test_the_tlv_decides_where_the_word_is_unknown() -> None:
    receipt = read("id:1 stat:NACK/27", tlvs=tlvs.pack_tlvs([(tlvs.MESSAGE_STATE, 8)]))
    assert (receipt.state, receipt.status) == (MessageState.REJECTED, "NACK/27")


@pytest.mark.parametrize(("value", "error"), [(b"027", "027"), (b"\x03\x00\x1b", "27"), (b"\x03\x1b", "")])
def test_network_errors_are_read_in_octets_and_in_ascii(value: bytes, error: str) -> None:
    octets = b"\x04\x23" + len(value).to_bytes(2, "big") + value
    assert read_receipt(DeliverSm(tlvs=octets)).error == error


def test_the_text_may_travel_in_message_payload_in_ucs2_or_behind_a_udh() -> None:
    text = "id:7 stat:EXPIRED"
    payload = tlvs.pack_tlvs([(tlvs.MESSAGE_PAYLOAD, text.encode())])
    for pdu in (
        DeliverSm(tlvs=payload),
        DataSm(tlvs=payload),
        DeliverSm(short_message=text.encode("utf-16-be"), data_coding=8),
        DeliverSm(short_message=b"\x05\x00\x03\x01\x01\x01" + text.encode(), esm_class=0x44),
    ):
        assert receipt_text(pdu) == text
        assert read_receipt(pdu).state is MessageState.EXPIRED


@pytest.mark.parametrize(
    ("esm_class", "expected"), [(0x04, True), (0x20, True), (0x44, True), (0x00, False), (0x08, False), (0x03, False)]
)
def test_esm_class_says_whether_it_is_a_receipt(esm_class: int, expected: bool) -> None:
    assert is_receipt(DeliverSm(esm_class=esm_class)) is expected


def test_receipts_without_esm_class_are_told_from_what_people_write() -> None:
    assert looks_like_receipt(DeliverSm(short_message=REFERENCE.encode()))
    assert looks_like_receipt(DeliverSm(tlvs=tlvs.pack_tlvs([(tlvs.RECEIPTED_MESSAGE_ID, "1")])))
    assert not looks_like_receipt(DeliverSm(short_message=b"STOP"))
    assert not looks_like_receipt(DeliverSm(short_message=b"my id: 77, thanks"))


@given(st.binary(max_size=254), st.binary(max_size=60), st.integers(0, 255), st.sampled_from([0, 8]))
def test_any_octets_are_read_as_a_receipt_without_an_exception(
    message: bytes, parameters: bytes, esm_class: int, data_coding: int
) -> None:
    pdu = DeliverSm(short_message=message, tlvs=parameters, esm_class=esm_class, data_coding=data_coding)
    read_receipt(pdu)
    looks_like_receipt(pdu)


@given(st.text(st.sampled_from("id:stat err:text done date:07DELIVRD \0\n"), max_size=80))
def test_texts_that_are_almost_receipts_are_read_without_an_exception(text: str) -> None:
    assert isinstance(read(text), Receipt)


@given(st.text(st.sampled_from("id:stat err: 07\0\n"), max_size=60), st.binary(max_size=40))
def test_nothing_read_holds_a_nul_which_no_database_stores(text: str, parameters: bytes) -> None:
    receipt = read("id:1\0 stat:A\0 err:0\0 " + text, tlvs=parameters)
    assert not any("\0" in field for field in (receipt.message_id, receipt.status, receipt.error))
