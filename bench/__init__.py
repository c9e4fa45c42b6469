"""Measures the product as a whole: load clients, accounting of CPU, WAL and memory, and the gate against regressions."""
