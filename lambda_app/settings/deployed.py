"""What Lambda changes.  Fails at import, naming every variable, if the deploy forgot one."""

from lambda_app.settings.base import *  # noqa: F403
from lambda_app.settings.base import CLAIMS_MIDDLEWARE, MIDDLEWARE, TASK_QUEUE_NAMES
from lambda_app.topology import TOPOLOGY
from serverless_django.contract.environment import Environment
from serverless_django.objects.options import storage_options
from serverless_django.observability.logs import JSON_LOGGING

env = Environment.read()

ALLOWED_HOSTS = list(env.allowed_hosts)
LOGGING = JSON_LOGGING
# A client that has come once never comes by plain HTTP again, for a year.
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# TLS ends at the gateway, which says so in this header and lets no client say it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

if env.token_issuer:
    # No authorizer has looked at the token: a load balancer, a function URL or a server of yours stands in front.
    BEARER_TOKENS = {
        "ISSUER": env.token_issuer,
        "AUDIENCE": env.token_audience,
        "KEYS_URL": env.token_keys_url,
        "ALGORITHMS": env.token_algorithms,
    }
    MIDDLEWARE = [
        name if name != CLAIMS_MIDDLEWARE else "serverless_django.identity.middleware.BearerTokenMiddleware"
        for name in MIDDLEWARE
    ]

MEMBER_WRITES_PER_MINUTE = env.member_writes_per_minute
ADDRESS_WRITES_PER_MINUTE = env.address_writes_per_minute

# CloudFront, which the gateway takes for the client.
PROXIES_BEFORE_GATEWAY = 1 if env.origin_secret_arn else 0

DATABASES = {
    "default": {
        "ENGINE": "serverless_django.postgresql",
        "HOST": env.database_host,
        "PORT": env.database_port,
        "NAME": env.database_name,
        "USER": env.database_user,
        # For ever: the connection belongs to the environment, and the backend looks at its
        # socket before each request, because it may have died while Lambda was frozen.
        "CONN_MAX_AGE": None,
        # A cursor on the server would pin the session to one connection of RDS Proxy.
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            "connect_timeout": env.database_connect_timeout_seconds,
            # Milliseconds until bytes that nobody acknowledges count as a lost connection.
            "tcp_user_timeout": 3000,
            "sslmode": "verify-full",
            "sslrootcert": env.database_ca_bundle,
            "secret_arn": env.database_secret_arn,
            "iam": not env.database_secret_arn,
            "pinning_statements": env.pinning_statements,
        },
    }
}

if env.cache_url:
    THROTTLE_STORE = "cache"
    CACHES = {
        "default": {
            "BACKEND": "serverless_django.caching.valkey.ValkeyCache",
            "LOCATION": env.cache_url,
            # With a number that changes with what is stored: during a deploy two releases share the cache.
            "KEY_PREFIX": f"{env.stage}:2",
            "OPTIONS": {
                "iam_name": env.cache_name,
                **({"ssl_ca_certs": env.cache_ca_bundle} if env.cache_ca_bundle else {}),
            },
        }
    }

TASKS = {
    "default": {
        "BACKEND": "serverless_django.tasks.backend.SqsBackend",
        "QUEUES": TASK_QUEUE_NAMES,
        "OPTIONS": {"queue_urls": env.task_queue_urls, "queue_prefix": env.queue_prefix},
    }
}

BUCKET_NAMES = env.bucket_names
STORAGES = {
    bucket.name: {
        "BACKEND": "serverless_django.objects.storage.S3Storage",
        "OPTIONS": storage_options(bucket.name, names=env.bucket_names, domains=env.bucket_domains),
    }
    for bucket in TOPOLOGY.buckets
    if bucket.name in env.bucket_names
}
