"""PDUs: every recorded one is read and written back; leniency in reading, strictness in writing."""

import csv
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.wire.smpp import codec, commands, pdus, statuses, tlvs
from relais.wire.smpp.codec import SmppError, Unencodable, decode, encode

VECTORS = list(csv.DictReader((Path(__file__).parent / "smpp_pdu_vectors.csv").open(encoding="utf-8")))
BY_ID = {row["id"]: bytes.fromhex(row["hex"]) for row in VECTORS}
STRAY_BODY = "7"  # a refused response that carries an empty message_id although it should carry nothing

octet = st.integers(0, 255)


def ascii_text(characters_max: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=characters_max)


smpp_time = st.sampled_from(["", "000001000000000R", "261122101600000+"])
tlv_octets = st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=20)), max_size=3).map(tlvs.pack_tlvs)
FIELD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "schedule_delivery_time": smpp_time,
    "validity_period": smpp_time,
    "final_date": smpp_time,
    "short_message": st.binary(max_size=254),
    "destinations": st.lists(
        st.builds(pdus.Address, octet, octet, ascii_text(20)) | ascii_text(20), min_size=1, max_size=5
    ).map(tuple),
    "unsuccessful": st.lists(
        st.builds(pdus.RefusedAddress, octet, octet, ascii_text(20), st.integers(0, 0xFFFFFFFF)), max_size=5
    ).map(tuple),
}


def pdus_of(pdu_type: type[pdus.Pdu]) -> st.SearchStrategy[pdus.Pdu]:
    """PDUs that can be written: fields within their layout's limits."""
    lengths = dict(pdu_type.LAYOUT) | dict(getattr(pdu_type, "AFTER_LIST", ()))
    lengths |= {"service_type": 6, "source": lengths.get("source", 21), "destination": lengths.get("destination", 21)}
    values: dict[str, st.SearchStrategy[Any]] = {"sequence": st.integers(1, commands.SEQUENCE_MAX)}
    for field in pdu_type.__struct_fields__:
        if field in FIELD_VALUES:
            values[field] = FIELD_VALUES[field]
        elif field not in ("sequence", "status", "tlvs"):
            values[field] = ascii_text(lengths[field] - 1) if lengths.get(field) else octet
    if pdu_type.COMMAND not in (commands.GENERIC_NACK, pdus.DeliverSmResp.COMMAND):
        values["tlvs"] = tlv_octets
    if pdu_type is pdus.GenericNack:
        values["status"] = st.integers(0, 0xFFFFFFFF)
    if pdu_type is pdus.ReplaceSm:
        values |= {"message_id": ascii_text(64).filter(bool), "source_ton": st.integers(0, 6)}
    return st.builds(pdu_type, **values)


@pytest.mark.parametrize("row", VECTORS, ids=[row["id"] for row in VECTORS])
def test_every_recorded_pdu_is_read(row: dict[str, str]) -> None:
    octets = bytes.fromhex(row["hex"])
    assert len(octets) == int(row["length"])
    pdu = decode(octets)
    assert codec.HEADER.unpack_from(octets)[1] == int(row["command_id"], 16) and type(pdu) is pdus.PDUS[pdu.COMMAND]


@pytest.mark.parametrize("row", [r for r in VECTORS if r["id"] != STRAY_BODY], ids=lambda row: row["id"])
def test_every_recorded_pdu_is_written_as_it_was(row: dict[str, str]) -> None:
    octets = bytes.fromhex(row["hex"])
    assert encode(decode(octets)) == octets


def test_a_stray_body_of_a_refused_response_is_read_and_never_written() -> None:
    assert decode(BY_ID[STRAY_BODY]) == decode(BY_ID["6"])
    assert encode(decode(BY_ID[STRAY_BODY])) == BY_ID["6"]


def test_a_submit_sm_is_read_into_its_fields() -> None:
    assert decode(BY_ID["8"]) == pdus.SubmitSm(
        sequence=3,
        source_ton=5,
        source="INFO",
        destination_ton=1,
        destination_npi=1,
        destination="77010001122",
        validity_period="000001000000000R",
        registered_delivery=1,
        data_coding=8,
        short_message="Привет".encode("utf-16-be"),
    )


def test_a_submit_multi_is_read_into_addresses_and_lists() -> None:
    pdu = decode(BY_ID["20"])
    assert isinstance(pdu, pdus.SubmitMulti)
    assert pdu.destinations == (pdus.Address(1, 1, "96170123456"), pdus.Address(1, 1, "35699001122"), "vip")
    assert pdu.short_message == b"Hi"


def test_a_submit_multi_resp_names_the_destinations_refused() -> None:
    pdu = decode(BY_ID["21"])
    assert isinstance(pdu, pdus.SubmitMultiResp)
    assert pdu.unsuccessful == (pdus.RefusedAddress(1, 1, "35699001122", statuses.ESME_RINVDSTADR),)


@given(st.sampled_from(list(pdus.PDUS.values())).flatmap(pdus_of))
@settings(max_examples=400, deadline=None)
def test_what_is_written_is_read_back(pdu: pdus.Pdu) -> None:
    if isinstance(pdu, pdus.DeliverSmResp):
        pdu.message_id = ""
    assert decode(encode(pdu)) == pdu


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_octets_are_read_or_refused_by_the_protocols_own_error(octets: bytes) -> None:
    for command_id in pdus.PDUS:
        frame = codec.HEADER.pack(16 + len(octets), command_id, 0, 1) + octets
        try:
            decode(frame)
        except SmppError:
            assert not command_id & commands.RESPONSE_BIT, "responses are always read"


@given(st.sampled_from(VECTORS), st.data())
@settings(max_examples=300, deadline=None)
def test_a_body_cut_anywhere_is_read_or_refused_with_message_length(row: dict[str, str], data: st.DataObject) -> None:
    octets = bytes.fromhex(row["hex"])
    cut = octets[: data.draw(st.integers(16, len(octets)))]
    frame = codec.HEADER.pack(len(cut), *codec.HEADER.unpack_from(cut)[1:]) + cut[16:]
    try:
        decode(frame)
    except SmppError as error:
        assert error.status == statuses.ESME_RINVMSGLEN


def test_octets_behind_a_pdu_are_not_read_as_part_of_it() -> None:
    """A decoder is handed the buffer and the PDU's end: a cut PDU must not borrow from its successor."""
    cut = BY_ID["4"][16:-8]
    with pytest.raises(SmppError):
        codec.DECODERS[commands.SUBMIT_SM](cut + b"\0" * 50, 0, len(cut), 0, 1)


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"", statuses.ESME_RINVCMDLEN),
        (BY_ID["4"][:-1], statuses.ESME_RINVCMDLEN),
        (codec.HEADER.pack(16, 0x00000111, 0, 1), statuses.ESME_RINVCMDID),
    ],
)
def test_frames_that_are_none_are_refused(octets: bytes, status: int) -> None:
    with pytest.raises(SmppError) as refused:
        decode(octets)
    assert refused.value.status == status


def test_an_unknown_destination_flag_is_refused() -> None:
    octets = bytearray(BY_ID["20"])
    octets[octets.index(b"\x01\x01\x01961")] = 3
    with pytest.raises(SmppError) as refused:
        decode(bytes(octets))
    assert refused.value.status == statuses.ESME_RINVDESTFLAG


def test_replace_sm_is_read_with_a_service_type_in_front_too() -> None:
    """Kannel writes it so."""
    plain = pdus.ReplaceSm(sequence=4, message_id="1001A", source_ton=5, source="INFO", short_message=b"Hello")
    body = encode(plain)[16:]
    for service_type in (b"\0", b"CMT\0"):
        frame = codec.HEADER.pack(16 + len(service_type) + len(body), commands.REPLACE_SM, 0, 4) + service_type + body
        assert decode(frame) == plain


def test_text_outside_ascii_is_kept_in_reading() -> None:
    octets = BY_ID["4"].replace(b"INFO", b"N\xc3\xad1")
    pdu = decode(octets)
    assert isinstance(pdu, pdus.SubmitSm) and pdu.source == "NÃ\xad1"


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "x" * 21},
        {"source": "Ñandú"},
        {"destination": "346\0"},
        {"service_type": "SIXSIX"},
        {"validity_period": "000001"},
        {"short_message": bytes(255)},
        {"data_coding": 256},
        {"source_ton": -1},
    ],
)
def test_what_a_short_message_cannot_carry_is_not_written(fields: dict[str, Any]) -> None:
    for pdu_type in (pdus.SubmitSm, pdus.DeliverSm):
        with pytest.raises(Unencodable):
            encode(pdu_type(**fields))


@pytest.mark.parametrize(
    "pdu",
    [
        pdus.SubmitSmResp(message_id="x" * 65),
        pdus.SubmitSmResp(message_id="é"),
        pdus.BindTransceiver(system_id="x" * 16),
        pdus.BindTransceiver(interface_version=256),
        pdus.SubmitMulti(destinations=()),
        pdus.SubmitMulti(destinations=("list",) * 255),
        pdus.ReplaceSm(message_id="1", short_message=bytes(255)),
        pdus.QuerySm(message_id="1\0"),
    ],
    ids=repr,
)
def test_what_a_layout_cannot_carry_is_not_written(pdu: pdus.Pdu) -> None:
    with pytest.raises(Unencodable):
        encode(pdu)


def test_passwords_are_not_shown() -> None:
    assert "pw123" not in repr(decode(BY_ID["1"]))
    assert "pw" not in repr(pdus.Outbind(system_id="SMSC", password="pw"))


def test_commands_have_their_names() -> None:
    assert commands.command_name(0x80000004) == "submit_sm_resp"
    assert commands.command_name(0x80000000) == "generic_nack"
    assert commands.command_name(0x111) == "0x00000111"
