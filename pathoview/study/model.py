"""What a study says beside annotations: classes, cases, blocks, slides and their labels.

Each is a frozen record with a kind and a key, kept as JSON; members that a newer version added
are ignored.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from pathoview.annotations.detections import DetectionClass
from pathoview.study.records import RunRecord, now

Meaning = Literal["positive", "negative", "ignore", "region"]
"""What a class teaches: what is looked for, what is not, what to leave out, where to look."""
MEANINGS: tuple[Meaning, ...] = get_args(Meaning)

Review = Literal["", "reviewed"]
Stain = Literal["", "H&E", "H-DAB", "IHC", "PAS", "fluorescence", "other"]
STAINS: tuple[Stain, ...] = get_args(Stain)

LabelKind = Literal["class", "grade", "number", "survival"]
LABEL_KINDS: tuple[LabelKind, ...] = get_args(LabelKind)

SlideSort = Literal["name", "added", "status", "random"]
SLIDE_SORTS: tuple[SlideSort, ...] = get_args(SlideSort)


def new_id() -> str:
    """Return an id that no other record has."""
    return uuid.uuid4().hex


class Record(BaseModel):
    """One thing that a study says; `kind` and `key` name it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: ClassVar[str]

    @property
    def key(self) -> str:
        """What tells it from others of its kind; a kind that is not known has none."""
        raise NotImplementedError

    def to_json(self) -> bytes:
        return self.model_dump_json(exclude_defaults=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Return the record; raises pydantic's `ValidationError`."""
        return cls.model_validate_json(data)


def record_class(kind: str) -> type[Record] | None:
    """Return what records of a kind are; None: a kind that a newer PathoView has added."""
    return next((one for one in Record.__subclasses__() if one.kind == kind), None)


class StudyInfo(Record):
    """The study itself."""

    kind: ClassVar[str] = "study"

    id: str = Field(default_factory=new_id)
    name: str = ""
    created: str = Field(default_factory=now)
    is_private: bool = False
    """Made because a slide was labelled without a study; see `keep`."""

    @property
    def key(self) -> str:
        return ""

    def to_json(self) -> bytes:
        return self.model_dump_json().encode()


class LabelClass(Record):
    """A class of labels; annotations name it by its number, so that it can be renamed."""

    kind: ClassVar[str] = "class"

    number: int = Field(ge=1)
    name: str
    color: tuple[int, int, int]
    meaning: Meaning = "positive"
    shortcut: str = ""
    """A digit; empty: none."""
    is_listed: bool = True
    """In the palette; annotations keep a class that is not."""

    @property
    def key(self) -> str:
        return str(self.number)

    @property
    def drawn(self) -> DetectionClass:
        """The class as annotations carry it."""
        return DetectionClass(self.name, self.color)


class Case(Record):
    """A patient's case; slides belong to its blocks."""

    kind: ClassVar[str] = "case"

    id: str = Field(default_factory=new_id)
    name: str

    @property
    def key(self) -> str:
        return self.id


class Block(Record):
    """A block of tissue of a case, from which slides were cut."""

    kind: ClassVar[str] = "block"

    id: str = Field(default_factory=new_id)
    case_id: str
    name: str

    @property
    def key(self) -> str:
        return self.id


class SlideLabel(BaseModel):
    """What is said of a whole slide, or of some frames of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    label_kind: LabelKind
    name: str
    """The class; or what is graded, measured or survived."""
    value: float | None = None
    """The grade (ordinal, from 0), the number, or the months survived; None: a class."""
    has_event: bool | None = None
    """Survival only: whether the event came; False: censored."""
    frames: tuple[int, int] | None = None
    """First and last frame (time) it holds for; None: all."""
    author: str = ""
    created: str = ""
    is_uncertain: bool = False
    is_disputed: bool = False


class SlideRecord(Record):
    """A slide of the study, named by the hash of its content, wherever its file lies."""

    kind: ClassVar[str] = "slide"

    slide_hash: str
    path: str = ""
    """Where it lay when it was opened last; found again by its content."""
    pseudonym: str = ""
    added: str = ""
    width_l0: int = 0
    height_l0: int = 0
    mpp: tuple[float, float] | None = None
    """µm per level-0 px (x, y)."""
    block_id: str = ""
    stain: str = ""
    patient_id: str = ""
    site_id: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    labels: tuple[SlideLabel, ...] = ()
    is_reviewed: bool = False

    @property
    def key(self) -> str:
        return self.slide_hash

    @property
    def is_there(self) -> bool:
        """Whether something lies where it lay: a file, or the folder of a clip."""
        return bool(self.path) and Path(self.path).exists()


class SlideOrder(Record):
    """How the slides of the study are listed, the same for everybody who opens it."""

    kind: ClassVar[str] = "order"

    sort: SlideSort = "name"
    seed: int = 0
    """Of the random order: the same seed gives the same one."""
    is_blinded: bool = False
    """Pseudonyms are shown instead of names, and nothing that tells of the patient."""

    @property
    def key(self) -> str:
        return ""


class RunEntry(Record):
    """A run whose result file belongs to the study."""

    kind: ClassVar[str] = "run"

    id: str
    slide_hash: str
    path: str
    title: str = ""
    method: str = ""
    started: str = ""
    details: dict[str, Any] = Field(default_factory=dict)
    """Parameters, versions and the rest of the run's record."""

    @classmethod
    def of(cls, record: RunRecord, path: Path) -> Self:
        """Return the entry of a run and its result file."""
        said = record.model_dump(mode="json")
        own = {name: said.pop(name) for name in ("id", "slide_hash", "title", "method", "started")}
        return cls(**own, path=str(path.absolute()), details=said)

    @property
    def key(self) -> str:
        return self.id
