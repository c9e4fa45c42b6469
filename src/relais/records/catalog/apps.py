"""Django application of this area."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "relais.records.catalog"
    label = "catalog"
