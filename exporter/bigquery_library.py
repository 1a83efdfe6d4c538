"""google.cloud.bigquery → the same library, whose optional parts are imported when something first uses them.

It imports Arrow, pandas and the clients of the Storage API where they are installed, and needs none of them for what a
run with nothing to do asks BigQuery. So while it is imported here it is given placeholders, which import the real
module at the first look at it, whoever looks: `to_arrow()` in an extractor works as ever, in this same library. What is
not foreseen here, such as a version that asks Arrow for more while it is imported, costs the time and breaks nothing.

What has been imported before is not replaced. google.api_core and gRPC are left alone: write clients share them.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["bigquery"]

_LIBRARY = "google.cloud.bigquery"
_LATE = ("pyarrow", "pandas", f"{_LIBRARY}._pyarrow_helpers")  # the last makes a table of Arrow's types
_LATE_PACKAGE = "google.cloud.bigquery_storage_v1"
_LATE_VALUES = ("DEFAULT_CLIENT_INFO", "ArrowSerializationOptions")
"""What is imported from that package: looked into when rows are read with its client."""


class _Placeholder(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name == "__path__":
            raise AttributeError(name)  # of a module that is no package: the import system looks whether it is one
        if name in _LATE_VALUES:
            return _PlaceholderOfValue(self, name)
        if name == "__version__":  # asked of Arrow and pandas while the library is imported
            try:
                return version(self.__name__)
            except PackageNotFoundError:
                pass
        return getattr(_placeholders.real(self), name)


class _PlaceholderOfValue:
    def __init__(self, module: ModuleType, name: str) -> None:
        self._module, self._name = module, name

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(_placeholders.real(self._module), self._name), name)


class _Placeholders(MetaPathFinder, Loader):
    """What the library imports, while it is imported in this thread. Nobody else is given them."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._made: list[_Placeholder] = []

    @contextmanager
    def given(self) -> Iterator[None]:
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            self._end()

    def real(self, placeholder: ModuleType) -> ModuleType:
        """Imported now, and as ever, also while the library is still imported."""
        self._end()
        return import_module(placeholder.__name__)

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        # Another package that the library imports (db-dtypes does so with pandas) must find the real ones.
        self._forget(module for module in self._made if module.__name__ in _LATE)
        if name not in _LATE and not f"{name}.".startswith(f"{_LATE_PACKAGE}."):
            return None
        if not _importer().startswith(_LIBRARY):
            self._end()
            return None
        finders = [finder for finder in sys.meta_path if finder is not self and hasattr(finder, "find_spec")]
        found = next(filter(None, (finder.find_spec(name, path, target) for finder in finders)), None)
        if found is None:
            return None  # not installed
        spec = ModuleSpec(name, self, is_package=found.submodule_search_locations is not None)
        spec.submodule_search_locations = found.submodule_search_locations
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = _Placeholder(spec.name)
        if spec.submodule_search_locations is not None:
            module.__path__ = spec.submodule_search_locations
        self._made.append(module)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: the real one is imported when it is looked at."""

    def _end(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._forget(self._made)

    def _forget(self, modules: Iterable[ModuleType]) -> None:
        """Let the next import of them find the real ones. Whoever has one already keeps it."""
        for module in modules:
            if sys.modules.get(module.__name__) is module:
                del sys.modules[module.__name__]
            package, _, name = module.__name__.rpartition(".")
            if getattr(sys.modules.get(package), "__dict__", {}).get(name) is module:
                delattr(sys.modules[package], name)  # or `from package import name` would find it


def _importer() -> str:
    """The name of the module whose import statement is being executed."""
    frame = sys._getframe(2)  # noqa: SLF001 - Python's own way to tell, as for warnings; 2: who asks `find_spec`
    while frame.f_back and frame.f_globals.get("__name__", "").startswith("importlib."):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))


_placeholders = _Placeholders()
with _placeholders.given():
    from google.cloud import bigquery
