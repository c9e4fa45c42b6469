"""Balances and volume counters under reservations and charges: one pure function over a batch, chains of any length.

It does not store, does not know message ids (whoever calls it sees to it that an event happens once) and has no clock.
"""
