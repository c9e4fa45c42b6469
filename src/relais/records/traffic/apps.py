"""Django application of the hot tables."""

from importlib import import_module

from django.apps import AppConfig


class TrafficConfig(AppConfig):
    name = "relais.records.traffic"
    label = "traffic"

    def ready(self) -> None:
        import_module("relais.records.traffic.visible")  # once all models are there
