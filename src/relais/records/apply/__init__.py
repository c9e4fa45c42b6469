"""Scenario files: configuration as text, applied as a whole or not at all. The format: docs/reference/scenario.md."""

from relais.records.apply.run import Summary, apply_file

__all__ = ["Summary", "apply_file"]
