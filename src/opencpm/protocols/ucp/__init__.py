"""EMI/UCP 4.0: the ASCII protocol between an SMS centre and a short message terminal (SMT). No I/O."""
