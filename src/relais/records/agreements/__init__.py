"""Agreements, their versions, their balances and the ledger behind each balance."""
