"""The classes of the study: made, named, coloured, given a meaning and a key; each undoable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from psygnal import Signal

from pathoview.annotations.change import Change
from pathoview.annotations.classes import SEPARATOR, default_color
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.errors import PathoViewError, UsageError
from pathoview.core.translation import _, ngettext
from pathoview.session.annotation_desk import AnnotationDesk, class_name
from pathoview.session.notices import Notice, from_error
from pathoview.session.study_desk import StudyDesk
from pathoview.study.class_sets import meaning_of_name, read_class_set, write_class_set
from pathoview.study.importing import missing_classes
from pathoview.study.model import MEANINGS, LabelClass, Meaning
from pathoview.study.step import RecordChange

__all__ = ["DIGITS", "MEANINGS", "ClassDesk", "LabelClass", "Meaning"]

DIGITS = "123456789"
"""Keys that a class can have; 0 is no class."""


class ClassDesk:
    """Alters classes, counts and hides their annotations on the open slide.

    What cannot be done is refused with a notice. All methods are called on the session's thread.
    """

    changed = Signal()
    """`listed`, `counts`, `hidden`, or the class that is drawn in."""

    def __init__(self, studies: StudyDesk, annotations: AnnotationDesk) -> None:
        self._studies = studies
        self._annotations = annotations
        self._counts: Counter[str] = Counter()
        self._hidden: set[int] = set()
        annotations.changed.connect(self._on_annotations_changed)
        annotations.class_changed.connect(self._on_class_changed)
        studies.changed.connect(self.changed)

    @property
    def listed(self) -> Sequence[LabelClass]:
        """The classes of the palette, in order."""
        return self._annotations.classes

    @property
    def can_edit(self) -> bool:
        """Whether there is a study, and it can be written."""
        study = self._studies.study
        return study is not None and not study.is_read_only

    def get(self, number: int) -> LabelClass | None:
        """Return a class, listed or not; None: there is none of that number."""
        return self._studies.records.get(LabelClass, str(number))

    def named(self, name: str) -> LabelClass | None:
        """Return the class of a name, listed or not."""
        return next((one for one in self._studies.records.classes if one.name == name), None)

    def with_key(self, digit: str) -> LabelClass | None:
        """Return the class that a digit stands for."""
        return next((one for one in self.listed if one.shortcut == digit), None)

    # -- what is on the slide --------------------------------------------------------------------

    def count(self, number: int) -> int:
        """Return the number of annotations of a class on the open slide; 0: of no class."""
        return self._counts[self._name(number)]

    def count_named(self, name: str) -> int:
        """Return the number of annotations of a class by its name; empty: of no class."""
        return self._counts[name]

    @property
    def n_used(self) -> int:
        """Number of classes that annotations of the open slide have."""
        return sum(n > 0 for name, n in self._counts.items() if name)

    @property
    def unlisted(self) -> Sequence[str]:
        """Names of classes that annotations of the slide have and the palette has not."""
        known = {one.name for one in self.listed} | {""}
        return sorted(name for name, n in self._counts.items() if n > 0 and name not in known)

    @property
    def hidden(self) -> frozenset[int]:
        """Numbers of classes whose annotations are not seen; 0: those of no class."""
        return frozenset(self._hidden)

    def show(self, number: int, shown: bool = True) -> None:
        """Show or hide all annotations of a class; hidden ones are not chosen any more."""
        (self._hidden.discard if shown else self._hidden.add)(number)
        self._hide()
        if not shown:
            name = self._name(number)
            chosen = self._annotations.selected
            kept = [one.id for one in chosen if class_name(one) != name]
            if len(kept) < len(chosen):
                self._annotations.select(kept)
        self.changed.emit()

    def _hide(self) -> None:
        source = self._annotations.source
        if source is not None:
            gone = {number for number in self._hidden if number and self.get(number) is None}
            self._hidden -= gone
            source.hidden_classes = frozenset(map(self._name, self._hidden))

    def _name(self, number: int) -> str:
        found = self.get(number) if number else None
        return "" if found is None else found.name

    def select(self, number: int) -> None:
        """Choose all annotations of a class that are seen; 0: of no class."""
        document, name = self._annotations.document, self._name(number)
        if document is not None and number not in self._hidden:
            self._annotations.select(
                one.id for one in document if not one.is_hidden and class_name(one) == name
            )

    def _on_annotations_changed(self, change: Change | None) -> None:
        document = self._annotations.document
        if change is None:
            said = () if document is None else document
            self._counts = Counter(class_name(one) for one in said)
            self._hide()
        else:
            self._counts.subtract(class_name(one) for one in change.before)
            self._counts.update(class_name(one) for one in change.after)
        self.changed.emit()

    def _on_class_changed(self) -> None:
        self._hide()
        self.changed.emit()

    # -- the palette -----------------------------------------------------------------------------

    def add(self, name: str) -> LabelClass | None:
        """Add a class to the palette and draw in it; None: it was refused.

        One that was taken from the palette comes back as it was.
        """
        try:
            added = self._added(self._checked(name))
        except UsageError as error:
            self._refuse(error)
            return None
        before = self.get(added.number)
        if not self._put([(before, added)], _("Add class {name}").format(name=added.name)):
            return None
        self._annotations.choose_class(added.number)
        return added

    def _added(self, name: str) -> LabelClass:
        known = self.named(name)
        key = self._free_key()
        if known is not None:
            return known.model_copy(update={"is_listed": True, "shortcut": key})
        return LabelClass(
            number=self.next_number(),
            name=name,
            color=default_color(name),
            meaning=meaning_of_name(name),
            shortcut=key,
        )

    def next_number(self) -> int:
        """Return the number for a new class."""
        return max((one.number for one in self._studies.records.classes), default=0) + 1

    def add_unlisted(self) -> None:
        """Take all classes into the palette that annotations of the slide have."""
        changes = self.missing(one.classification for one in self._annotations.document or ())
        if changes:
            n = len(changes)
            self._studies.put(changes, ngettext("Add class", "Add {n} classes", n).format(n=n))

    def missing(self, said: Iterable[DetectionClass | None]) -> list[RecordChange]:
        """Return what adds, or lists again, those classes that the palette has not."""
        return missing_classes(self._studies.records.classes, said)

    def adopted(self, feature: Feature) -> Feature:
        """Return an annotation with its class as the study has it, going by the name."""
        known = self.named(class_name(feature))
        if known is None or known.drawn == feature.classification:
            return feature
        return replace(feature, classification=known.drawn)

    def rename(self, number: int, name: str) -> bool:
        """Give a class another name; its annotations follow."""
        known = self.get(number)
        if known is None or name.strip() == known.name:
            return False
        try:
            checked = self._checked(name)
            if self.named(checked) is not None:
                raise UsageError(
                    _("“{name}” was taken from the palette before.").format(name=checked),
                    _("Add it again, or choose another name."),
                )
        except UsageError as error:
            return self._refuse(error)
        title = _("Rename class to {name}").format(name=checked)
        return self._edit(known, title, name=checked)

    def recolor(self, number: int, color: tuple[int, int, int]) -> bool:
        """Give a class another colour (0–255 each); its annotations follow."""
        return self._edit(self.get(number), _("Colour of {name}"), color=color)

    def set_meaning(self, number: int, meaning: Meaning) -> bool:
        """Say what a class teaches."""
        return self._edit(self.get(number), _("Meaning of {name}"), meaning=meaning)

    def set_key(self, number: int, digit: str) -> bool:
        """Give a class a digit as its key, taken from the class that had it; empty: none."""
        known, other = self.get(number), self.with_key(digit) if digit else None
        if known is None or known.shortcut == digit or (digit and digit not in DIGITS):
            return False
        changes: list[tuple[LabelClass | None, LabelClass]] = [
            (known, known.model_copy(update={"shortcut": digit}))
        ]
        if other is not None:
            changes.append((other, other.model_copy(update={"shortcut": ""})))
        return self._put(changes, _("Key of {name}").format(name=known.name))

    def remove(self, number: int) -> bool:
        """Take a class from the palette; annotations keep it."""
        known = self.get(number)
        title = _("Remove class {name}")
        return self._edit(known, title, is_listed=False, shortcut="")

    def _edit(self, known: LabelClass | None, title: str, **members: Any) -> bool:
        if known is None:
            return False
        edited = known.model_copy(update=members)
        return edited != known and self._put([(known, edited)], title.format(name=known.name))

    # -- sets of classes -------------------------------------------------------------------------

    def write(self, path: Path) -> bool:
        """Write the palette as a set of classes; False: a notice says why not."""
        try:
            write_class_set(path, self.listed)
        except PathoViewError as error:
            return self._refuse(error)
        self._studies.notice.emit(
            Notice(_("The classes were written to {name}.").format(name=path.name))
        )
        return True

    def read(self, path: Path) -> bool:
        """Take in the classes of a set, of QuPath's ``classes.json``, or of another study.

        Those of the same name are altered, new ones come, others stay.
        """
        try:
            found = read_class_set(path)
        except PathoViewError as error:
            return self._refuse(error)
        changes = self._merged(found)
        if not changes:
            self._studies.notice.emit(Notice(_("All these classes are here already.")))
            return False
        return self._put(changes, _("Take in classes"))

    def _merged(self, found: Sequence[LabelClass]) -> list[tuple[LabelClass | None, LabelClass]]:
        known = {one.name: one for one in self._studies.records.classes}
        result = dict(known)
        taken = {one.shortcut for one in found}
        for one in known.values():
            if one.shortcut in taken:
                result[one.name] = one.model_copy(update={"shortcut": ""})
        number = self.next_number()
        for one in found:
            old = known.get(one.name)
            key = one.shortcut or ("" if old is None else result[one.name].shortcut)
            update = {"number": old.number if old else number, "shortcut": key, "is_listed": True}
            result[one.name] = one.model_copy(update=update)
            number += old is None
        pairs = [(known.get(name), one) for name, one in result.items()]
        return [(old, new) for old, new in pairs if old != new]

    # -- how it is done --------------------------------------------------------------------------

    def _put(self, changes: Sequence[tuple[LabelClass | None, LabelClass]], title: str) -> bool:
        return self._studies.put([RecordChange.of(old, new) for old, new in changes], title)

    def _checked(self, name: str) -> str:
        """Return a name as it is kept: no spaces around its levels; raises `UsageError`."""
        levels = [level.strip() for level in name.split(SEPARATOR.strip())]
        checked = SEPARATOR.join(level for level in levels if level)
        if not checked:
            raise UsageError(_("A class needs a name."))
        if any(one.name == checked for one in self.listed):
            raise UsageError(
                _("There is a class “{name}” already.").format(name=checked),
                _("Choose another name."),
            )
        return checked

    def _free_key(self) -> str:
        taken = {one.shortcut for one in self.listed}
        return next((digit for digit in DIGITS if digit not in taken), "")

    def _refuse(self, error: PathoViewError) -> bool:
        self._studies.notice.emit(from_error(error))
        return False
