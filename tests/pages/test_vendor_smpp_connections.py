"""Vendors' SMPP connections in the BackOffice."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from tests.pages.samples.vendor_smpp_connections import new

URL = "/bo/vendor-smpp-connections/"


def connection(name: str = "Simulator") -> Any:
    from relais.records.connections.models import VendorSmppConnection

    return VendorSmppConnection.objects.get(name=name)


def password_of(record: Any) -> str:
    from relais.records.secrets import unseal

    return unseal(record.password_encrypted)


def edited(**changes: Any) -> dict[str, Any]:
    record = connection()
    sent = {"name": record.name, "host_name": record.host_name, "port": record.port, "system_id": record.system_id,
            "limits": "on", "rps_limit": record.rps_limit, "window_limit": record.window_limit}  # fmt: skip
    return sent | changes


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 422, answer.content.decode()
    found: dict[str, list[str]] = answer.context["drawer"].form.errors
    return found


def test_VSMPP_5_the_list_begins_with_the_columns_of_the_guide(owner: Any) -> None:
    listed = owner.get(URL).context["list"]
    assert [header.label for header in listed.headers][:8] == [
        "ID", "Name", "Host name", "Port", "System ID", "Status", "State of the bind", "MO inverse address mode",
    ]  # fmt: skip
    cells = [str(cell.html) for cell in listed.table[0].cells]
    assert cells[1:5] == ["Simulator", "127.0.0.1", "2776", "relais"]
    assert "Active" in cells[5] and "false" in cells[7]


def test_VSMPP_11_a_connection_is_reserved_for_companies_and_VSMPP_12_only_they_may_choose_it(owner: Any) -> None:
    from relais.records.parties.models import Company

    top, child = Company.objects.get(parent=None), Company.objects.get(name="Hornes and Hooves")
    values = new(top) | {"name": "Reserved", "companies": [child.pk]}
    assert owner.post(f"{URL}new/", values).status_code == 302
    assert list(connection("Reserved").companies.all()) == [child]
    form = owner.get(f"{URL}{connection('Reserved').pk}/edit/", headers={"HX-Request": "true"}).content.decode()
    assert f'<option value="{child.pk}" selected>Hornes and Hooves</option>' in form
    assert f'<option value="{top.pk}"' not in form, "only the chosen ones are sent along, however many there are"
    offered = owner.get(f"{URL}new/?options=companies&term=hooves").json()["options"]
    assert offered == [{"value": child.pk, "text": "Hornes and Hooves"}]
    for company, names in ((child, ["Reserved (enabled)", "Simulator (enabled)"]), (top, ["Simulator (enabled)"])):
        options = owner.get(f"/bo/sender-ids/new/?options=smpp_connection&company={company.pk}").json()["options"]
        assert [option["text"] for option in options] == names


def test_VSMPP_16_a_new_connection_needs_a_password(owner: Any) -> None:
    values = new(None) | {"password": ""}
    assert list(errors(owner.post(f"{URL}new/", values))) == ["password"]


def test_HTTPC_50_a_password_is_never_shown_and_a_blank_one_keeps_the_stored(owner: Any) -> None:
    """WC-32: what the provider gave to ask with is sealed."""
    key = connection().pk
    for url in (f"{URL}{key}/", f"{URL}{key}/edit/"):
        page = owner.get(url).content.decode()
        assert "secret" not in page and connection().password_encrypted not in page
    assert owner.post(f"{URL}{key}/edit/", edited(host_name="localhost", password="")).status_code == 302
    assert (connection().host_name, password_of(connection())) == ("localhost", "secret")
    assert owner.post(f"{URL}{key}/edit/", edited(password="another")).status_code == 302
    assert password_of(connection()) == "another"


def test_AUD_10_the_audit_says_that_the_password_changed_and_not_to_what(owner: Any) -> None:
    from relais.records.people.models import AuditLine

    owner.post(f"{URL}{connection().pk}/edit/", edited(password="another"))
    line = AuditLine.objects.filter(table="connections_vendorsmppconnection", operation="update").latest("pk")
    assert (line.old["password_encrypted"], line.new["password_encrypted"]) == ("•••", "•••")


def test_VSMPP_19_without_limits_both_limits_go(owner: Any) -> None:
    sent = edited()
    del sent["limits"]
    assert owner.post(f"{URL}{connection().pk}/edit/", sent).status_code == 302
    assert (connection().rps_limit, connection().window_limit) == (None, None)


def test_VSMPP_40_limits_need_one_of_the_two(owner: Any) -> None:
    sent = edited(rps_limit="", window_limit="")
    assert list(errors(owner.post(f"{URL}{connection().pk}/edit/", sent))) == ["rps_limit"]
    assert connection().rps_limit == 1000, "a refusal changes nothing"


@pytest.mark.parametrize(
    ("field", "value"), [("port", "0"), ("port", "65536"), ("rps_limit", "0"), ("window_limit", "-1")]
)
def test_VSMPP_39_numbers_are_within_bounds(field: str, value: str, owner: Any) -> None:
    assert list(errors(owner.post(f"{URL}{connection().pk}/edit/", edited(**{field: value})))) == [field]


def test_VSMPP_39_a_window_above_100_is_stored_with_a_warning(owner: Any) -> None:
    key = connection().pk
    assert "not recommended" not in owner.get(f"{URL}{key}/").content.decode()
    assert owner.post(f"{URL}{key}/edit/", edited(window_limit="101")).status_code == 302
    assert "The window limit is 101" in owner.get(f"{URL}{key}/").content.decode()


def test_VSMPP_27_to_34_a_statuses_map_is_entered_in_lines_read_as_a_table_and_taken_apart_again(owner: Any) -> None:
    """VSMPP-27, VSMPP-28: the map, with an entry added for each status; VSMPP-29, VSMPP-31, VSMPP-32, VSMPP-33: name, lines of
    codes, method; VSMPP-30, VSMPP-34: what is taken away in the form is gone."""
    lines = {
        "statuses_map_status": ["undeliv", "UNDELIV", "REJECTD", ""],
        "statuses_map_codes": ["001, 069", "", "", ""],
        "statuses_map_method": ["unsent", "undelivered", "unsent", "undelivered"],
    }
    key = connection().pk
    assert owner.post(f"{URL}{key}/edit/", edited(**lines)).status_code == 302
    assert connection().statuses_map == {
        "UNDELIV": [{"codes": ["001", "069"], "method": "unsent"}, {"codes": [], "method": "undelivered"}],
        "REJECTD": [{"codes": [], "method": "unsent"}],
    }
    page = owner.get(f"{URL}{key}/").content.decode()
    assert "001, 069" in page and "every other" in page and "Undelivered" in page
    form = owner.get(f"{URL}{key}/edit/").content.decode()
    assert form.count('name="statuses_map_status"') == 3 + 1, "a line each, and the one that Add status copies"
    rest = {name: values[1:2] for name, values in lines.items()}
    assert owner.post(f"{URL}{key}/edit/", edited(**rest)).status_code == 302
    assert connection().statuses_map == {"UNDELIV": [{"codes": [], "method": "undelivered"}]}


def test_VSMPP_43_a_code_stands_once_in_a_status(owner: Any) -> None:
    lines = {"statuses_map_status": ["UNDELIV", "UNDELIV"], "statuses_map_codes": ["001", "001 002"],
             "statuses_map_method": ["unsent", "undelivered"]}  # fmt: skip
    assert list(errors(owner.post(f"{URL}{connection().pk}/edit/", edited(**lines)))) == ["statuses_map"]
    assert connection().statuses_map == {}


def test_VSMPP_25_connections_are_disabled_and_enabled_one_or_many(owner: Any) -> None:
    key = connection().pk
    asked = owner.get(f"{URL}{key}/do/disable/").content.decode()
    assert "stop sending at once" in asked and not connection().disabled
    assert owner.post(f"{URL}{key}/do/disable/").status_code == 302
    assert connection().disabled
    assert "Disabled" in str(owner.get(URL).context["list"].table[0].cells[5].html)
    assert owner.post(f"{URL}bulk/enable/", {"ids": [key], "sure": "1"}).status_code == 302
    assert not connection().disabled and password_of(connection()) == "secret"


def test_SID_233_deleting_names_the_sender_ids_that_use_it(owner: Any) -> None:
    key = connection().pk
    asked = owner.get(f"{URL}{key}/delete/")
    assert "Monsters" in asked.content.decode()
    assert owner.post(f"{URL}{key}/delete/").status_code == 409
    assert connection().pk == key


def test_HTTPC_51_a_reseller_does_not_see_the_connections_of_the_level_above(reseller: Any) -> None:
    assert reseller.get(URL).context["list"].table == []
    assert reseller.get(f"{URL}{connection().pk}/").status_code == 404


def test_VSMPP_42_the_state_of_the_bind_is_what_a_gateway_told_last(owner: Any) -> None:
    from django.utils import timezone

    from relais.records.traffic.models import GatewayBeat

    def shown() -> str:
        return str(owner.get(URL).context["list"].table[0].cells[6].html)

    def beat(ago_s: int, **lane: Any) -> None:
        told = {"connections": {str(connection().pk): {"rate": 10, "limit": 10} | lane}}
        at = timezone.now() - timedelta(seconds=ago_s)
        GatewayBeat.objects.create(at=at, gateway=uuid.uuid4(), beat=told, events={})

    assert "Failed" in shown() and "no gateway drives it" in shown()
    beat(60, ready=True, reason="")
    assert "no gateway drives it" in shown(), "what was told a minute ago says nothing of now"
    beat(3, ready=False, reason="bind refused")
    assert "Failed" in shown() and "bind refused" in shown()
    beat(1, ready=True, reason="")
    assert "Bound" in shown()
    owner.post(f"{URL}{connection().pk}/do/disable/")
    assert "Disabled" in shown()


def test_VSMPP_10_to_VSMPP_26_the_dialog_asks_in_the_order_of_the_guide(owner: Any) -> None:
    """VSMPP-10, VSMPP-11, VSMPP-13, VSMPP-14, VSMPP-15, VSMPP-16, VSMPP-17, VSMPP-18, VSMPP-22, VSMPP-23, VSMPP-24, VSMPP-25 and
    VSMPP-26: what is asked, what must be given, and that it is kept."""
    sections = owner.get(f"{URL}new/").context["drawer"].sections
    fields = [field for section in sections for field in section.fields]
    assert [field.label for field in fields] == [
        "Name", "Company IDs", "Host name", "Port", "System ID", "Password", "System type", "SSL type", "Limits", "RPS limit",
        "Window limit", "Use TLV", "Inverse address mode", "Fallback sender ID", "Statuses map", "Disable SMPP connection",
    ]  # fmt: skip
    required = {field.label for field in fields if field.field.required}
    assert required == {"Name", "Host name", "Port", "System ID", "Password"}
    for name in ("name", "host_name", "port", "system_id"):
        assert list(errors(owner.post(f"{URL}new/", new(None) | {name: ""}))) == [name]
    for chosen, kept in (("True", True), ("", False)):  # VSMPP-18: empty means no encryption
        assert owner.post(f"{URL}{connection().pk}/edit/", edited(use_tls=chosen)).status_code == 302
        assert connection().use_tls is kept
    assert list(errors(owner.post(f"{URL}{connection().pk}/edit/", edited(use_tls="SSLv2")))) == ["use_tls"]
    assert owner.post(f"{URL}{connection().pk}/edit/", edited(system_type="VMA", use_tlv="on")).status_code == 302
    assert (connection().system_type, connection().use_tlv, connection().inverse_address_mode) == ("VMA", True, False)


def test_VSMPP_4_to_VSMPP_9_the_sample_row_of_the_guide_and_what_is_around_it(owner: Any) -> None:
    """VSMPP-4, VSMPP-6, VSMPP-7: the row; VSMPP-8: the controls; VSMPP-9: its view; VSMPP-2, VSMPP-3: sender IDs need one."""
    from tests.pages.samples.sender_ids import new as new_sender

    from relais.records.parties.models import Company

    sample = {"name": "SMPP connection 1", "host_name": "reget", "port": "4433", "system_id": "4fs"}
    assert owner.post(f"{URL}new/", new(None) | sample).status_code == 302
    answer = owner.get(f"{URL}?name=SMPP+connection+1")
    (row,) = answer.context["list"].table
    cells = [str(cell.html) for cell in row.cells]
    assert cells[1:5] == ["SMPP connection 1", "reget", "4433", "4fs"] and "Active" in cells[5] and "false" in cells[7]
    page = answer.content.decode()
    assert "New vendor SMPP connection" in page and 'popovertarget="columns-menu"' in page
    view = owner.get(f"{URL}{row.pk}/").content.decode()
    assert all(f"{URL}{row.pk}/{verb}/" in view for verb in ("edit", "delete")) and "data-close" in view
    sender = new_sender(Company.objects.get(parent=None))
    assert list(errors(owner.post("/bo/sender-ids/new/", sender | {"smpp_connection": ""}))) == ["smpp_connection"]
    assert owner.post("/bo/sender-ids/new/", sender | {"smpp_connection": row.pk}).status_code == 302


def test_VSMPP_45_internal_addresses_are_refused_unless_the_operator_allows_them(owner: Any) -> None:
    from django.test import override_settings

    key = connection().pk
    with override_settings(CONNECTIONS_ALLOW_PRIVATE=False):
        for host in ("10.0.0.1", "localhost", "::1", "169.254.169.254", "::ffff:192.168.1.1"):
            assert list(errors(owner.post(f"{URL}{key}/edit/", edited(host_name=host)))) == ["host_name"], host
        assert connection().host_name == "127.0.0.1"
        assert owner.post(f"{URL}{key}/edit/", edited(port="2777")).status_code == 302, "what was allowed once may stay"
        assert owner.post(f"{URL}{key}/edit/", edited(host_name="9.9.9.9")).status_code == 302
    assert owner.post(f"{URL}{key}/edit/", edited(host_name="localhost")).status_code == 302


def test_a_connection_is_disconnected_and_connected_again_by_hand_and_tells_how_it_stands(owner: Any) -> None:
    from django.utils import timezone

    from relais.records.people.models import AuditLine
    from relais.records.traffic.models import GatewayBeat

    key, at, gateway = connection().pk, timezone.now(), uuid.uuid4()
    lane = {"rate": 10, "limit": 10, "ready": True, "reason": "2 of 3 sessions bound", "sessions": 2, "sessions_max": 3,
            "window": 7, "window_max": 100, "queued": 1200,
            "last_error": [1_767_225_600_000, "bad", "ESME_RTHROTTLED 0x58 <b>"]}  # fmt: skip
    for ago_s, sent in ((5, 100), (1, 300)):
        told = {"connections": {str(key): lane | {"sent": sent}}}
        GatewayBeat.objects.create(at=at - timedelta(seconds=ago_s), gateway=gateway, beat=told, events={})
    cells = owner.get("/bo/live-traffic/connections/").json()
    assert "Bound" in cells[f"bind-{key}"] and "2 of 3 sessions bound" in cells[f"bind-{key}"]
    shown = {name: cells[f"{name}-{key}"] for name in ("sessions", "window", "now", "queued", "last_error")}
    assert "2 / 3" in shown["sessions"] and "7 / 100" in shown["window"] and ">50<" in shown["now"]
    assert "1\N{NO-BREAK SPACE}200" in shown["queued"] and "0x58 &lt;b&gt;" in shown["last_error"]
    listed = owner.get(URL).content.decode()
    assert f'data-cell="sessions-{key}" data-now="/bo/live-traffic/connections/"' in listed
    assert owner.post(f"{URL}{key}/do/connect/").status_code == 404, "it is connected"
    assert owner.post(f"{URL}{key}/do/reconnect/").status_code == 302
    assert connection().reconnect_at >= at and not connection().disconnected
    assert owner.post(f"{URL}{key}/do/disconnect/").status_code == 302
    assert (
        connection().disconnected and "Disconnected" in owner.get("/bo/live-traffic/connections/").json()[f"bind-{key}"]
    )
    assert owner.post(f"{URL}{key}/do/connect/").status_code == 302
    line = AuditLine.objects.filter(table="connections_vendorsmppconnection", operation="update").latest("pk")
    assert (line.old["disconnected"], line.new["disconnected"]) == (True, False)
    assert line.action.action == "Connect Vendor SMPP connection"


def test_a_stranger_learns_nothing_of_connections_and_may_not_cut_them(reseller: Any) -> None:
    assert reseller.get("/bo/live-traffic/connections/").json() == {}
    for verb in ("disconnect", "reconnect"):
        assert reseller.post(f"{URL}{connection().pk}/do/{verb}/").status_code == 404
    assert not connection().disconnected
