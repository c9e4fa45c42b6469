"""Dictionaries of countries, networks and numbers; services, their scopes and rate trees; what is enabled for whom."""
