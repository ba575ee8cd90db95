"""What the shop keeps."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class Code(models.CharField):
    """Text that is sorted by code point, as the portal sorts it, whatever the database thinks of its language."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Return the column's type, with its collation on PostgreSQL; SQLite sorts that way by itself."""
        return {**super().db_parameters(connection), "collation": "C" if connection.vendor == "postgresql" else None}


class Quote(models.Model):
    """What the shop offers to a client; whoever changes an open one raises its `version`."""

    class Status(models.TextChoices):
        """What the shop itself knows about a quote; what clients decide is in the portal's tables."""

        DRAFT = "draft"
        OPEN = "open"
        WON = "won"
        LOST = "lost"
        VOID = "void"

    branch = Code(max_length=128)
    client = Code(max_length=128)
    ref = Code(max_length=128)
    title = Code(max_length=200)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    version = models.PositiveIntegerField(default=1)
    made_on = models.DateField()
    good_until = models.DateField(null=True, blank=True)
    net = models.DecimalField(max_digits=12, decimal_places=2)
    vat = models.DecimalField(max_digits=12, decimal_places=2)
    gross = models.DecimalField(max_digits=12, decimal_places=2)
    remarks = models.TextField(blank=True)
    conditions = models.TextField(blank=True)

    class Meta:
        """Lists are read in the order of an index."""

        constraints = (models.UniqueConstraint(fields=["branch", "ref"], name="one_quote_of_a_ref"),)
        indexes = (
            models.Index(fields=["branch", "client", "made_on", "ref"]),
            models.Index(fields=["branch", "client", "title", "ref"]),
        )

    def __str__(self) -> str:
        return str(self.title)


class QuoteLine(models.Model):
    """One line of a quote."""

    quote = models.ForeignKey(Quote, on_delete=models.CASCADE)
    position = models.PositiveIntegerField()
    what = models.CharField(max_length=2_000)
    quantity = models.DecimalField(max_digits=12, decimal_places=2)
    unit = models.CharField(max_length=20, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=4)
    net = models.DecimalField(max_digits=12, decimal_places=2)
    gross = models.DecimalField(max_digits=12, decimal_places=2)

    class Meta:
        """Lines come in the order of their positions."""

        ordering = ("position",)

    def __str__(self) -> str:
        return str(self.what)


class Decision(models.Model):
    """The portal's own table of decisions, for queries of the shop's; the portal alone writes to it."""

    pk = models.CompositePrimaryKey("company_id", "id")
    company_id = Code(max_length=128)
    id = Code(max_length=128)
    quote_id = Code(max_length=128)
    revision = models.IntegerField()
    answer = models.CharField(max_length=32)
    decided_at = models.BigIntegerField()

    class Meta:
        """Migrations leave it alone."""

        managed = False
        db_table = "portal_decisions"

    def __str__(self) -> str:
        return f"{self.quote_id}: {self.answer}"


class Fitting(models.Model):
    """A day on which the shop's fitter comes: there is one fitter, who visits one client a day."""

    on = models.DateField(primary_key=True)
    quote_id = models.CharField(max_length=128)

    def __str__(self) -> str:
        return f"{self.on}: {self.quote_id}"
