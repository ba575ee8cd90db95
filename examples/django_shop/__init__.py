"""A shop in Django that keeps its quotes in models of its own: the portal under a prefix reads and decides those.

A client accepts one behind a link, or in a view of the shop's, which books the fitter as well: both are committed, or
neither. `models.py` is the shop's, `quotes.py` shows it to the portal, `apps.py` brings the portal's tables, and
`host.py` puts all together for any ASGI server. It needs `pip install 'customer-portal[http,django]'`.

What a project has in its settings is here in the package, which sets Django up when it is imported.
"""

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "shop.sqlite3",
            # A transaction takes the lock for writing at once, and never finds half-way that it cannot have it.
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[__name__],
    LOGGING_CONFIG=None,
    TIME_ZONE="UTC",
)
django.setup()
