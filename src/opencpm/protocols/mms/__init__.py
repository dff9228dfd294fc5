"""What MM1, MM4, MM7 and MM3 have in common: content as MIME parts, and the words of reports."""
