"""Django application of the hot tables."""

from django.apps import AppConfig


class TrafficConfig(AppConfig):
    name = "relais.records.traffic"
    label = "traffic"
