"""The only place with Numba options: three decorators and a cache that notices edits in any module.

Numba keys its cache on the file of the compiled function alone, so an edit in `renewal.py` would leave a cached event
loop with the old renewal rule inside. Here a cached result is valid only for one fingerprint of the whole package.

Set `NUMBA_DISABLE_JIT=1` to run everything as plain Python (debugging, coverage; same numbers), `SUBSIM_BOUNDSCHECK=1`
to check every array index (own cache folder), `NUMBA_CACHE_DIR` to choose where machine code is kept.
"""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher, cpu_target
from numba.core.types import int64, intp, signed_domain
from numba.core.types.misc import unliteral
from numba.misc.appdirs import AppDirs
from numba.np import arrayobj

PACKAGE = Path(__file__).resolve().parent
COMPILED = not config.DISABLE_JIT
BOUNDSCHECK = os.environ.get("SUBSIM_BOUNDSCHECK", "") == "1"
MASK64 = 0xFFFF_FFFF_FFFF_FFFF

# Compiled code lives here and calls nothing elsewhere: an edit of a report must not cost a recompilation.
_COMPILED_ROOMS = ("random", "model", "engine")
# Parts of those rooms that are never compiled.
_PLAIN_PARTS = ("reference", "run.py")

_entries: list[Any] = []


def _python_word(value: int) -> int:
    return int(value) & MASK64


# An unsigned 64-bit word. Numba turns int64 with uint64 into float64, so every operand of key arithmetic goes through
# this first; without compilation Python's integers do the same, masked.
word: Any = np.uint64 if COMPILED else _python_word


def rule[F: Callable[..., Any]](func: F) -> F:
    """Compile a pure function that both engines call: usable from Python and from compiled code.

    No heap allocation inside (it fails to compile). A division by zero gives inf or nan when compiled and raises when
    not, so a rule must not divide by zero.
    """
    return _cached(njit(nogil=True, error_model="numpy", boundscheck=BOUNDSCHECK, _nrt=False)(func))


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """Code that only other compiled code calls: optimised and turned into machine code as part of its callers.

    Numba does both for every function and, again, for every function above it: most of the time of compiling.
    """

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def get_pointer_to_function(self, _name: str) -> int:
        """Nowhere: there is no machine code."""
        return 0

    @property
    def codegen(self) -> Any:
        """Where Numba would store the address of the function's environment, which only wrappers read."""
        return self

    def set_env(self, _name: str, _env: Any) -> None:
        """Nothing to store."""


class _PartCompiler(Compiler):  # type: ignore[misc]
    """Numba's compiler, keeping what it makes as a part."""

    def _compile_bytecode(self) -> Any:
        self.state.library = _Part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        self.state.library.enable_object_caching()
        return super()._compile_bytecode()


def inner[F: Callable[..., Any]](func: F) -> F:
    """Compile a helper that only compiled code calls: without a Python wrapper, not cached by itself.

    Inlining is left to the compiler: forced, it made the event loop three times slower and minutes to compile.
    """
    helper: F = njit(
        nogil=True,
        error_model="numpy",
        boundscheck=BOUNDSCHECK,
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=_PartCompiler,
        _nrt=False,  # reference counting of array arguments would double the time of the event loop
    )(func)
    if COMPILED:
        helper.__class__ = _WideDispatcher
    return helper


def entry[F: Callable[..., Any]](func: F) -> F:
    """Compile an entry point of an engine (the event loop): cached, releases the GIL, allocates nothing."""
    compiled = rule(func)
    _entries.append(compiled)
    return compiled


def is_compiled(function: Callable[..., Any]) -> bool:
    """Whether machine code for `function` is in memory or in the cache for the present sources and processor."""
    if not COMPILED or getattr(function, "overloads", None):
        return True
    store = getattr(function, "_cache", None)
    return isinstance(store, _PackageCache) and store.holds_code()


def needs_compiling() -> bool:
    """Whether an entry point imported so far has to be compiled before its first run (seconds, once)."""
    return not all(is_compiled(function) for function in _entries)


def _fingerprint() -> str:
    """Hash of the content of all sources and data tables that compiled code is made from."""
    digest = hashlib.sha256()
    rooms = [PACKAGE / room for room in _COMPILED_ROOMS]
    found = [p for room in rooms for p in room.rglob("*") if p.suffix in (".py", ".toml")]
    inside = [p for p in found if not set(p.relative_to(PACKAGE).parts) & set(_PLAIN_PARTS)]
    for path in sorted([*PACKAGE.glob("_jit.py"), *inside]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


# Taken before any rule is imported: taken later, an edit made in between would file old code under the new sources.
FINGERPRINT = _fingerprint() if COMPILED else ""


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


@cache
def _cache_folder() -> Path | None:
    """First writable folder for machine code; None, with a warning, when there is none."""
    checked = BOUNDSCHECK if config.BOUNDSCHECK is None else bool(config.BOUNDSCHECK)
    mode = "subsim-checked" if checked else "subsim"
    clone = f"{mode}-{hashlib.sha256(str(PACKAGE).encode()).hexdigest()[:12]}"
    if config.CACHE_DIR:
        candidates = [Path(config.CACHE_DIR) / clone]
    else:
        user = Path(AppDirs(appname="subsim", appauthor=False).user_cache_dir)
        candidates = [PACKAGE / "__pycache__" / mode, user / clone]
    for folder in candidates:
        if _is_writable(folder):
            return folder
    tried = ", ".join(str(folder) for folder in candidates)
    warnings.warn(
        f"no writable folder for compiled code (tried {tried}): compiling in memory, which every new process repeats. "
        "Set NUMBA_CACHE_DIR to a writable folder.",
        RuntimeWarning,
        stacklevel=2,
    )
    return None


class _Locator(_CacheLocator):  # type: ignore[misc]
    """Where the code of one function is kept, and the sources it is valid for."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._function = function
        self._file = Path(file)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "_Locator | None":
        return cls(function, file) if Path(file).is_file() and _cache_folder() else None

    def get_cache_path(self) -> str:
        return str(_cache_folder())

    def get_source_stamp(self) -> tuple[str, str]:
        # The function's own file as well: a user's rule lives outside the package.
        return FINGERPRINT, hashlib.sha256(self._file.read_bytes()).hexdigest()

    def get_disambiguator(self) -> str:
        return f"{self._function.__module__}-{self._function.__code__.co_firstlineno}"


class _PackageCacheImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _PackageCache(FunctionCache):  # type: ignore[misc]
    """Numba's function cache, valid for one fingerprint; a damaged or full disk costs time, never a run."""

    _impl_class = _PackageCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            # Not FunctionCache's own: that first fills the compiler's registries, half a second which code that is only
            # loaded does not need. Compiling fills them itself.
            return self._load_overload(sig, target_context)
        except Exception as error:  # noqa: BLE001 - a cut-off file fails in many ways; compiling again is always right
            warnings.warn(f"replacing unreadable compiled code: {error!r}", RuntimeWarning, stacklevel=2)
            self.flush()
            return None

    def flush(self) -> None:
        with suppress(OSError):
            super().flush()

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except OSError as error:
            warnings.warn(f"compiled code could not be saved: {error}", RuntimeWarning, stacklevel=2)

    def holds_code(self) -> bool:
        machine = cpu_target.target_context.codegen().magic_tuple()
        try:
            return any(key[1] == machine for key in self._cache_file._load_index())
        except Exception:  # noqa: BLE001 - as in load_overload
            return False


@contextmanager
def _indices_from_zero() -> Iterator[None]:
    """While our own code compiles, an index is a place from 0 on: no access tests whether it counts from the end.

    With bounds checks on, an index below zero is then an error, as it should be.
    """
    with global_compiler_lock:
        numbas_own, arrayobj.fix_integer_index = arrayobj.fix_integer_index, _place
        try:
            yield
        finally:
            arrayobj.fix_integer_index = numbas_own


def _place(context: Any, builder: Any, kind: Any, index: Any, _size: Any) -> Any:
    return context.cast(builder, index, kind, intp)


class _WideDispatcher(CPUDispatcher):  # type: ignore[misc]
    """Compiles a function once for all whole numbers: narrow ones and literals are passed as int64.

    Otherwise `f(0)`, `f(account.segment)` and `f(n)` are three functions, and so is everything that they call.
    """

    def compile(self, sig: Any) -> Any:
        with _indices_from_zero():
            return super().compile(sig)

    def _compilation_chain_init_hook(self) -> None:
        """Numba would look through every installed package for extensions of itself, and our code needs none."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template(tuple(map(_wide, args)), {name: _wide(kind) for name, kind in kws.items()})


def _wide(kind: Any) -> Any:
    plain = unliteral(kind)
    return int64 if plain in signed_domain else plain


class _WordDispatcher(_WideDispatcher):
    """Takes Python integers from 2**63 on as unsigned words; Numba takes every integer as signed and overflows."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        try:
            return _call(self, *args, **named)
        except OverflowError:
            return _call(self, *map(_as_word, args), **{name: _as_word(value) for name, value in named.items()})


_call = CPUDispatcher.__call__  # half the overhead of super()


def _as_word(value: Any) -> Any:
    return np.uint64(value) if type(value) is int and value >> 63 == 1 else value


def _cached[F: Callable[..., Any]](dispatcher: F) -> F:
    """Attach the package's cache to a Numba dispatcher; a plain function (no compilation) passes unchanged."""
    function = getattr(dispatcher, "py_func", None)
    if function is None:
        return dispatcher
    dispatcher.__class__ = _WordDispatcher
    if Path(function.__code__.co_filename).is_file() and _cache_folder() is not None:
        dispatcher._cache = _PackageCache(function)  # type: ignore[attr-defined]
    return dispatcher
