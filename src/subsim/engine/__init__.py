"""Engines: the compiled event loop and the SimPy reference, of one set of rules."""
