"""MMS: the Interworking Functions towards MMS centres, and what all ways to them (``mm7``, ``mm4``, ...) share."""
