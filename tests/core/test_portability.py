"""What number portability servers say, in the forms that are known of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relais.core.portability import RANGE, Malformed, Naptr, Serving, codes_of, enum_name, of_json, of_naptr


def said(uri: str, service: str = "E2U+pstn:tel", flags: str = "u") -> Naptr:
    return Naptr(100, 10, flags, service, f"!^(.*)$!{uri}!")


def test_a_number_is_asked_for_backwards_a_label_a_digit() -> None:
    """RFC 6116 §3.2."""
    assert enum_name("447700900001", "e164.arpa") == "1.0.0.0.0.9.0.0.7.7.4.4.e164.arpa"
    assert enum_name("34", ".mnp.example.net.") == "4.3.mnp.example.net"


def test_CO_70_an_operator_is_read_out_of_every_form_of_record() -> None:
    vodafone = Serving(("23415", "234015"))
    for record in (
        said(r"tel:\1;mcc=234;mnc=15"),
        said("mcc=234;mnc=15;ported=1;err=0"),
        said("pstn:+447700900001;npdi;mccmnc=23415"),
        said("tel:+447700900001;npdi;MCCMNC=234-15;rn=+4477"),
        said("sip:+447700900001@example.net;mcc=234;mnc=15", "E2U+SIP", "U"),
    ):
        assert of_naptr([record]) == vodafone, record
    assert of_naptr([said("tel:+447700900001;npdi;rn=+44-7700.900")]) == Serving(routing_number="447700900")
    assert of_naptr([said("tel:+447700900001;npdi;rn=7700;rn-context=+44")]) == Serving(routing_number="447700")


def test_the_first_record_in_their_order_that_says_something_counts() -> None:
    last = Naptr(200, 1, "u", "E2U+pstn:tel", "!^.*$!mcc=234;mnc=20!")
    first = Naptr(100, 9, "u", "E2U+pstn:tel", "/^.*$/mcc=234;mnc=10/")
    nothing = Naptr(1, 1, "u", "E2U+pstn:tel", "!^.*$!tel:+447700900001;npdi!")
    others = [
        Naptr(1, 1, "s", "E2U+SIP", "!^.*$!mcc=234;mnc=30!"),
        Naptr(1, 1, "u", "SIP+D2U", "!^.*$!mcc=234;mnc=30!"),
    ]
    assert of_naptr([last, first, nothing, *others]).codes[0] == "23410"


def test_not_ported_and_not_known_leave_the_number_range() -> None:
    for record in (
        said("tel:+447700900001;npdi"),
        said("mcc=234;mnc=15;err=1"),
        said("tel:+44;gsm_error_code=27;mcc=234"),
    ):
        assert of_naptr([record]) == RANGE, record
    assert of_naptr([]) == RANGE and not RANGE.named


def test_codes_are_tried_as_servers_fill_them_up() -> None:
    assert codes_of("234", "010") == ("234010", "23410")
    assert codes_of("310", "26") == ("31026", "310026")
    assert codes_of("214", "1") == ("21401", "214001")
    assert codes_of("310", "410") == ("310410",)


def test_what_cannot_be_read_is_told_with_a_reason() -> None:
    for record, reason in (
        (Naptr(1, 1, "u", "E2U+pstn:tel", "!^.*$!mcc=214"), "delimiters"),
        (Naptr(1, 1, "u", "E2U+pstn:tel", ""), "delimiters"),
        (said("mcc=21;mnc=07"), "no code of an operator"),
        (said("mcc=214"), "no code of an operator"),
        (said("rn=7700"), "international form"),
    ):
        with pytest.raises(Malformed, match=reason):
            of_naptr([record])
    for document, mcc, mnc in (
        ({"mcc": True}, "mcc", "mnc"),
        ({"mcc": "21a", "mnc": 7}, "mcc", "mnc"),
        ({"m": [1]}, "m", ""),
    ):
        with pytest.raises(Malformed):
            of_json(document, mcc, mnc)


def test_paths_lead_through_names_and_places_of_lists() -> None:
    document = {"results": [{"mccMnc": "21401", "mcc": 214, "mnc": 1}], "error": 0}
    assert of_json(document, "results.0.mccMnc", "") == Serving(("21401", "214001"))
    assert of_json(document, "results.0.mcc", "results.0.mnc") == Serving(("21401", "214001"))
    for path in ("results.1.mcc", "results.x", "error.mcc", "nothing"):
        assert of_json(document, path, "") == RANGE
    assert of_json([], "0", "") == of_json({"mcc": None, "mnc": ""}, "mcc", "mnc") == RANGE


@given(
    st.lists(
        st.builds(Naptr, st.just(1), st.just(1), st.sampled_from(["u", ""]), st.just("E2U+x"), st.text(max_size=40))
    )
)
def test_whatever_a_name_server_says_is_read_or_malformed(records: list[Naptr]) -> None:
    try:
        assert isinstance(of_naptr(records), Serving)
    except Malformed as why:
        assert str(why)
