"""Node-to-node hints: ``local`` for one process."""
