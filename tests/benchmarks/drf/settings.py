"""A Django project as small as the comparison allows: no admin, no sessions, persistent connections."""

import os

from tests.benchmarks.drf.database import database_of
from tests.benchmarks.wire import KEY

SECRET_KEY = KEY
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "tests.benchmarks.drf.urls"
WSGI_APPLICATION = "tests.benchmarks.drf.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "tests.benchmarks.drf.apps.Comparison",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # for Content-Length
AUTH_USER_MODEL = "comparison.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": database_of(os.environ["BENCHMARK_DATABASE"])}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_THROTTLE_CLASSES": [],
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
SIMPLE_JWT = {"SIGNING_KEY": KEY, "UPDATE_LAST_LOGIN": False}
LOGGING_CONFIG = None
