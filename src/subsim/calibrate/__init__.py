"""Calibration: from a book to joint draws of the model's parameters, and what they do and do not rest on."""
