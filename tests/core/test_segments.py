"""Texts as parts: every published vector, both widths of reference, national tables, and what holds of any text."""

import csv
import json
import re
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relais.core.gsm0338 import Language, pack
from relais.core.segments import (
    Encoded,
    NotEncodable,
    TooManyParts,
    composed,
    concatenation_headers,
    decode,
    encode,
    segment_count,
)

with (Path(__file__).parent / "gsm0338_vectors.csv").open(encoding="utf-8", newline="") as lines:
    VECTORS = list(csv.DictReader(lines))

ENCODABLE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
BORDERLINE = st.lists(st.sampled_from("a€[Ж😀@ "), max_size=700).map("".join) | st.lists(
    st.sampled_from("a€[@\f"), max_size=700
).map("".join)
REFERENCE_BITS = st.sampled_from([8, 16])
NATIONAL = st.sampled_from([None, *Language])


def text_of(vector: dict[str, str]) -> str:
    repeated = re.fullmatch(r'("(?:.)") x (\d+)', vector["text_json"])
    if repeated:
        return str(json.loads(repeated[1])) * int(repeated[2])
    return str(json.loads(vector["text_json"]))


def part_units(encoded: Encoded) -> list[int]:
    return [len(part) // (2 if encoded.encoding == "ucs2" else 1) for part in encoded.parts]


def layout(encoded: Encoded) -> str:
    units = part_units(encoded)
    if len(units) >= 10:
        return f"{len(units)} segments, first {units[0]}, last {units[-1]}"
    return "+".join(map(str, units))


@pytest.mark.parametrize("ref_bits", [8, 16])
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['id']}-{vector['note']}")
def test_SV_259_every_vector(vector: dict[str, str], ref_bits: Literal[8, 16]) -> None:
    text = text_of(vector)
    segments = int(vector[f"segments_ref{ref_bits}"])
    assert len(text) == int(vector["code_points"])
    if segments > 255:
        with pytest.raises(TooManyParts):
            encode(text, ref_bits=ref_bits)
        return
    encoded = encode(text, ref_bits=ref_bits)
    assert (encoded.encoding, encoded.units) == (vector["encoding"], int(vector["units"]))
    assert encoded.data_coding == {"gsm7": 0, "ucs2": 8}[vector["encoding"]]
    assert (len(encoded.parts), layout(encoded)) == (segments, vector[f"layout_ref{ref_bits}"])
    assert segment_count(text, ref_bits=ref_bits) == segments
    assert decode(encoded) == text
    if vector["payload_hex_unpacked"]:
        assert encoded.parts[0].hex() == vector["payload_hex_unpacked"]
    if vector["packed7_hex"]:
        assert pack(encoded.parts[0]).hex() == vector["packed7_hex"]


def test_there_are_64_vectors() -> None:
    assert len(VECTORS) == 64


@settings(max_examples=200)
@given(ENCODABLE | BORDERLINE, REFERENCE_BITS, NATIONAL)
def test_parts_joined_are_the_text_and_none_is_too_long_or_cut_within_a_character(
    text: str, ref_bits: Literal[8, 16], national: Language | None
) -> None:
    encoded = encode(text, ref_bits=ref_bits, national=national)
    assert decode(encoded) == text
    assert sum(part_units(encoded)) == encoded.units
    assert segment_count(text, ref_bits=ref_bits, national=national) == len(encoded.parts)
    headers = concatenation_headers(len(encoded.parts), 7, ref_bits, encoded.shift_elements)
    assert len(headers) == len(encoded.parts)
    for header, part in zip(headers, encoded.parts, strict=True):
        if encoded.encoding == "ucs2":
            assert len(header) + len(part) <= 140
            assert part[-2:-1] == b"" or not 0xD8 <= part[-2] <= 0xDB
        else:
            assert -(-8 * len(header) // 7) + len(part) <= 160
            assert not part.endswith(b"\x1b")
        assert decode(msgspec.structs.replace(encoded, parts=(part,))) in text
    if len(encoded.parts) > 1:
        assert all(encoded.parts)


@pytest.mark.parametrize("text", ["\0", "abc\0", "Ж\0", "\ud83d", "a\udc00b", "€" * 200 + "\udfff"])
def test_nul_and_half_a_surrogate_pair_are_not_encodable(text: str) -> None:
    with pytest.raises(NotEncodable):
        encode(text)
    with pytest.raises(NotEncodable):
        encode(text, national=Language.TURKISH)


def test_255_parts_are_the_most() -> None:
    assert segment_count("a" * 153 * 255) == 255
    with pytest.raises(TooManyParts, match="256 parts"):
        encode("a" * (153 * 255 + 1))
    with pytest.raises(TooManyParts):
        encode("Ж" * (67 * 255 + 1))


@pytest.mark.parametrize(
    ("text", "national", "units", "shift_elements"),
    [
        ("İstanbul ğüşıöç", Language.TURKISH, 20, "240101"),
        ("İstanbul ğüşıöç", Language.SPANISH, None, ""),
        ("¿Qué está aquí?", Language.SPANISH, 17, "240102"),
        ("São João", Language.PORTUGUESE, 10, "240103"),
        ("Plain text", Language.PORTUGUESE, 10, ""),
    ],
)
def test_national_tables_are_used_only_where_the_default_ones_do_not_do(
    text: str, national: Language, units: int | None, shift_elements: str
) -> None:
    encoded = encode(text, national=national)
    assert encoded.shift_elements.hex() == shift_elements
    assert (encoded.encoding, encoded.units) == (("ucs2", len(text)) if units is None else ("gsm7", units))


@pytest.mark.parametrize(
    ("text", "shift_elements", "alone", "beside_8", "beside_16"),
    [
        ("ş" + "a" * 400, "240101", 155, 149, 148),  # as many parts with either table
        ("ğş" * 200, "250101", 155, 149, 148),
        ("ş" * 200 + "è" + "ò" * 200, "240101", 155, 149, 148),  # è is given up by the locking table
        ("ã" * 300 + "Φ" * 20, "240103250103", 152, 146, 145),
    ],
)
def test_national_parts_hold_what_their_header_leaves(
    text: str, shift_elements: str, alone: int, beside_8: int, beside_16: int
) -> None:
    language = Language(int(shift_elements[4:6], 16))
    for ref_bits, most in ((8, beside_8), (16, beside_16)):
        encoded = encode(text, national=language, ref_bits=8 if ref_bits == 8 else 16)
        assert encoded.shift_elements.hex() == shift_elements
        assert part_units(encoded)[0] in (most, most - 1)
        assert decode(encoded) == text
    assert 160 - -(-8 * (len(shift_elements) // 2 + 1) // 7) == alone


def test_a_single_national_message_holds_155_septets() -> None:
    assert segment_count("ş" + "a" * 153, national=Language.TURKISH) == 1
    assert segment_count("ş" + "a" * 155, national=Language.TURKISH) == 2


def test_a_text_too_long_for_one_national_table_goes_with_the_other() -> None:
    assert encode("ş" * 25_000, national=Language.TURKISH).shift_elements.hex() == "250101"
    with pytest.raises(TooManyParts):
        encode("ş" * 50_000, national=Language.TURKISH)


def test_a_header_of_an_8_bit_reference() -> None:
    assert concatenation_headers(2, 0xAB) == (bytes.fromhex("050003ab0201"), bytes.fromhex("050003ab0202"))


def test_a_header_of_a_16_bit_reference() -> None:
    assert concatenation_headers(3, 0x1ABCD, 16)[2] == bytes.fromhex("060804abcd0303")


def test_a_header_carries_the_national_tables_of_every_part() -> None:
    assert concatenation_headers(2, 1, 8, bytes.fromhex("240101")) == (
        bytes.fromhex("080003010201240101"),
        bytes.fromhex("080003010202240101"),
    )
    assert concatenation_headers(1, 1, 8, bytes.fromhex("240101")) == (bytes.fromhex("03240101"),)


def test_a_single_part_has_no_header() -> None:
    assert concatenation_headers(1, 5) == (b"",)


@pytest.mark.parametrize("parts_count", [0, 256])
def test_a_header_counts_1_to_255_parts(parts_count: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        concatenation_headers(parts_count, 0)


def test_composition_makes_one_septet_of_a_letter_and_its_accent() -> None:
    assert encode("e\u0301").encoding == "ucs2"
    assert composed("e\u0301") == "é"
    assert encode(composed("e\u0301")).units == 1
    assert composed("plain") == "plain"
