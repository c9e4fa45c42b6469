"""Django application of this area."""

from django.apps import AppConfig


class ConfigurationConfig(AppConfig):
    name = "relais.records.configuration"
    label = "configuration"
