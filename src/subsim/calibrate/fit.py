"""The one door to PyMC's sampler and to ArviZ: compile a model once per process, sample it, judge the chains.

Compiling costs far more than sampling, so a model's data are `pm.Data` and a compiled model is kept: `sample` with the
same `name` and `form` sends it new data. Nothing heavy is imported before the first call.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subsim.calibrate.block import Sampling
from subsim.errors import InputError
from subsim.random import Purpose, bits
from subsim.random.entities import name_entity

Floats = NDArray[np.float64]

_compiled: dict[tuple[str, tuple[int, ...]], Any] = {}


@dataclass(frozen=True)
class Sampled:
    """Posterior draws by name, (chains, draws, ...), and how the sampling went."""

    draws: Mapping[str, Floats]
    diagnostics: Mapping[str, float]


def load(library: str) -> Any:
    """A library of the calibration extra; InputError says how to get it where it is missing."""
    try:
        return importlib.import_module(library)
    except ImportError:
        raise InputError(
            where="calibrate",
            found=f"{library} is not installed",
            allowed="the calibration extra",
            do='install it: pip install "subsim[calibration]"',
        ) from None


def block_seed(seed: int, block: str) -> int:
    """A block's own integer seed, below 2**31."""
    return int(bits(seed, 0, Purpose.PARAMETER, name_entity(f"calibrate/{block}"), 0)) >> 33


def sample(
    name: str,
    build: Callable[[Mapping[str, Any]], Any],
    data: Mapping[str, Any],
    sampling: Sampling,
    keep: Sequence[str],
    *,
    form: tuple[int, ...] = (),
    target_accept: float = 0.8,
) -> Sampled:
    """Sample a model with nutpie.

    Args:
        name: the block; with `form` it names the compiled model.
        build: makes a `pm.Model` whose `pm.Data` have the names and values of the mapping it is given; every one of
            them has to be used by the model.
        data: arrays by name; from call to call their lengths may change, their kind and number of axes may not.
        sampling: chains, draws, tune, seed and cores.
        keep: names of the variables to keep.
        form: sizes of the model's random variables, which are part of its code.
        target_accept: mean acceptance that the step size is tuned to.

    Raises:
        InputError: the calibration extra is not installed.
    """
    nutpie = load("nutpie")
    load("pymc")
    known = (name, form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if known not in _compiled:
            _report(sampling, f"{name}: compiling")
            with _quick_compiler():
                _compiled[known] = nutpie.compile_pymc_model(build(data), backend="numba", var_names=list(keep))
        _report(sampling, f"{name}: sampling")
        tree = nutpie.sample(
            _compiled[known].with_data(**data),
            draws=sampling.draws,
            tune=sampling.tune,
            chains=sampling.chains,
            cores=min(sampling.cores, sampling.chains),
            seed=block_seed(sampling.seed, name),
            adaptation="low_rank",
            target_accept=target_accept,
            progress_bar=False,
            save_warmup=False,
        )
    posterior = tree["posterior"]
    draws = {variable: np.asarray(posterior[variable].to_numpy(), float) for variable in keep}
    divergences = int(tree["sample_stats"]["diverging"].sum())
    return Sampled(draws, diagnose_chains(draws.values(), divergences))


@contextmanager
def _quick_compiler() -> Iterator[None]:
    """One optimisation pass instead of many: as fast for these models, compiled in half the time.

    Only meanwhile: an engine compiled like that would be slower, and would be kept so on disk.
    """
    before = os.environ.get("NUMBA_OPT")
    os.environ["NUMBA_OPT"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["NUMBA_OPT"]
        else:
            os.environ["NUMBA_OPT"] = before


def diagnose_chains(draws: Any, divergences: int = 0) -> dict[str, float]:
    """rhat_max, ess_bulk_min, ess_tail_min and divergences of some arrays (chains, draws, ...); constants are left out.

    Args:
        draws: the arrays.
        divergences: how many transitions diverged.
    """
    stats = load("arviz_stats.base").array_stats
    columns = [array.reshape(*array.shape[:2], -1) for array in draws]
    flat = np.concatenate(columns, axis=2) if columns else np.empty((1, 1, 0))
    moving = flat[:, :, np.ptp(flat, axis=(0, 1)) > 0]
    if moving.size == 0:
        count = float(flat.shape[0] * flat.shape[1])
        return {"rhat_max": 1.0, "ess_bulk_min": count, "ess_tail_min": count, "divergences": float(divergences)}
    table = np.moveaxis(moving, 2, 0)
    return {
        "rhat_max": float(np.max(stats.rhat(table))),
        "ess_bulk_min": float(np.min(stats.ess(table, method="bulk"))),
        "ess_tail_min": float(np.min(stats.ess(table, method="tail", prob=(0.05, 0.95)))),
        "divergences": float(divergences),
    }


def fingerprint(*parts: str) -> str:
    """SHA-256 of some text."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _report(sampling: Sampling, text: str) -> None:
    if sampling.progress is not None:
        sampling.progress(text)
