"""CPM devices over SIP: registrar, pager mode, sessions."""
