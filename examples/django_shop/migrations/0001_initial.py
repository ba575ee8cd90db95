"""Makes the tables of the shop's models."""

from typing import final

import django.db.models.deletion
from django.db import migrations, models

from examples.django_shop.models import Code


@final
class Migration(migrations.Migration):
    """The first one; `Decision` is the portal's table, and made by the portal."""

    initial = True

    operations = (
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "company_id", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("company_id", Code(max_length=128)),
                ("id", Code(max_length=128)),
                ("quote_id", Code(max_length=128)),
                ("revision", models.IntegerField()),
                ("answer", models.CharField(max_length=32)),
                ("decided_at", models.BigIntegerField()),
            ],
            options={
                "db_table": "portal_decisions",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Fitting",
            fields=[
                ("on", models.DateField(primary_key=True, serialize=False)),
                ("quote_id", models.CharField(max_length=128)),
            ],
        ),
        migrations.CreateModel(
            name="Quote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("branch", Code(max_length=128)),
                ("client", Code(max_length=128)),
                ("ref", Code(max_length=128)),
                ("title", Code(max_length=200)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("open", "Open"),
                            ("won", "Won"),
                            ("lost", "Lost"),
                            ("void", "Void"),
                        ],
                        default="draft",
                        max_length=8,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1)),
                ("made_on", models.DateField()),
                ("good_until", models.DateField(blank=True, null=True)),
                ("net", models.DecimalField(decimal_places=2, max_digits=12)),
                ("vat", models.DecimalField(decimal_places=2, max_digits=12)),
                ("gross", models.DecimalField(decimal_places=2, max_digits=12)),
                ("remarks", models.TextField(blank=True)),
                ("conditions", models.TextField(blank=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["branch", "client", "made_on", "ref"], name="django_shop_branch_41d520_idx"),
                    models.Index(fields=["branch", "client", "title", "ref"], name="django_shop_branch_ab3ce0_idx"),
                ],
                "constraints": [models.UniqueConstraint(fields=("branch", "ref"), name="one_quote_of_a_ref")],
            },
        ),
        migrations.CreateModel(
            name="QuoteLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("what", models.CharField(max_length=2000)),
                ("quantity", models.DecimalField(decimal_places=2, max_digits=12)),
                ("unit", models.CharField(blank=True, max_length=20)),
                ("price", models.DecimalField(decimal_places=4, max_digits=12)),
                ("net", models.DecimalField(decimal_places=2, max_digits=12)),
                ("gross", models.DecimalField(decimal_places=2, max_digits=12)),
                ("quote", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="django_shop.quote")),
            ],
            options={
                "ordering": ("position",),
            },
        ),
    )
