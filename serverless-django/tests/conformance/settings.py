"""One Django for every adapter: our settings without a database."""

from lambda_app.settings.base import *  # noqa: F403
from lambda_app.settings.base import MIDDLEWARE

ROOT_URLCONF = "tests.conformance.echo"
# A load balancer without its own name, and a header of a client's making, among them.
ALLOWED_HOSTS = ["api.example.com", ".lambda-url.eu-central-1.on.aws", ".execute-api.eu-central-1.amazonaws.com"]
MIDDLEWARE = [name for name in MIDDLEWARE if "Budget" not in name]
LOGGING_CONFIG = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 20_000_000
