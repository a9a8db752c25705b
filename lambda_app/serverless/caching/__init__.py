"""Django's cache on Valkey, where nobody waits for a cache that is away; and what no cache on the way may keep."""
