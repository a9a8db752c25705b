"""A project with every fault that the doctor knows how to find; each is marked by its number."""

import os

DEBUG = True  # 1
SECRET_KEY = "not a secret"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "tests.doctor.bad_feed.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
USE_I18N = False

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.admin",  # 2: no URL leads to it
    "serverless_django.doctor",
    "tests.doctor.bad_feed",
]

# The admin says that it cannot work; this is about apps that are merely left over.
SILENCED_SYSTEM_CHECKS = ["admin.E403", "admin.E406", "admin.E408", "admin.E409"]

MIDDLEWARE = [
    "django.middleware.cache.UpdateCacheMiddleware",  # 3: whole pages, also of members
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # 4: USE_I18N is off
    "tests.doctor.bad_feed.middleware.SlowMiddleware",  # 5: a millisecond of each request
    "tests.doctor.bad_feed.middleware.CountingMiddleware",  # 6: a query in each request
]
# 7: SESSION_ENGINE is left at its default, the database

_socket = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": os.environ["PGHOST"],
    "PORT": os.environ["PGPORT"],
    "USER": os.environ["PGUSER"],
    "NAME": os.environ["PGDATABASE"],
    # 8: CONN_MAX_AGE is left at its default; 9: so is DISABLE_SERVER_SIDE_CURSORS; 10: nothing bounds a connect
    "ATOMIC_REQUESTS": True,  # 11
}
DATABASES = {
    "default": _socket,
    # 12: never asked here, and the server could be anyone's
    "reports": {"ENGINE": "django.db.backends.postgresql", "HOST": "reports.example.com", "NAME": "reports"},
}

# 13: CACHES is left at its default, the memory of one process
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # 14: no KEY_PREFIX
    "shared": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://cache.example.com"},
}
