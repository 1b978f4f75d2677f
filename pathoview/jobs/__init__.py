"""Run a task in a worker process, watch it, pause it, stop it. Imports `core` only.

Read `runner` (the window's side), `worker` (the child's side), then `pipeline`.
"""
