"""SMPP 3.4 (issue 1.2) and the useful parts of 5.0: PDUs, TLVs, receipts, and a session without socket or clock.

Lenient in reading, strict in writing. What a message costs, who may send it and how text is encoded is not known here.
"""
