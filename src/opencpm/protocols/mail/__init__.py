"""Mail beyond its envelope: reports of delivery and of reading (RFC 3464, RFC 8098), and what loops look like."""
