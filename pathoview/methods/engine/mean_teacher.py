"""A teacher that is its student's average over time (Tarvainen and Valpola 2017).

On what nobody labelled, the student learns to say what the teacher says of the same place seen in
other colours, and takes as labels what the teacher is surest of. As much is taken of every class:
one threshold for all lets the easy classes crowd out the others (Zou et al. 2018).
"""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn

from pathoview.methods.engine.ema import blend, copy_of

IGNORE = 255
"""What `accepted` says where nothing is learned from."""


class MeanTeacher(nn.Module):
    """A student that is trained, and the teacher, which is what counts.

    Both lie in one module, so that a training keeps and takes them up again together.
    """

    def __init__(self, student: nn.Module) -> None:
        super().__init__()
        self.student = student
        self.teacher = copy_of(student)
        self.n_followed: Tensor
        self.register_buffer("n_followed", torch.zeros((), dtype=torch.int64))

    def train(self, mode: bool = True) -> Self:
        """Train the student; the teacher always evaluates."""
        super().train(mode)
        self.teacher.eval()
        return self

    def follow(self, step: int, decay: float) -> None:
        """Average into the teacher what the student has become in ``step`` steps.

        Called before a step and as often as one likes: a batch may be taken in pieces.
        """
        if int(self.n_followed) < step:
            blend(self.teacher, self.student, decay)
            self.n_followed.fill_(step)

    def forward(self, images: Tensor) -> Tensor:
        """Return what the student says in training, and what the teacher says else."""
        network = self.student if self.training else self.teacher
        logits: Tensor = network(images)
        return logits


def ramp_up(part: float) -> float:
    """Return how much the teacher's word counts, 0.007 … 1, after a part of the ramp, 0 … 1."""
    return math.exp(-5 * (1 - min(max(part, 0.0), 1.0)) ** 2)


def consistency(student: Tensor, teacher: Tensor, is_open: Tensor) -> Tensor:
    """Return the mean square difference of probabilities, (n, class, h, w), where it is open."""
    squares = (student - teacher).square().mean(1) * is_open
    return squares.sum() / is_open.sum().clamp(min=1)


def accepted(probabilities: Tensor, is_open: Tensor, share: float) -> Tensor:
    """Return the classes that a teacher is surest of, (n, h, w), `IGNORE` elsewhere.

    ``probabilities``: (n, class, h, w); ``is_open``: (n, h, w), which pixels may be accepted. They
    are taken by rank among those told as the same class: of each class at most ``share`` of what
    would be its part if all were equally frequent, and at most ``share`` of its own pixels.
    """
    n_classes = probabilities.shape[1]
    sureness, told = probabilities.max(1)
    labels = torch.full_like(told, IGNORE).flatten()
    most = float(is_open.sum()) / n_classes
    for number in range(n_classes):
        places = (is_open & (told == number)).flatten().nonzero().flatten()
        ranked = sureness.flatten()[places].argsort(descending=True, stable=True)
        labels[places[ranked[: int(share * min(len(places), most))]]] = number
    return labels.view_as(told)
