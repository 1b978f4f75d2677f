"""Metrics as plain functions of arrays. Imports `core` and `annotations`."""
