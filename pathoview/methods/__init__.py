"""The methods: one file each, grouped as the field groups them, declared before they compute.

Imports `core`, `slides`, `annotations`, `datasets` and `evaluation`. Read `spec`, then `registry`.

How to add one:

1. write its parameters and its `MethodSpec` in `registry` (no torch, no heavy import there);
2. write ``methods/<group>/<name>.py`` with the class the spec's ``entry`` names;
3. implement the protocol of its kind (`spec.InstanceMethod`, …), torch imported inside;
4. run ``pytest tests/methods``: the contract test finds it by itself;
5. describe it in ``resources/guide/methods.md``.
"""
