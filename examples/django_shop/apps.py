"""The shop as an app of Django's."""

from typing import final

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from portal_adapters.sqlalchemy.django import migrate_with_django


@final
class ShopConfig(AppConfig):
    """Lets `manage.py migrate` make and change the portal's tables beside the shop's, in the databases of tests too."""

    name = "examples.django_shop"

    def ready(self) -> None:
        """Hear of each migration of the shop."""
        post_migrate.connect(migrate_with_django, sender=self)
