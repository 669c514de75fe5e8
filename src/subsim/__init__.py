"""Discrete-event simulation of a subscription customer base.

Rooms are imported when first used (`subsim.ledger`, `subsim.engine`, ...), so that `import subsim` stays quick.
"""

__version__ = "0.1.0"
