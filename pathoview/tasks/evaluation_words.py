"""What scores and faults are called, in reports and in the window."""

from __future__ import annotations

from pathoview.core.translation import _

TITLES = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "sensitivity": _("Sensitivity"),
    "specificity": _("Specificity"),
    "aji": "AJI",
    "aji_plus": "AJI+",
    "pq": "PQ",
    "dice_object": _("Object Dice"),
    "f1_pixel": _("Pixel F1"),
    "iou_pixel": _("Pixel IoU"),
    "f1_detection": _("Detection F1"),
    "precision": _("Precision (IoU over 0.5)"),
    "recall": _("Recall (IoU over 0.5)"),
    "accuracy": _("Accuracy"),
    "balanced_accuracy": _("Balanced accuracy"),
    "macro_f1": _("Mean F1"),
    "micro_f1": _("F1 of all labels together"),
    "exact_match": _("All labels right"),
    "macro_f1_with_missed": _("Mean F1, with missed ones"),
    "kappa_quadratic": _("Quadratic kappa"),
    "log_loss": _("Log loss"),
    "brier": _("Brier score"),
    "expected_calibration_error": _("Calibration error"),
    "precision_at_1": _("First similar case right"),
    "precision_at_5": _("First five similar cases"),
    "precision_chance": _("Cases picked by chance"),
    "size.rho": _("Rho of score and size"),
    "size.rho_negative": _("Rho, first class only"),
    "shuffled.auroc": _("Shuffled labels: AUROC"),
    "shuffled.auroc_sd": _("Shuffled labels: SD"),
    "shuffled.p": _("Shuffled labels: p"),
}
"""All scores, in the order in which they are shown."""
KINDS = {
    "matched": _("matched"),
    "missed": _("missed"),
    "spurious": _("spurious"),
    "merged": _("merged"),
    "split": _("split"),
    "outline": _("ill outlined"),
    "class": _("wrong class"),
    "known": _("known"),
    "predicted": _("predicted"),
    "pixels": _("pixels"),
}


def score_title(name: str) -> str:
    """Return what a score is called."""
    return TITLES.get(name, name)


def kind_word(kind: str) -> str:
    """Return what is wrong with a place, in a word; also what a count counts."""
    return KINDS.get(kind, kind)
