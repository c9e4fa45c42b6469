"""The kit as a Django app: templates, static files, template tags."""

from django.apps import AppConfig


class PagesConfig(AppConfig):
    name = "relais.pages"
    label = "pages"
