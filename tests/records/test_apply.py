"""Scenario files: the Spain scenario as it stands, the same again, and everything that can be wrong with a file."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import SPAIN
from tests.records.conftest import EUR, NOW

from relais.records.errors import Invalid

Apply = Callable[[str], Any]


def read_document(file: Path) -> dict[str, Any]:
    """Needs no database; imported late, because its package needs Django to be set up."""
    from relais.records.apply.document import read_document

    return read_document(file)


@pytest.fixture
def apply(tmp_path: Path) -> Apply:
    """Applies a text as the file `part.yaml`."""

    def apply_text(text: str) -> Any:
        from relais.records.apply import apply_file

        file = tmp_path / "part.yaml"
        file.write_text(text, encoding="utf-8")
        return apply_file(file, NOW)

    return apply_text


def all_rows() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the records, to see that nothing happened."""
    from django.apps import apps

    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model.__module__.startswith("relais.") and model._meta.model_name not in {"numberprefix", "networkcode"}
    }


def faults_of(apply: Apply, text: str) -> list[str]:
    """The lines of the refusal; nothing was changed."""
    before = all_rows()
    with pytest.raises(Invalid) as refusal:
        apply(text)
    assert all_rows() == before
    return str(refusal.value).splitlines()


def test_the_spain_scenario_applied_again_changes_nothing(spain: str) -> None:
    from relais.records.apply import apply_file

    before = all_rows()
    summary = apply_file(SPAIN)
    assert not summary.changed
    assert str(summary).splitlines()[0] == "companies: 2 unchanged"
    assert str(summary).splitlines()[-1] == "unchanged"
    assert all_rows() == before


def test_the_spain_scenario_stands_in_the_database_as_written(spain: str) -> None:
    from relais.records.agreements.models import Balance
    from relais.records.catalog.models import EnabledServiceChannel, NetworkCode, RateNode
    from relais.records.people.models import User

    balances = {row.agreement.agreement_code: row.balance_micros for row in Balance.objects.all()}
    assert balances == {"HH-1": 1000 * EUR, "TM-1": 100 * EUR}
    digi = NetworkCode.objects.get(pk="21422").network_id
    node = RateNode.objects.get(value=str(digi), domain="sms_messaging")
    assert node.scale == {
        "type": "tier",
        "counter_group": ["sender_id"],
        "steps": [{"up_to": 1000, "price_micros": 5000}, {"price_micros": 4000}],
    }
    assert set(EnabledServiceChannel.objects.values_list("domain", flat=True)) == {"sms_messaging"}
    assert User.objects.get(login="owner").check_password("Olga-demo-2025")


def test_a_file_speaks_only_of_the_fields_it_has(spain: str, apply: Apply) -> None:
    from relais.records.parties.models import Company

    Company.objects.filter(name="Telecom Monsters").update(description="told by hand")
    company = "{name: Telecom Monsters, parent: Hornes and Hooves, enabled: false}"
    assert str(apply(f"companies: [{company}]")) == "companies: 1 changed"
    monsters = Company.objects.get(name="Telecom Monsters")
    assert (monsters.description, monsters.enabled) == ("told by hand", False)


def test_a_changed_price_makes_one_new_rate_node(spain: str, tmp_path: Path) -> None:
    from relais.records.apply import apply_file
    from relais.records.catalog.models import RateNode

    count = RateNode.objects.count()
    file = tmp_path / "dearer.yaml"
    file.write_text(SPAIN.read_text(encoding="utf-8").replace('price: "0.08"', 'price: "0.09"'), encoding="utf-8")
    assert "services: 1 changed, 1 unchanged" in str(apply_file(file))
    assert RateNode.objects.count() == count + 1
    assert RateNode.objects.get(retired_at=None, is_others=True, price_type="flat", price_micros=90_000).pk


def test_a_users_password_and_a_generated_key_are_made_once(spain: str, apply: Apply) -> None:
    from relais.records.people.models import User

    user = User.objects.get(login="client")
    user.set_password("Their-own-1")
    user.save()
    key = "api_keys: [{company: Telecom Monsters, name: generated, rights: [send]}]"
    first = apply(key)
    assert len(first.told_once) == 1
    assert "rk_" in first.told_once[0]
    assert apply(key).told_once == ()
    final_only = key.replace("[send]", "[send], webhook_events: final")
    assert "api_keys: 1 changed" in str(apply(final_only))
    assert "api_keys: 1 unchanged" in str(apply(final_only))
    from relais.records.apply import apply_file

    apply_file(SPAIN)
    user.refresh_from_db()
    assert user.check_password("Their-own-1")


def test_two_versions_stay_as_they_are_when_applied_again(spain: str, apply: Apply) -> None:
    from relais.records.agreements.models import AgreementVersion

    terms = "billing_timezone: Europe/Madrid, billing_period: monthly, days_for_payment: 14"
    agreement = (
        "agreements: [{agreement_code: TM-1, company: Telecom Monsters, legal_entity: TM SL, own_legal_entity: HH Ltd,"
        " own_bank_account: HH EUR, agreement_date: 2025-01-01, currency: EUR, versions: ["
        f'{{effective_from: "2025-09-01T00:00:00+02:00", tax: "21.00", {terms}}},'
        f'{{effective_from: "2025-01-01T00:00:00+01:00", effective_till: null, {terms}}}]}}]'
    )
    assert str(apply(agreement)) == "agreements: 1 changed"
    assert str(apply(agreement)) == "agreements: 1 unchanged\nunchanged"
    versions = AgreementVersion.objects.filter(agreement__agreement_code="TM-1").order_by("effective_from")
    assert [version.tax_bp for version in versions] == [0, 2100]
    assert versions[0].effective_till == versions[1].effective_from


def test_a_payment_is_confirmed_by_the_next_file_and_counted_once(spain: str, apply: Apply) -> None:
    from relais.records.agreements.models import Balance

    payment = 'agreement: TM-1, payment_date: 2025-06-14, reference_code: P2, payment_amount: "10.00"'
    apply(f"payments: [{{{payment}, payment_confirmed: false, confirm_payment_before: 2025-07-01}}]")
    assert str(apply(f"payments: [{{{payment}, payment_confirmed: true}}]")) == "payments: 1 changed"
    assert str(apply(f"payments: [{{{payment}, payment_confirmed: true}}]")).endswith("unchanged")
    assert Balance.objects.get(agreement__agreement_code="TM-1").balance_micros == 110 * EUR


def test_all_faults_are_told_at_once_by_file_path_and_reason(spain: str, apply: Apply) -> None:
    faults = faults_of(
        apply,
        """
companies:
  - {name: Fine, type: client}
  - {name: Fog, typ: client}
  - {type: client}
  - {name: Lost, parent: Hornes and Hoves}
  - {name: fine}
contacts: []
payments:
  - {agreement: TM-1, payment_date: 2025-01-02, reference_code: A, payment_amount: 10.5, payment_confirmed: true}
  - {agreement: TM-1, payment_date: soon, reference_code: B, payment_amount: "1.0000001", payment_confirmed: "yes"}
""",
    )
    known = "name, parent, type, creator_of_resellers, enabled, description, own_legal_entity, moderation, two_factor_required, "
    known += "mnp_requests, mnp_connection, mnp_channels"
    assert faults[0] == f"part.yaml: companies[1].typ: unknown field; known are {known}"
    assert faults[1] == "part.yaml: companies[2].name: is required"
    assert faults[2] == "part.yaml: companies[4]: is the same record as companies[0]"
    assert faults[3].startswith("part.yaml: contacts: unknown section; known are mnp_connections, companies, banks")
    assert faults[4:] == [
        'part.yaml: payments[0].payment_amount: an amount is written as a text, such as "0.04", not as a number',
        "part.yaml: payments[1].payment_date: a date such as 2025-01-31 is expected",
        "part.yaml: payments[1].payment_amount: not an amount of at most 6 decimals: '1.0000001'",
        "part.yaml: payments[1].payment_confirmed: true or false is expected, not a text",
        "part.yaml: companies[3].parent: no company is called 'Hornes and Hoves'; near it: 'Hornes and Hooves'",
    ]


def test_what_refers_to_a_faulty_entry_is_not_blamed_for_it(spain: str, apply: Apply) -> None:
    faults = faults_of(
        apply,
        """
companies: [{name: New}]
legal_entities:
  - {name: New SL, company: New, legal_company_name: New SL, country: XX}
bank_accounts:
  - {name: New EUR, legal_entity: New SL, bank: Iberian Financial Network, account_holder: N, account_number: "1"}
""",
    )
    assert faults == ["part.yaml: legal_entities[0].country: no country 'XX'"]


def test_users_get_roles_and_departments_that_the_file_makes(spain: str, apply: Apply) -> None:
    from relais.records.people.models import User

    text = """
users:
  - {interface: client_portal, company: Telecom Monsters, login: carl, password: "Night-demo-25", first_name: Carl, last_name: C,
     e_mail: c@example.com, language: en, roles: [Night writer, broadcast manager], department: night}
roles:
  - {interface: client_portal, company: Hornes and Hooves, name: Night writer, levels: {Broadcast: manage}}
departments: [{company: Telecom Monsters, name: Night}]
"""
    apply(text)
    user = User.objects.get(login="carl")
    assert ({role.name for role in user.roles.all()}, user.department.name) == (
        {"Night writer", "Broadcast manager"},
        "Night",
    )
    assert not apply(text).changed
    assert apply(text.replace("Night writer, broadcast manager", "Night writer")).changed
    assert [role.name for role in user.roles.all()] == ["Night writer"]
    wrong = text.replace("[Night writer,", "[Nigth writer,").replace("Broadcast: manage", "Broadcast: all")
    assert faults_of(apply, wrong) == [
        "part.yaml: roles[0].levels: 'Broadcast': no such permission or level",
        "part.yaml: users[0].roles: no role is called 'Nigth writer'; near it: 'Night writer'",
    ]
    nobody = text.replace("roles: [Night writer, broadcast manager], ", "").replace("carl", "cora")
    assert faults_of(apply, nobody) == ["part.yaml: users[0].roles: choose at least one, or No restrictions"]


def test_faults_of_rate_trees_are_told_by_their_place_in_the_file(spain: str, apply: Apply) -> None:
    faults = faults_of(
        apply,
        """
services:
  - name: Bad
    company: System owner
    type: pay_as_you_go
    currency: EUR
    scopes:
      - effective_from: "2025-01-01T00:00:00Z"
        rates:
          - domain: sms_messaging
            resources:
              - resource: sms_message
                by: country
                rates:
                  - {is: ES, price: "0.03"}
                  - {is: ES, price: "0.04"}
  - name: Worse
    company: System owner
    type: pay_as_you_go
    currency: EUR
    scopes:
      - effective_from: "2025-01-01T00:00:00"
        rates: []
      - effective_from: "2025-01-01T00:00:00Z"
        rates:
          - domain: sms_messaging
            resources:
              - resource: sms_message
                by: network
                rates:
                  - {is: "99999", price: "0.03"}
                  - {is: others, price: "0.03", price_type: free}
                  - is: "21401"
                    scale: {type: tier, steps: [{up_to: 10, price: "0.01"}, {up_to: 5, price: "0.02"}, {price: "0.03"}]}
""",
    )
    tree = "part.yaml: services[0].scopes[0].rates[0].resources[0]"
    assert faults[0] == (
        "part.yaml: services[1].scopes[0].effective_from: an instant needs its zone: add Z or an offset such as +01:00"
    )
    assert len(faults) == 2
    assert faults[1].startswith(f"{tree}.rates[1]: ")


def test_values_of_a_rate_tree_must_be_in_the_dictionaries_and_terms_be_one(spain: str, apply: Apply) -> None:
    faults = faults_of(
        apply,
        """
services:
  - name: Worse
    company: System owner
    type: pay_as_you_go
    currency: EUR
    scopes:
      - effective_from: "2025-01-01T00:00:00Z"
        rates:
          - domain: sms_messaging
            resources:
              - resource: sms_message
                by: country
                rates:
                  - {is: ZZ, price: "0.03"}
                  - {is: NO, price: "0.03"}
                  - {is: others, price: "0.03", price_type: free}
                  - is: ES
                    by: network
                    rates: [{is: "99999", price: "0.03"}]
""",
    )
    tree = "part.yaml: services[0].scopes[0].rates[0].resources[0].rates"
    assert faults == [
        f"{tree}[0].is: no country 'ZZ' in the dictionary",
        f"{tree}[2]: takes one of: by with rates, price, scale, price_type",
        f"{tree}[3].rates[0].is: no network has the code '99999' in the dictionary",
    ]


def test_an_overlapping_version_and_a_second_service_on_a_channel_are_refused(spain: str, apply: Apply) -> None:
    from relais.records.agreements.models import AgreementVersion
    from relais.records.catalog.models import EnabledService

    terms = "billing_timezone: Europe/Madrid, billing_period: monthly, days_for_payment: 14"
    faults = faults_of(
        apply,
        "agreements: [{agreement_code: TM-1, company: Telecom Monsters, legal_entity: TM SL, own_legal_entity: HH Ltd,"
        " own_bank_account: HH EUR, agreement_date: 2025-01-01, currency: USD, versions: []}, {agreement_code: HH-1,"
        " company: Hornes and Hooves, legal_entity: HH Ltd, own_legal_entity: System owner LE,"
        " own_bank_account: Owner EUR, agreement_date: 2025-01-01, currency: EUR, versions:"
        f' [{{effective_from: "2024-01-01T00:00:00Z", {terms}}}]}}]\n'
        'enabled_services: [{agreement: TM-1, service: SMS service, effective_from: "2025-02-01T00:00:00Z"}]',
    )
    version = AgreementVersion.objects.get(agreement__agreement_code="HH-1")
    enabled = EnabledService.objects.get(agreement__agreement_code="TM-1")
    assert faults == [
        "part.yaml: agreements[0].currency: cannot be changed once the record exists",
        f"part.yaml: agreements[1].versions[0].effective_from: overlaps the version with ID {version.pk}",
        f"part.yaml: enabled_services[0].service: overlaps 'SMS service' (enabled service ID {enabled.pk}),"
        " which covers sms_messaging then",
    ]


def test_connections_that_could_not_be_used_and_senders_that_could_not_be_sent_are_refused(
    spain: str, apply: Apply
) -> None:
    faults = faults_of(
        apply,
        """
vendor_smpp_connections:
  - {name: A, host_name: h, port: 70000, system_id: s, password: p}
  - {name: B, host_name: h, port: 2775, system_id: s, password: p, options: {colour: red}}
  - {name: C, host_name: h, port: 2775, system_id: s, password: p, statuses_map: {UNDELIV: [{method: lost}]}}
sender_ids:
  - {channel: sms, sender_id: "привет", name: x, company: Telecom Monsters, agreement: TM-1, status: active, vendor_type: smpp,
     connection: Simulator}
  - {channel: sms, sender_id: ok, name: x, company: Telecom Monsters, status: active, vendor_type: smpp, connection: Simulatr}
""",
    )
    assert faults[0] == "part.yaml: vendor_smpp_connections[0].port: a whole number from 1 to 65535 is expected"
    assert faults[1].startswith("part.yaml: vendor_smpp_connections[1].options: ")
    assert "colour" in faults[1]
    assert faults[2].startswith("part.yaml: vendor_smpp_connections[2].statuses_map: UNDELIV: a line has codes")
    assert faults[3] == "part.yaml: sender_ids[0].sender_id: takes 1 to 20 characters of the GSM 7-bit alphabet"
    assert faults[4].startswith(
        "part.yaml: sender_ids[1].connection: no vendor SMPP connection is called 'Simulatr'; near"
    )


def test_a_name_that_means_two_is_told_apart_by_its_owner(spain: str, apply: Apply) -> None:
    apply("companies: [{name: Twin, parent: System owner}, {name: Twin, parent: Hornes and Hooves}]")
    entity = "legal_company_name: T, country: ES"
    assert faults_of(apply, f"legal_entities: [{{name: T, company: Twin, {entity}}}]") == [
        "part.yaml: legal_entities[0].company: more than one company is called 'Twin': write \"Owner / Twin\""
    ]
    assert apply(f"legal_entities: [{{name: T, company: Hornes and Hooves / Twin, {entity}}}]").changed


@pytest.mark.usefixtures("records")
@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"companies:\n  - {name: \xff}\n", "line 2: not UTF-8 text"),
        (b"companies:\n  - {name: [}\n", "line 2: "),
        (b"companies: []\ncompanies: []\n", "line 2: 'companies' stands here twice"),
        (b"companies:\n  - &a {name: x}\n  - *a\n", "line 3: anchors are not supported"),
        (b"- companies\n", "is not a mapping of sections"),
        (b"companies: []\n1: []\n", "line 2: a name is a text"),
        (b"companies: \x00\n", "line 1: a character that text files do not have"),
        (b"companies: " + b"[" * 5000, "is nested too deeply"),
        (b"payments: [{payment_date: 2025-02-30}]", "a value that is not what it looks like"),
        (b"companies: !!python/object:os.system {}", "line 1: could not determine a constructor"),
    ],
)
def test_a_text_that_is_no_scenario_is_refused_with_its_line(tmp_path: Path, octets: bytes, reason: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(octets)
    with pytest.raises(Invalid) as refusal:
        read_document(file)
    assert str(refusal.value).startswith(reason)


@pytest.mark.usefixtures("records")
def test_norway_is_a_text(tmp_path: Path) -> None:
    file = tmp_path / "norway.yaml"
    file.write_text("a: {is: NO, b: on, c: true}", encoding="utf-8")
    assert read_document(file) == {"a": {"is": "NO", "b": "on", "c": True}}


@pytest.mark.usefixtures("records")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text("{}[]:,-&*!'\"\n #a1~", max_size=60).map(str.encode)))
def test_any_octets_are_read_or_refused(tmp_path: Path, octets: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(octets)
    try:
        assert isinstance(read_document(file), dict)
    except Invalid as refusal:
        assert str(refusal)


@pytest.mark.usefixtures("records")
def test_the_reference_page_names_every_section_and_every_field() -> None:
    from relais.records.apply.agreements import VERSION
    from relais.records.apply.catalog import SCOPE
    from relais.records.apply.run import SECTIONS

    page = (SPAIN.parent.parent / "docs" / "reference" / "scenario.md").read_text(encoding="utf-8")
    chapters = {part.partition("\n")[0]: part for part in page.split("\n### ")[1:]}
    assert set(chapters) == set(SECTIONS)
    nested = {"agreements": VERSION, "services": SCOPE}
    for name, section in SECTIONS.items():
        words = set(re.findall(r"\w+", chapters[name]))
        assert {*section.shape, *nested.get(name, {})} - words == set()
