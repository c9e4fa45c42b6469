"""Django application of this area."""

from django.apps import AppConfig


class PartiesConfig(AppConfig):
    name = "relais.records.parties"
    label = "parties"
