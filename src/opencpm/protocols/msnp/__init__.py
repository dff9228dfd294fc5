"""Microsoft Notification Protocol (MSNP), the client's side, dialects 2 to 18: bytes in, events and bytes out.

Usable alone: `notification.NotificationClient` signs on and keeps the lists and presence,
`switchboard.SwitchboardClient` talks to people; both take the time as an argument. What goes over HTTP beside them is
made and read by `passport` (tickets, 8 to 12), `rst` and `sso` (tokens, 13 and later), `addressbook` (lists, 13 and
later) and `oim` (offline messages, 11 and later); the requests themselves are the caller's.
"""
