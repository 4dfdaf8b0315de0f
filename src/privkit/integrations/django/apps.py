"""The Django application: put `"privkit.integrations.django"` into `INSTALLED_APPS`."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.core import checks as registry

from privkit.integrations.django import admin_checks, checks
from privkit.integrations.django.changing import lock_what_changes
from privkit.integrations.django.checked import check_as_read
from privkit.integrations.django.computing import refuse_computing
from privkit.integrations.django.migrating import add_indexes_behind_their_fields
from privkit.integrations.django.renaming import recognise_renamed_pairs, rename_indexes_along
from privkit.integrations.django.squashing import keep_pairs_together


class PrivkitConfig(AppConfig):
    """Registers the checks, and has Django refuse to compute with ciphertexts."""

    name = "privkit.integrations.django"
    label = "privkit"
    verbose_name = "privkit"

    def ready(self) -> None:
        """Run once, when all models are known."""
        registry.register(checks.check_models, registry.Tags.models)
        registry.register(checks.check_deployment, registry.Tags.security, deploy=True)
        if apps.is_installed("django.contrib.admin"):
            registry.register(admin_checks.check_admins, registry.Tags.admin)
        refuse_computing()
        check_as_read()
        lock_what_changes()
        add_indexes_behind_their_fields()
        rename_indexes_along()
        recognise_renamed_pairs()
        keep_pairs_together()
