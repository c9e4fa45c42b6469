"""The alphabets against the published tables, and packing."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.gsm0338 import DEFAULT, EXTENSION, Alphabet, Language, alphabet, fill_bits_after, pack, unpack

FOLDER = Path(__file__).parent
SEPTETS = st.binary(max_size=200).map(lambda octets: bytes(octet & 0x7F for octet in octets))


def rows(file_name: str) -> list[dict[str, str]]:
    with (FOLDER / file_name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def character(row: dict[str, str]) -> str:
    return chr(int(row["codepoint"].removeprefix("U+"), 16))


DEFAULT_ROWS = [row for row in rows("gsm0338_default.csv") if row["septet_hex"] != "1B"]
NATIONAL_ROWS = rows("gsm0338_national.csv")
ALPHABETS = [
    alphabet(),
    *(alphabet(single=language) for language in Language),
    *(alphabet(locking=language) for language in (Language.TURKISH, Language.PORTUGUESE)),
    *(alphabet(locking=language, single=language) for language in (Language.TURKISH, Language.PORTUGUESE)),
]


@pytest.mark.parametrize("row", DEFAULT_ROWS, ids=lambda row: row["codepoint"])
def test_every_row_of_the_default_tables_goes_there_and_back(row: dict[str, str]) -> None:
    septets = bytes.fromhex(("1b" if row["extension"] == "1" else "") + row["septet_hex"])
    assert alphabet().septets(character(row)) == septets
    assert alphabet().text(septets) == character(row)
    assert len(septets) == int(row["septet_cost"])


def test_the_default_tables_hold_nothing_but_their_rows() -> None:
    encodable = {each for each in map(chr, range(0x10000)) if alphabet().septets(each) is not None}
    assert encodable == {character(row) for row in DEFAULT_ROWS}
    assert len(DEFAULT) == 128
    assert len(EXTENSION) == 10


@pytest.mark.parametrize("language", list(Language))
def test_national_tables_are_the_published_ones(language: Language) -> None:
    published = [row for row in NATIONAL_ROWS if int(row["language_id"]) == language]
    single = {int(row["septet_hex"], 16): character(row) for row in published if row["table"] == "single"}
    locking = {int(row["septet_hex"], 16): character(row) for row in published if row["table"] == "locking"}
    assert alphabet(single=language).extension == single
    if locking:
        expected = "".join(locking.get(septet, each) for septet, each in enumerate(DEFAULT))
        assert alphabet(locking=language).characters == expected
    else:
        with pytest.raises(ValueError, match="no locking shift table"):
            Alphabet(locking=language)


def test_shift_elements_announce_single_before_locking() -> None:
    assert alphabet(Language.TURKISH, Language.TURKISH).shift_elements == bytes.fromhex("240101250101")
    assert alphabet(single=Language.SPANISH).shift_elements == bytes.fromhex("240102")
    assert alphabet().shift_elements == b""


@pytest.mark.parametrize("table", ALPHABETS)
def test_whatever_a_table_encodes_it_decodes_to_the_same(table: Alphabet) -> None:
    everything = table.characters.replace("\ufffe", "") + "".join(table.extension.values())
    septets = table.septets(everything)
    assert septets is not None
    assert table.text(septets) == everything


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ufffe", "\x1b", "ç", "\ud800", "😀", "`", "\t"])
def test_what_is_in_no_table_is_not_encodable(text: str) -> None:
    assert alphabet().septets(text) is None


@pytest.mark.parametrize(
    ("septets", "shown"),
    [(b"a\x1b", "a"), (b"\x1b\x1b", " "), (b"\x1b\x41", "A"), (b"\x1b\x65\x1b", "€"), (b"", "")],
)
def test_a_receiver_shows_escapes_of_no_meaning_as_the_standard_says(septets: bytes, shown: str) -> None:
    assert alphabet().text(septets) == shown


def test_octets_of_eight_bits_are_no_septets() -> None:
    with pytest.raises(ValueError, match="seven bits"):
        alphabet().text(b"\x80")


def test_the_well_known_sample_of_packing() -> None:
    assert pack(b"hellohello") == bytes.fromhex("e8329bfd4697d9ec37")


@given(SEPTETS, st.integers(0, 6))
def test_unpacking_gives_back_what_was_packed(septets: bytes, fill_bits: int) -> None:
    packed = pack(septets, fill_bits=fill_bits)
    assert len(packed) == (fill_bits + 7 * len(septets) + 7) // 8
    assert unpack(packed, len(septets), fill_bits=fill_bits) == septets


@given(SEPTETS, st.integers(0, 6))
def test_padding_leaves_no_seven_spare_bits(septets: bytes, fill_bits: int) -> None:
    packed = pack(septets, fill_bits=fill_bits, pad_with_cr=True)
    spare_bits = 8 * len(packed) - fill_bits - 7 * len(septets)
    if spare_bits >= 7:
        assert unpack(packed, len(septets) + 1, fill_bits=fill_bits) == septets + b"\r"


def test_a_text_that_ends_in_cr_on_an_octet_border_gets_another() -> None:
    assert pack(b"1234567\r", pad_with_cr=True) == pack(b"1234567\r\r")
    assert pack(b"1234567", pad_with_cr=True) == pack(b"1234567\r")
    assert pack(b"12345678", pad_with_cr=True) == pack(b"12345678")


def test_too_few_octets_hold_no_septets() -> None:
    with pytest.raises(ValueError, match="do not hold"):
        unpack(b"\0", 2)


def test_septets_start_at_a_septet_border_after_a_header() -> None:
    assert [fill_bits_after(octets) for octets in (6, 7, 12)] == [1, 0, 2]
