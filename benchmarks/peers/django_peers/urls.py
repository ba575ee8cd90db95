"""The paths of both: Django REST framework under `drf/`, django-ninja under `ninja/`."""

from django.urls import path

from django_peers import rest
from django_peers.ninja_api import api

urlpatterns = [
    path("drf/view/<str:token>/dashboard", rest.DashboardView.as_view()),
    path("drf/view/<str:token>/invoices", rest.InvoiceList.as_view()),
    path("drf/view/<str:token>/invoices/<str:invoice_id>", rest.InvoiceRecord.as_view()),
    path("ninja/", api.urls),
]
