"""Random numbers that are functions of identity: seed, run, purpose, entity and ordinal."""

from subsim.random import purposes
from subsim.random.philox import bits, uniform, uniform_array
from subsim.random.purposes import Purpose

__all__ = ["Purpose", "bits", "purposes", "uniform", "uniform_array"]
