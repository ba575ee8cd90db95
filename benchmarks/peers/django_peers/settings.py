"""Django's settings: nothing that these endpoints have no use for, and connections that are kept."""

import os
from urllib.parse import urlsplit

_dsn = urlsplit(os.environ["BENCH_DSN"])

SECRET_KEY = "a key for benchmarks"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "django_peers.urls"
INSTALLED_APPS = ["django_peers", "rest_framework"]
MIDDLEWARE = []
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _dsn.path.removeprefix("/"),
        "HOST": _dsn.hostname,
        "PORT": _dsn.port,
        "USER": _dsn.username,
        "PASSWORD": _dsn.password,
        "CONN_MAX_AGE": None,
        "OPTIONS": {"options": "-c search_path=peers -c jit=off", "server_side_binding": True},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
}
