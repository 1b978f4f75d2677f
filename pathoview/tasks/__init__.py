"""The use cases, headless: analyze, evaluate, export, import, thumbnail.

Imports everything but `session` and `ui`. Each task is ``run(request, progress)`` with a JSON-able
request and result, the same function in the worker, the command line and the tests.
"""
