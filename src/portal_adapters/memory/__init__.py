"""A store in memory: for tests, demonstrations, and as the plainest reading of what the ports promise."""

from portal_adapters.memory.store import MemoryTransactions

__all__ = ["MemoryTransactions"]
