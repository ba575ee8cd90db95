"""The peers' tables as Django's models."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

Sum = dict(max_digits=14, decimal_places=2)  # noqa: C408 - arguments


class Company(models.Model):
    id = models.TextField(primary_key=True)
    name = models.TextField()
    timezone = models.TextField()

    class Meta:
        managed = False
        db_table = "company"


class Client(models.Model):
    id = models.TextField(primary_key=True)
    company = models.ForeignKey(Company, models.CASCADE)
    name = models.TextField()

    class Meta:
        managed = False
        db_table = "client"


class AccessGrant(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    digest = models.BinaryField(unique=True)
    permissions = ArrayField(models.TextField())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "access_grant"


class Quote(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    number = models.TextField()
    state = models.TextField()
    revision = models.IntegerField()
    issued_on = models.DateField()
    valid_until = models.DateField(null=True)
    currency = models.TextField()
    subtotal = models.DecimalField(**Sum)
    tax = models.DecimalField(**Sum)
    total = models.DecimalField(**Sum)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        managed = False
        db_table = "quote"


class SalesOrder(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    number = models.TextField()
    state = models.TextField()
    ordered_on = models.DateField()
    client_reference = models.TextField(null=True)
    delivery_status = models.TextField()
    currency = models.TextField()
    subtotal = models.DecimalField(**Sum)
    tax = models.DecimalField(**Sum)
    total = models.DecimalField(**Sum)
    quote = models.ForeignKey(Quote, models.CASCADE, null=True)

    class Meta:
        managed = False
        db_table = "sales_order"


class Delivery(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    number = models.TextField()
    state = models.TextField()
    order = models.ForeignKey(SalesOrder, models.CASCADE, null=True)
    carrier_name = models.TextField(null=True)
    tracking_number = models.TextField(null=True)
    tracking_url = models.TextField(null=True)
    scheduled_on = models.DateField(null=True)
    shipped_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    backorder_of = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "delivery"


class DeliveryLine(models.Model):
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="lines")
    position = models.IntegerField()
    order_line_id = models.TextField(null=True)
    description = models.TextField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6)
    delivered_quantity = models.DecimalField(max_digits=20, decimal_places=6)
    unit = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "delivery_line"
        ordering = ("position",)


class Invoice(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    number = models.TextField()
    kind = models.TextField()
    state = models.TextField()
    payment_state = models.TextField()
    issued_on = models.DateField()
    due_on = models.DateField(null=True)
    currency = models.TextField()
    subtotal = models.DecimalField(**Sum)
    tax = models.DecimalField(**Sum)
    total = models.DecimalField(**Sum)
    amount_due = models.DecimalField(**Sum)
    order = models.ForeignKey(SalesOrder, models.CASCADE, null=True)
    reference = models.TextField(null=True)
    payment_url = models.TextField(null=True)
    payment_instructions = models.TextField(null=True)

    class Meta:
        managed = False
        db_table = "invoice"


class InvoiceLine(models.Model):
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines")
    position = models.IntegerField()
    line_id = models.TextField()
    kind = models.TextField()
    description = models.TextField()
    quantity = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    unit = models.TextField(null=True)
    unit_price = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    discount_percent = models.DecimalField(max_digits=20, decimal_places=6, null=True)
    subtotal = models.DecimalField(**Sum)
    total = models.DecimalField(**Sum)

    class Meta:
        managed = False
        db_table = "invoice_line"
        ordering = ("position",)


class Payment(models.Model):
    id = models.TextField(primary_key=True)
    client = models.ForeignKey(Client, models.CASCADE)
    number = models.TextField()
    state = models.TextField()
    received_on = models.DateField()
    currency = models.TextField()
    amount = models.DecimalField(**Sum)
    unallocated = models.DecimalField(**Sum)

    class Meta:
        managed = False
        db_table = "payment"


class Allocation(models.Model):
    payment = models.ForeignKey(Payment, models.CASCADE)
    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="allocations")
    amount = models.DecimalField(**Sum)
    allocated_on = models.DateField(null=True)

    class Meta:
        managed = False
        db_table = "allocation"
        ordering = ("id",)
