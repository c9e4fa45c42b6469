"""Django application of this area."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "relais.records.people"
    label = "people"
