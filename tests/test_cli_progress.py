"""What a person reads on stderr while something goes on."""

from __future__ import annotations

import pytest

from pathoview.cli_progress import TerminalProgress


def test_numbers_are_told_with_what_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress("Train", None)
    progress.report(1.0, "Fold 1 of 5", replaced=0.125, loss=0.4321, samples_per_s=1234.5)
    told = capsys.readouterr().err
    assert told == "Train: 100% Fold 1 of 5 12% replaced 0.432 loss 1,234 samples per s\n"
