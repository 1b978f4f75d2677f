"""The library of models: listed, taken in, copied, renamed, removed, and used on the slide."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.params import FormRow, form_rows
from pathoview.core.translation import _
from pathoview.core.undo import Refused, Step
from pathoview.jobs.runner import Job
from pathoview.methods.library import ONNX as ONNX
from pathoview.methods.library import LibraryModel as LibraryModel
from pathoview.methods.library import (
    NetworkCard,
    bring_back,
    export_model,
    import_model,
    library,
    remove_model,
    rename_model,
    said_beside,
)
from pathoview.methods.library import is_non_commercial as is_non_commercial
from pathoview.methods.model import SUFFIX as SUFFIX
from pathoview.methods.model import ModelCard as ModelCard
from pathoview.methods.registry import METHODS
from pathoview.session.device_desk import DeviceDesk
from pathoview.session.held_out_desk import HeldOutDesk
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk
from pathoview.session.slide_learning import SlideLearning

if TYPE_CHECKING:
    from pathoview.session.session import Session


class ModelDesk:
    """Files are read and written on the scheduler's threads; what cannot be done is a notice."""

    changed = Signal()
    """`models`"""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        self._session = session
        self.device = DeviceDesk(session.settings, runs)
        self.learning = SlideLearning(session, runs)
        """From labels of whole slides."""
        self.results = HeldOutDesk(session, runs)
        """What a model of whole slides did in cross-validation."""
        self.go_on = runs.go_on
        """By the id of a job: it waits because its model meets a slide that looks strange."""
        self.models: Sequence[LibraryModel] = ()
        """Bundled ones first, then the newest first."""
        self.changed.connect(session.teaching.read_rounds)

    def refresh(self) -> None:
        """Read the library again; `changed` follows."""
        self._session.scheduler.submit(library, self._on_library)

    def find(self, model_id: str) -> LibraryModel | None:
        """Return a model by the id of its card."""
        return next((one for one in self.models if one.card.id == model_id), None)

    def method_title(self, card: ModelCard) -> str:
        """Return what the method of a model is called; its name where nobody knows it here."""
        return METHODS.get(card.method).title if card.method in METHODS else card.method

    def can_apply(self, card: ModelCard) -> bool:
        """Whether a model can be used on the open slide."""
        known = card.method in METHODS
        return known and self._session.slide is not None and card.kind != "object"

    def is_network(self, card: ModelCard) -> bool:
        """Whether a model was an ONNX file, and can be written as one."""
        return card.method in METHODS and METHODS.get(card.method).is_imported

    def params_form(self, card: ModelCard) -> Sequence[FormRow]:
        """Return the rows of the form of what can be set when a model is applied."""
        known = card.method in METHODS
        return form_rows(METHODS.get(card.method).params) if known else ()

    def apply(self, model: LibraryModel, params: Mapping[str, Any] | None = None) -> Job | None:
        """Use a model on the open slide; a notice says why it cannot start.

        ``params``: of its method, see `params_form`; None: as they are by default.
        """
        return self._session.analyze(model.card.method, params or {}, "slide", model.path)

    def import_file(self, path: Path) -> None:
        """Take a model file into the library."""
        self._do(partial(import_model, path), _("“{name}” is in the library.").format)

    def network_form(self) -> Sequence[FormRow]:
        """Return the rows of the form that asks what a network's file does not say."""
        return form_rows(NetworkCard)

    def said_of(self, path: Path) -> tuple[Mapping[str, Any], str]:
        """Return what stands beside a network, and what is wrong with that, as a sentence."""
        try:
            return {"title": path.stem, **said_beside(path)}, ""
        except PathoViewError as error:
            return {"title": path.stem}, error.full_text

    def import_network(
        self, path: Path, said: Mapping[str, Any], answer: Callable[[str], None]
    ) -> None:
        """Take a network into the library; ``answer`` gets why it cannot be, or an empty text."""

        def on_done(done: LibraryModel | None, error: BaseException | None) -> None:
            if isinstance(error, PathoViewError):
                answer(error.full_text)
                return
            answer("")
            self._on_done(_("“{name}” is in the library.").format, done, error)

        self._session.scheduler.submit(partial(import_model, path, said), on_done)

    def export(self, model: LibraryModel, target: Path) -> None:
        """Write a copy of a model with its card."""

        def export() -> LibraryModel:
            return LibraryModel(export_model(model.path, target), model.card)

        self._do(export, _("“{name}” was copied.").format)

    def rename(self, model: LibraryModel, title: str) -> None:
        """Call a model otherwise."""
        self._do(partial(rename_model, model.path, title), None)

    def remove(self, model: LibraryModel) -> None:
        """Take a model out of the library, as a step of the history."""
        lies = [model.path]
        """Where it lies now: it may come back under another name."""

        def move(way: Callable[[Path], Path]) -> None:
            try:
                lies[0] = way(lies[0])
            except PathoViewError as error:
                self._session.notice.emit(from_error(error))
                raise Refused from error
            self.refresh()

        name = model.card.title
        step = Step(
            _("Remove {title}").format(title=name),
            partial(move, remove_model),
            partial(move, bring_back),
        )
        try:
            self._session.history.do(step)
        except Refused:
            return
        text = _("“{name}” was removed from the library; undo brings it back.")
        self._session.notice.emit(Notice(text.format(name=name)))

    def _do(self, work: Callable[[], LibraryModel], words: Callable[..., str] | None) -> None:
        self._session.scheduler.submit(work, partial(self._on_done, words))

    def _on_done(
        self,
        words: Callable[..., str] | None,
        done: LibraryModel | None,
        error: BaseException | None,
    ) -> None:
        if done is None:
            self._on_error(error)
            return
        if words is not None:
            self._session.notice.emit(Notice(words(name=done.card.title)))
        self.refresh()

    def _on_library(self, models: list[LibraryModel] | None, error: BaseException | None) -> None:
        self._on_error(error)
        self.models = models or []
        self.changed.emit()

    def _on_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))
