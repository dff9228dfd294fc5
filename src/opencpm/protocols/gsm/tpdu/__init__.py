"""The transfer layer's messages (3GPP TS 23.040 §9.2), without the centre's address in front: what a fixed line
carries, and what SMPP and UCP carry in fields of their own.

:mod:`messages` has SUBMIT, DELIVER and STATUS-REPORT, :mod:`reports` the short answers to them; both read and written.
"""
