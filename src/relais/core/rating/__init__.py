"""Rate trees: what a message costs one agreement. Pure: rows in, immutable tree; attributes in, rate or refusal.

It does not touch balances (`core.charging`) and does not know which scope or service is in force.
"""
