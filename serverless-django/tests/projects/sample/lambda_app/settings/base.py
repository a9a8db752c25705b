SERVERLESS = {"TOPOLOGY": "lambda_app.topology.TOPOLOGY"}
ROOT_URLCONF = "lambda_app.urls"
INSTALLED_APPS = [
    "serverless_django",
    "serverless_django.idempotency",
    "serverless_django.throttling",
    "lambda_app",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
MIDDLEWARE = [
    "serverless_django.http.compression.CompressionMiddleware",
    "serverless_django.http.problems.ProblemDetailsMiddleware",
    "serverless_django.http.middleware.HeadMiddleware",
    "serverless_django.http.conditional.ConditionalGetMiddleware",
    "serverless_django.observability.enforcement.BudgetMiddleware",
    "serverless_django.caching.privacy.PrivateByDefaultMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "serverless_django.http.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.common.CommonMiddleware",
    "serverless_django.http.middleware.ClaimsMiddleware",
    "serverless_django.throttling.middleware.ThrottleMiddleware",
    "serverless_django.idempotency.middleware.IdempotencyMiddleware",
]
REPLAY_CHECK = None
APPEND_SLASH = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
TIME_ZONE = "UTC"
USE_I18N = False
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
