"""Engines: the compiled event loop and the SimPy reference, of one set of rules."""

from subsim.engine.run import Cube, Setup, simulate, trace

__all__ = ["Cube", "Setup", "simulate", "trace"]
