"""What is the same everywhere.  Reads no environment variable."""

from django.utils.csp import CSP

SERVERLESS = {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}
ROOT_URLCONF = "lambda_app.urls"
AUTH_USER_MODEL = "feed.Member"

INSTALLED_APPS = [
    "serverless_django",
    "serverless_django.doctor",
    "serverless_django.idempotency",
    "serverless_django.throttling",
    "lambda_app.apps.feed",
]

# No sessions, messages, admin or CSRF: the caller is who its bearer token says, at each request.
MIDDLEWARE = [
    "serverless_django.http.compression.CompressionMiddleware",
    "serverless_django.http.problems.ProblemDetailsMiddleware",
    "serverless_django.http.middleware.HeadMiddleware",
    "serverless_django.http.conditional.ConditionalGetMiddleware",
    "serverless_django.observability.enforcement.BudgetMiddleware",
    "serverless_django.caching.privacy.PrivateByDefaultMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "serverless_django.http.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",  # for its check of the Host header
    "serverless_django.http.middleware.ClaimsMiddleware",
    "serverless_django.throttling.middleware.ThrottleMiddleware",
    # Last: whatever stands before it is asked at each repetition, and REPLAY_CHECK.  A system check keeps the order.
    "serverless_django.idempotency.middleware.IdempotencyMiddleware",
]
REPLAY_CHECK = "lambda_app.apps.feed.authentication.check_caller"  # the caller may have been blocked since
# An API path is right or wrong; a redirect would lose the body.
APPEND_SLASH = False

# What the API answers is data: a browser that is made to show it as a page loads, runs and frames nothing.
SECURE_CSP = {"default-src": [CSP.NONE], "frame-ancestors": [CSP.NONE]}
SECURE_REFERRER_POLICY = "no-referrer"

# The largest request that any route takes is 500 views, of 40 KB.  Django refuses more before it parses.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

TIME_ZONE = "UTC"
USE_I18N = False

# Where a URL is given, Valkey: what one process remembers for itself is wrong in all others.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
