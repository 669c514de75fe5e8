"""The compiled engine: one event loop over typed arrays."""
