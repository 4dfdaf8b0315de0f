"""The setting `PRIVKIT`, and the keyring that it names.

```
PRIVKIT = {
    "KEYRING": BASE_DIR / "keyring.json",       # a path, a store, or a dotted path or callable that gives a Keyring
    "WRAPPER": "shop.secrets.wrapper",          # optional: a Wrapper, or a dotted path or callable that gives one
    "LIFETIME": 300,                            # optional: see Keyring.open
    "EXPECT_AT_LEAST": 12,                      # optional: see Keyring.open
}
```

The keyring is opened when the first value is read or written and not when models are imported, so that
`makemigrations`, `collectstatic` and a build machine need no keys.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from privkit.integrations.django.refusals import NotConfigured
from privkit.keys import Keyring

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING = "PRIVKIT"
NAMES = frozenset({"KEYRING", "WRAPPER", "LIFETIME", "EXPECT_AT_LEAST"})


class _Opened:
    """The keyring of this process, opened once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keyring: Keyring | None = None
        self.generation = 0  # goes up when the setting changes, so that fields know to ask again

    def get(self) -> Keyring:
        with self._lock:
            if self._keyring is None:
                self._keyring = _open(configuration())
            return self._keyring

    def forget(self) -> None:
        with self._lock:
            self._keyring = None
            self.generation += 1


OPENED = _Opened()


def keyring() -> Keyring:
    """The keyring that the setting `PRIVKIT` names, opened when first asked for.

    Raises:
        NotConfigured: If the setting is missing or malformed.
        KeyringUnreadable: If the keyring cannot be opened.
    """
    return OPENED.get()


def configuration() -> Mapping[str, Any]:
    """The setting `PRIVKIT`, checked for its shape and not for what stands behind it.

    Raises:
        NotConfigured: If it is missing, is no mapping, lacks `KEYRING`, or has names that mean nothing.
    """
    found = getattr(settings, SETTING, None)
    if not isinstance(found, dict) or "KEYRING" not in found:
        raise NotConfigured('the setting PRIVKIT is missing; write PRIVKIT = {"KEYRING": BASE_DIR / "keyring.json"}')
    unknown = sorted(str(name) for name in found.keys() - NAMES)
    if unknown:
        raise NotConfigured(f"PRIVKIT has no setting {', '.join(unknown)}; it takes {', '.join(sorted(NAMES))}")
    return found


def _open(given: Mapping[str, Any]) -> Keyring:
    source = _made(given["KEYRING"])
    if isinstance(source, Keyring):
        return source
    wrapper = given.get("WRAPPER")
    return Keyring.open(
        source,
        wrapper=_made(import_string(wrapper) if isinstance(wrapper, str) else wrapper),
        lifetime=given.get("LIFETIME"),
        expect_at_least=given.get("EXPECT_AT_LEAST", 0),
    )


def _made(given: Any) -> Any:  # noqa: ANN401 - a path, store, wrapper or keyring
    """What a setting gives: a callable is called, a dotted path that is no file name imported and called."""
    if isinstance(given, str) and os.sep not in given and "." in given and not given.endswith(".json"):
        given = import_string(given)
    return given() if callable(given) else given


def _changed(*, setting: str, **_: object) -> None:
    if setting == SETTING:
        OPENED.forget()


setting_changed.connect(_changed, dispatch_uid="privkit.keyring")
