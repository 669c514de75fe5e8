"""The reference engine: the same rules as the compiled one, scheduled by SimPy processes that can be read."""

from subsim.engine.reference.model import Extra, Model, run_reference
from subsim.engine.reference.record import ReferenceResult

__all__ = ["Extra", "Model", "ReferenceResult", "run_reference"]
