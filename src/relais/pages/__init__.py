"""The page kit: one declaration an entity, and its list, drawer, forms, deletion, CSV, URLs and menu line follow from it.

It knows Django and the records' one door (`records.visibility`), no business: what a form stores, a verb of `records` stores.
What does not fit a declaration is a screen of its own, which uses the same frame.
"""
