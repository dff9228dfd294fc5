"""The worker process: the only place where decoders run. Nothing outside this folder imports it."""
