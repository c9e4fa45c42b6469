"""Finds adapters by walking packages: adding a folder is all it takes to add a vendor."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from relais.contracts.vendors import Vendor

SMPP = "smpp"  # of a connection that names no other kind


@cache
def vendors() -> Mapping[str, Vendor]:
    """Every `VENDOR` of `relais.vendors.*`, by its kind. A package without one, or a kind met twice, is an error."""
    package = importlib.import_module("relais.vendors")
    found: dict[str, Vendor] = {}
    for module in pkgutil.iter_modules(package.__path__, "relais.vendors."):
        vendor: Vendor = importlib.import_module(module.name).VENDOR
        if vendor.kind in found:
            raise ValueError(f"two vendors are called {vendor.kind!r}")
        found[vendor.kind] = vendor
    return MappingProxyType(found)
