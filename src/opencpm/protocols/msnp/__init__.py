"""Microsoft Notification Protocol (MSNP), the client's side, dialects 8 and 12: bytes in, events and bytes out.

Usable alone: `notification.NotificationClient` signs on and keeps the lists and presence,
`switchboard.SwitchboardClient` talks to people; both take the time as an argument.
"""
