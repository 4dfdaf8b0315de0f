"""Where things are."""

from django.contrib import admin
from django.urls import path

from shop.views import desk

urlpatterns = [path("", desk), path("admin/", admin.site.urls)]
