"""Garbage collection of a process that holds much for as long as it lives and serves much that is gone at once."""

import gc


def calm_collector(after_objects: int) -> None:
    """Leave out of it what there is by now, as number plans, rate trees, templates, and collect once so many objects were made
    and not freed: reference counting frees what holds no cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(after_objects, 10, 100)
