"""Verbs of guard rails: one file each."""
