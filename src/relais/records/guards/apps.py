"""Django application of this area."""

from django.apps import AppConfig


class GuardsConfig(AppConfig):
    name = "relais.records.guards"
    label = "guards"
