"""Vendors that speak SMPP 3.4: one session a connection, or several."""

from relais.contracts.vendors import Connection, Vendor, VendorEvents
from relais.vendors.smpp.connection import SmppConnection
from relais.vendors.smpp.settings import SmppSettings


class SmppVendor:
    """The registry's entry."""

    @property
    def kind(self) -> str:
        return "smpp"

    @property
    def settings(self) -> type[SmppSettings]:
        return SmppSettings

    def connect(self, settings: SmppSettings, events: VendorEvents) -> Connection:
        return SmppConnection(settings, events)


VENDOR: Vendor = SmppVendor()
