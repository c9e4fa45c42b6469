"""Django application of this area."""

from django.apps import AppConfig


class ConnectionsConfig(AppConfig):
    name = "relais.records.connections"
    label = "connections"
