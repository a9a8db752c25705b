"""Objects in S3: the events they send, the tasks those set off, and Django's storages."""
