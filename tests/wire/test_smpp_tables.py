"""TLVs, statuses, times and forms of message ids."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.wire.smpp import statuses, tlvs
from relais.wire.smpp.message_ids import IdRule, id_forms
from relais.wire.smpp.statuses import StatusClass
from relais.wire.smpp.times import absolute_time, parse_time, relative_s, relative_time

parameters = st.lists(st.tuples(st.integers(0x1400, 0x3FFF), st.binary(max_size=30)), max_size=6)


@given(parameters)
def test_tlvs_are_read_back_in_their_order_repeated_and_empty_ones_too(given_ones: list[tuple[int, bytes]]) -> None:
    octets = tlvs.pack_tlvs(given_ones)
    assert tlvs.parse_tlvs(octets) == given_ones
    assert tlvs.well_formed(octets)
    for tag, _ in given_ones:
        assert tlvs.tlv_value(octets, tag) == next(value for other, value in given_ones if other == tag)


@given(parameters, st.binary(max_size=6), st.integers(0, 0xFFFF))
def test_a_broken_tail_is_left_out_and_told_by_well_formed(
    given_ones: list[tuple[int, bytes]], tail: bytes, tag: int
) -> None:
    octets = tlvs.pack_tlvs(given_ones) + tail
    found = tlvs.parse_tlvs(octets)
    assert found[: len(given_ones)] == given_ones
    assert tlvs.well_formed(octets) == (sum(4 + len(value) for _, value in found) == len(octets))
    tlvs.tlv_value(octets, tag)


def test_integers_and_text_are_written_as_the_table_says() -> None:
    octets = tlvs.pack_tlvs([(tlvs.MESSAGE_STATE, 2), (tlvs.RECEIPTED_MESSAGE_ID, "1001A"), (tlvs.SAR_MSG_REF_NUM, 42)])
    assert octets == bytes.fromhex("0427000102 001e0006313030314100 020c0002002a")


def test_text_is_read_with_its_nul_and_without() -> None:
    assert tlvs.text_of(b"1001A\0") == tlvs.text_of(b"1001A") == "1001A"
    assert tlvs.text_of(None) == tlvs.text_of(b"") == ""


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (tlvs.MESSAGE_STATE, 256),
        (tlvs.MESSAGE_STATE, b""),
        (tlvs.MESSAGE_STATE, "2"),
        (tlvs.RECEIPTED_MESSAGE_ID, "x" * 65),
        (tlvs.RECEIPTED_MESSAGE_ID, 7),
        (tlvs.MESSAGE_PAYLOAD, bytes(65_536)),
        (0x1403, 7),
    ],
)
def test_values_outside_the_table_are_not_written(tag: int, value: bytes | int | str) -> None:
    with pytest.raises(ValueError):
        tlvs.pack_tlvs([(tag, value)])


def test_the_tables_are_whole() -> None:
    assert len(tlvs.TLVS) == 53
    assert len(statuses.STATUSES) == 55
    assert tlvs.TLVS[0x0428].name == "congestion_state"


@pytest.mark.parametrize(
    ("code", "name", "kind"),
    [
        (0x00, "ESME_ROK", StatusClass.OK),
        (0x14, "ESME_RMSGQFUL", StatusClass.THROTTLE),
        (0x58, "ESME_RTHROTTLED", StatusClass.THROTTLE),
        (0x0B, "ESME_RINVDSTADR", StatusClass.PERMANENT),
        (0x08, "ESME_RSYSERR", StatusClass.TEMPORARY),
        (0x0E, "ESME_RINVPASWD", StatusClass.BIND),
        (0x0412, "0x00000412", StatusClass.AMBIGUOUS),
        (34, "0x00000022", StatusClass.AMBIGUOUS),
    ],
)
def test_statuses_have_a_name_and_a_class_known_or_not(code: int, name: str, kind: StatusClass) -> None:
    assert (statuses.status_name(code), statuses.status_class(code)) == (name, kind)


def test_absolute_times_are_written_in_utc() -> None:
    instant = datetime(2026, 11, 22, 12, 16, tzinfo=timezone(timedelta(hours=2)))
    assert absolute_time(instant) == "261122101600000+"
    with pytest.raises(ValueError):
        absolute_time(datetime(1999, 12, 31, tzinfo=UTC))


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)))
def test_absolute_times_are_read_back_to_the_tenth_of_a_second(instant: datetime) -> None:
    assert parse_time(absolute_time(instant)) == instant.replace(microsecond=instant.microsecond // 100_000 * 100_000)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2611221016", datetime(2026, 11, 22, 10, 16, tzinfo=UTC)),
        ("261122101633", datetime(2026, 11, 22, 10, 16, 33, tzinfo=UTC)),
        ("202611221016", datetime(2026, 11, 22, 10, 16, tzinfo=UTC)),
        ("20261122101633", datetime(2026, 11, 22, 10, 16, 33, tzinfo=UTC)),
        ("2611221016330", datetime(2026, 11, 22, 10, 16, 33, tzinfo=UTC)),
        ("261122101633000", datetime(2026, 11, 22, 10, 16, 33, tzinfo=UTC)),
        ("261122101600004-", datetime(2026, 11, 22, 11, 16, tzinfo=UTC)),
        ("261122101600508+", datetime(2026, 11, 22, 8, 16, 0, 500_000, tzinfo=UTC)),
        ("261122101600049+", None),
        ("2613221016", None),
        ("", None),
        ("soon", None),
    ],
)
def test_times_of_receipts_are_read_in_every_form_met(text: str, expected: datetime | None) -> None:
    assert parse_time(text) == expected


def test_times_without_zone_are_read_at_the_vendors_offset() -> None:
    assert parse_time("2611221016", 120) == datetime(2026, 11, 22, 8, 16, tzinfo=UTC)
    assert parse_time("261122101600000+", 120) == datetime(2026, 11, 22, 10, 16, tzinfo=UTC)


@given(st.integers(0, 100 * 86_400 - 1))
def test_relative_times_are_read_back(after_s: int) -> None:
    assert relative_s(relative_time(after_s)) == after_s


def test_relative_times_are_bounded() -> None:
    assert relative_time(86_400) == "000001000000000R"
    assert relative_time(10**9) == "000099000000000R"
    assert relative_s("261122101600000+") is None
    with pytest.raises(ValueError):
        relative_time(-1)


@pytest.mark.parametrize(
    ("in_response", "in_receipt", "rule"),
    [
        ("111C1AC3BB", "73485960123", IdRule.HEX_TO_DEC),
        ("111c1ac3bb", "73485960123", IdRule.HEX_TO_DEC),
        ("00111C1AC3BB", "73485960123", None),
        ("73485960123", "111c1ac3bb", IdRule.DEC_TO_HEX),
        ("0000000000001234", "1234", IdRule.STRIP_ZEROS),
        ("1234", "0000001234", IdRule.STRIP_ZEROS),
        ("a1b2-c3", "A1B2-C3", IdRule.CASE_FOLD),
        ("4d5e-9", "4d5e-9", IdRule.AS_IS),
        ("1234567890123456789012345", "1234567890123456789012345", IdRule.AS_IS),
    ],
)
def test_a_receipt_finds_its_response_whatever_the_form_of_the_id(
    in_response: str, in_receipt: str, rule: IdRule | None
) -> None:
    """`None`: two faults at once (hexadecimal, and filled to a width nobody uses) are not guessed."""
    assert (in_response in id_forms(in_receipt)) == (rule is not None)
    if rule is not None:
        assert in_response in id_forms(in_receipt, rule)


def test_the_exact_form_is_first_except_where_one_side_counts_in_hexadecimal() -> None:
    for rule in (IdRule.ANY, IdRule.AS_IS, IdRule.CASE_FOLD, IdRule.STRIP_ZEROS):
        assert id_forms("1000", rule)[0] == "1000"
    assert id_forms("4096", IdRule.HEX_TO_DEC)[0] == "1000"
    assert id_forms("1000", IdRule.DEC_TO_HEX)[0] == "4096"
    assert id_forms("1000", IdRule.AS_IS) == ("1000",)


@given(st.text(max_size=70), st.sampled_from(IdRule))
def test_forms_are_distinct_and_hold_the_exact_one(receipt_id: str, rule: IdRule) -> None:
    forms = id_forms(receipt_id, rule)
    assert len(set(forms)) == len(forms)
    assert "" not in forms
    assert (receipt_id in forms) == bool(receipt_id)
