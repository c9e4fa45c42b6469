"""What every registered vendor must be, whatever it speaks (`contracts/vendors.py`)."""

import dataclasses
import inspect

import pytest

from relais.contracts.registry import vendors
from relais.contracts.vendors import Connection, Vendor

KINDS = sorted(vendors())


def test_there_is_at_least_one_vendor() -> None:
    assert "smpp" in KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_a_frozen_dataclass_that_can_be_a_form(kind: str) -> None:
    settings = vendors()[kind].settings
    assert dataclasses.is_dataclass(settings) and vars(settings)["__dataclass_params__"].frozen
    assert settings.__doc__ and all(field.type for field in dataclasses.fields(settings))


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_of_settings_are_not_shown(kind: str) -> None:
    for field in dataclasses.fields(vendors()[kind].settings):
        if field.name in {"password", "api_key", "token", "secret"}:
            assert not field.repr, f"{field.name} would be printed"


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_has_every_method_of_the_contract(kind: str) -> None:
    vendor: Vendor = vendors()[kind]
    returned = inspect.signature(type(vendor).connect).return_annotation
    assert vendor.kind == kind and returned is not inspect.Signature.empty
    for name in ("run", "submit", "acknowledge", "spellings"):
        assert callable(getattr(Connection, name))
