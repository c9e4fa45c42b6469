"""The BackOffice as a site: the groups of its menu in the guide's order, and whatever the two packages declare."""

from relais.backoffice import entities, screens
from relais.pages.site import Site

GROUPS = (
    ("Traffic", "activity"),
    ("Account management", "building"),
    ("Finance", "coin-euro"),
    ("MCCMNC", "antenna-bars-5"),
    ("Users", "users"),
    ("Reports", "chart-bar"),
    ("Notifications", "bell"),
    ("Settings", "settings"),
    ("Audit", "history"),
    ("Pre-moderation", "shield-check"),
    ("Portals", "world"),
)

BACKOFFICE = Site("backoffice", "BackOffice", GROUPS)
BACKOFFICE.discover(entities)
BACKOFFICE.discover(screens)
