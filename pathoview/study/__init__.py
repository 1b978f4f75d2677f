"""What is kept on disk: one result file a run with its record, and scales people gave.

Imports `core` and `annotations`. Read `records`, then `results`.
"""
