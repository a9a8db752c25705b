"""A Django database backend for PostgreSQL behind RDS Proxy, and what a deploy does to the database."""
