"""What is kept on disk: studies with their history, one result file a run, scales people gave.

Imports `core` and `annotations`. Read `model`, `study_file` and `study`; then `results`. The upkeep
of a study: `copying`, `backups`, `integrity`, `rescue`, `compacting`, `erasing`, `merging`.
"""
