"""The one training loop. A method hands it a `Learner`, a `TrainingPlan` and its `FitContext`."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from pathoview.core.errors import RunError, StorageError
from pathoview.core.translation import _
from pathoview.methods.engine import ema
from pathoview.methods.engine.ahead import made_ahead
from pathoview.methods.engine.conditions import all_cores, repeatable
from pathoview.methods.engine.descent import Gradient, seed_of
from pathoview.methods.engine.distributed import Batch, Team, batch_size, current_team
from pathoview.methods.engine.learner import Learner, Trained
from pathoview.methods.engine.plan import TrainingPlan, learning_rate, make_optimizer
from pathoview.methods.engine.state import State, read_state, state_file, write_state
from pathoview.methods.engine.weights import array_of, arrays_of, load_arrays
from pathoview.methods.fitting import FitContext
from pathoview.methods.model import Tensors

_KEEP_EVERY_S = 15.0
"""With a preview and a step after it, a kill costs less than half a minute."""
_CURVE_POINTS = 200
_PREVIEW_SHARE = 1 / 3
"""No more of the time goes into previews, however long one takes."""
_SPEED_MEMORY = 0.9
"""Weight of the past in the samples a second that are told."""

_logger = logging.getLogger(__name__)


def train(
    learner: Learner,
    plan: TrainingPlan,
    context: FitContext,
    *,
    stage: str = "",
    span: tuple[float, float] = (0.0, 1.0),
) -> Trained:
    """Train the learner's network and return its best weights, which it has then.

    ``stage`` tells apart the trainings of one method, each with its own state; ``span`` is the part
    of the progress bar that this one fills. In a team (`engine.distributed`), all processes
    return the same weights, and the first alone measures, reports and writes.

    Raises `Cancelled`, and `RunError` when the loss is no number or memory does not suffice.
    """
    team = current_team()
    device = team.device(context.device)
    with all_cores(team.size if device.type == "cpu" else 1), repeatable(device):
        return _Training(learner, plan, context, _Place(stage, span), team, device).run()


@dataclass(frozen=True, slots=True)
class _Place:
    """Which part of a method's whole training this is."""

    stage: str
    span: tuple[float, float]

    def fraction(self, part: float) -> float:
        start, end = self.span
        return start + (end - start) * part


@dataclass(slots=True)
class _Course:
    """How far a training is and what was measured, JSON-able."""

    step: int = 0
    """Steps done."""
    is_done: bool = False
    n_pieces: int = 1
    since_point: list[dict[str, float]] = field(default_factory=list)
    """What each step since the last point of the curves measured."""
    curves: list[dict[str, float]] = field(default_factory=list)
    metrics: dict[str, float] = field(default_factory=dict)
    best_score: float | None = None
    best_step: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    n_worse: int = 0
    """Validations since the best one."""
    n_rounds: int = 0
    """How many rounds of the learner were begun."""


class _Training:
    def __init__(
        self,
        learner: Learner,
        plan: TrainingPlan,
        context: FitContext,
        place: _Place,
        team: Team,
        device: torch.device,
    ) -> None:
        self._learner, self._plan, self._context = learner, plan, context
        self._place, self._team = place, team
        self._network = learner.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        named = [one for one in self._network.named_parameters() if one[1].requires_grad]
        self._weights = [weight for _name, weight in named]
        self._optimizer = make_optimizer(plan, named)
        self._gradient = Gradient(learner, device, plan.numerics)
        self._course = _Course()
        self._best: Tensors | None = None
        self._path = state_file(context.state_path, place.stage) if context.state_path else None
        self._is_disk_told = False
        self._seconds_per_sample = 0.0
        self._chosen: Mapping[str, float] = {}
        """What is said of the round that goes on."""
        self._kept_at = time.monotonic()
        self._preview_at = self._kept_at + context.preview_every_s
        self._key = self._make_key()
        team.follow_first(list(self._tensors()))
        self._average = ema.copy_of(self._network) if plan.ema else self._network

    def run(self) -> Trained:
        self._resume()
        course = self._course
        self._network.train()
        while not self._is_over():
            self._begin_round()
            with made_ahead(self._learner.batch, range(course.step, self._round_end)) as batches:
                for batch in batches:
                    self._context.progress.check()
                    self._advance(batch)
                    if self._is_over():
                        break
        return self._result()

    def _is_over(self) -> bool:
        return self._course.is_done or self._course.step >= self._plan.last_step

    @property
    def _round_end(self) -> int:
        """The step before which the next round begins, or the training ends."""
        later = self._learner.rounds[self._course.n_rounds :]
        return min([*later[:1], self._plan.last_step])

    def _begin_round(self) -> None:
        """Have the learner choose what it learns from, unless it did so before it was killed."""
        course, learner = self._course, self._learner
        if course.step not in learner.rounds[course.n_rounds :][:1]:
            return
        part = self._place.fraction(course.step / self._plan.n_steps)
        self._context.progress.report(part, _("Choosing what to learn from"))
        self._network.eval()
        with torch.no_grad():
            said = learner.begin_round(course.n_rounds, self._network)
        self._network.train()
        course.n_rounds += 1
        self._chosen = said
        if said:
            course.since_point.append(said)

    def _advance(self, batch: Batch) -> None:
        """Make one step with all that follows from it."""
        course, plan, team = self._course, self._plan, self._team
        started = time.monotonic()
        rate = learning_rate(plan, course.step)
        part, fraction = team.part(batch)
        seed = seed_of(self._context.seed, self._place.stage, course.step, team.rank)
        mine, said = self._gradient.compute(part, fraction, seed)
        self._note_pieces()
        wants_end = team.is_first and self._context.stop_early()
        loss, is_ending = team.sum([mine, float(wants_end)])
        self._descend(loss, rate)
        course.step += 1
        course.since_point.append({"loss": loss, **said})
        self._note_speed((time.monotonic() - started) / batch_size(batch))
        is_last = bool(is_ending) or course.step == plan.last_step
        is_due = plan.validate_every > 0 and course.step % plan.validate_every == 0
        is_due |= course.step in self._learner.rounds
        if is_last or is_due:
            self._validate(is_last)
        if is_last or is_due or course.step % max(1, plan.n_steps // _CURVE_POINTS) == 0:
            self._add_point(rate, self._course.metrics if is_last or is_due else {})
        if team.is_first:
            self._show(loss)
            self._keep(now=is_last or is_due)

    def _descend(self, loss: float, rate: float) -> None:
        """Move the weights down the gradient; raise `RunError` when it is no number."""
        plan = self._plan
        self._team.sum_gradients(self._weights)
        norm = torch.nn.utils.clip_grad_norm_(self._weights, plan.clip_norm or math.inf)
        if not (math.isfinite(loss) and math.isfinite(float(norm))):
            raise RunError(
                _("The training's loss is no number any more, at step {step}.").format(
                    step=self._course.step + 1
                ),
                _("Lower the learning rate and train again; the best weights so far are kept."),
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["times"]
        self._optimizer.step()
        self._team.average(list(self._network.buffers()))
        if plan.ema:
            ema.blend(self._average, self._network, ema.decay_at(plan.ema, self._course.step + 1))

    def _validate(self, is_last: bool) -> None:
        course = self._course
        if self._team.is_first:
            self._measure()
        is_enough = 0 < self._plan.patience <= course.n_worse
        course.is_done = self._team.sum([float(is_last or is_enough)])[0] > 0

    def _measure(self) -> None:
        """Validate the weights that count, and keep them if they are the best so far."""
        course, name = self._course, self._learner.score
        self._average.eval()
        with torch.no_grad():
            metrics = self._learner.validate(self._average)
        self._network.train()
        course.metrics = {key: float(value) for key, value in metrics.items()}
        if not (name and metrics):
            return
        score = course.metrics[name]
        if course.best_score is not None and not score > course.best_score:
            course.n_worse += 1
        elif not math.isnan(score):
            course.best_score, course.best_step, course.n_worse = score, course.step, 0
            course.best_metrics = course.metrics
            self._best = arrays_of(self._average)

    def _add_point(self, rate: float, metrics: Mapping[str, float]) -> None:
        """Add the means since the last point to the curves, and tell of them."""
        course = self._course
        names = dict.fromkeys(name for entry in course.since_point for name in entry)
        means = {}
        for name in names:
            values = [entry[name] for entry in course.since_point if name in entry]
            means[name] = sum(values) / len(values)
        point = {"step": float(course.step), "lr": rate, **means, **metrics}
        course.curves.append(point)
        course.since_point = []
        if self._team.is_first:
            told = {**point, "samples_per_s": self._speed, "stage": self._place.stage}
            self._context.progress.event("curve", told)

    def _show(self, loss: float) -> None:
        """Report how far it is, and give a preview when its time has come."""
        context = self._context
        part = 1.0 if self._course.is_done else self._course.step / self._plan.last_step
        measured = {**self._chosen, "samples_per_s": self._speed, "loss": loss}
        context.progress.report(self._place.fraction(part), _("Learning"), **measured)
        began = time.monotonic()
        if context.preview is None or began < self._preview_at:
            return
        self._average.eval()
        with torch.no_grad():
            fitted = self._learner.fitted(self._average)
        self._network.train()
        metrics, curves = self._course.metrics, tuple(self._course.curves)
        numerics = self._plan.numerics
        context.preview(replace(fitted, metrics=metrics, curves=curves, numerics=numerics))
        ended = time.monotonic()
        pause = (ended - began) * (1 / _PREVIEW_SHARE - 1)
        self._preview_at = ended + max(context.preview_every_s, pause)

    @property
    def _speed(self) -> float:
        return 1 / self._seconds_per_sample

    def _note_speed(self, seconds: float) -> None:
        before = self._seconds_per_sample or seconds
        memory = _SPEED_MEMORY
        self._seconds_per_sample = max(1e-9, memory * before + (1 - memory) * seconds)

    def _note_pieces(self) -> None:
        if self._gradient.n_pieces == self._course.n_pieces:
            return
        self._course.n_pieces = self._gradient.n_pieces
        self._notice(_("Memory is short: training goes on with smaller pieces, more slowly."))

    def _notice(self, text: str, hint: str = "") -> None:
        if self._team.is_first:
            self._context.progress.event("notice", {"text": text, "hint": hint})

    def _keep(self, now: bool) -> None:
        """Write the state when its time has come; a disk that refuses does not end the training."""
        if self._path is None:
            return
        if not now and time.monotonic() - self._kept_at < _KEEP_EVERY_S:
            return
        try:
            write_state(self._path, self._state())
        except StorageError as error:
            _logger.warning("the training's state was not written: %s", error)
            if not self._is_disk_told:
                self._notice(str(error), error.hint)
            self._is_disk_told = True
        self._kept_at = time.monotonic()

    def _state(self) -> State:
        arrays = {f"network.{name}": array for name, array in arrays_of(self._network).items()}
        if self._plan.ema:
            averages = arrays_of(self._average).items()
            arrays |= {f"average.{name}": array for name, array in averages}
        arrays |= {f"best.{name}": array for name, array in (self._best or {}).items()}
        arrays |= {f"kept.{name}": array for name, array in self._learner.kept().items()}
        for index, weight in enumerate(self._weights):
            moments = self._optimizer.state[weight].items()
            arrays |= {
                f"moment.{index}.{name}": array_of(value)
                for name, value in moments
                if isinstance(value, Tensor)
            }
        record = {**asdict(self._course), "torch": torch.__version__}
        return State(self._key, record, arrays)

    def _resume(self) -> None:
        """Go on from the state that is there, if it is one of this training."""
        state = read_state(self._path, self._key) if self._path else None
        self._team.sum([0.0])  # nobody writes a state before all have read it
        if state is None:
            return
        record = dict(state.record)
        written_by = record.pop("torch")
        if written_by != torch.__version__:
            _logger.warning("the state was written by torch %s: not quite the same", written_by)
        self._course = _Course(**record)
        self._gradient.n_pieces = self._course.n_pieces
        load_arrays(self._network, _under("network.", state.arrays))
        if self._plan.ema:
            load_arrays(self._average, _under("average.", state.arrays))
        self._best = _under("best.", state.arrays) or None
        self._learner.go_on(_under("kept.", state.arrays))
        for index, weight in enumerate(self._weights):
            moments = _under(f"moment.{index}.", state.arrays).items()
            self._optimizer.state[weight] = {
                name: _like(weight, torch.from_numpy(array)) for name, array in moments
            }
        _logger.info("training goes on at step %d", self._course.step)

    def _result(self) -> Trained:
        """Give the network the weights that count, and return them."""
        course = self._course
        has_best = self._best is not None
        if self._best is not None:
            load_arrays(self._network, self._best)
        elif self._average is not self._network:
            load_arrays(self._network, arrays_of(self._average))
        self._team.follow_first(list(self._tensors()))
        self._network.eval()
        return Trained(
            arrays_of(self._network),
            course.best_metrics if has_best else course.metrics,
            tuple(course.curves),
            course.step,
            course.best_step if has_best else course.step,
            course.n_pieces,
        )

    def _tensors(self) -> Iterator[Tensor]:
        yield from (weight.detach() for weight in self._network.parameters())
        yield from self._network.buffers()

    def _make_key(self) -> str:
        network = [
            (name, list(tensor.shape)) for name, tensor in self._network.state_dict().items()
        ]
        parts: list[Any] = [asdict(self._plan), self._learner.fingerprint, network]
        parts += [self._context.seed, self._place.stage]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _under(prefix: str, arrays: Tensors) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _like(weight: Tensor, values: Tensor) -> Tensor:
    """Return a moment as the optimiser keeps it: laid out like its weight, or a count."""
    if values.shape != weight.shape:
        return values
    return torch.empty_like(weight, memory_format=torch.preserve_format).copy_(values)
