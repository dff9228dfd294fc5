"""SMPP 3.4 (SMS Forum): PDUs, receipts, identifiers, and one session machine for both the ESME and the SMSC."""
