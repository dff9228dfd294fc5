"""Durable memory: one narrow interface (:class:`opencpm.interfaces.Store`), SQLite as the embedded default."""
