"""Django's cache on Valkey, which no request waits for in an outage; and what no cache on the way may keep."""
