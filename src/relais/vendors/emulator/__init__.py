"""A vendor that exists only here, for channels whose vendors say afterwards what a message was: to try them, and for tests."""

from relais.contracts.vendors import Connection, Vendor, VendorEvents
from relais.vendors.emulator.connection import EmulatedConnection, EmulatorSettings


class EmulatorVendor:
    """The registry's entry."""

    @property
    def kind(self) -> str:
        return "emulator"

    @property
    def settings(self) -> type[EmulatorSettings]:
        return EmulatorSettings

    def connect(self, settings: EmulatorSettings, events: VendorEvents) -> Connection:
        return EmulatedConnection(settings, events)


VENDOR: Vendor = EmulatorVendor()
