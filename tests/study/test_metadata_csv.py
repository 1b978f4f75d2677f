from __future__ import annotations

from pathlib import Path

import pytest

from pathoview.core.errors import InputError
from pathoview.study.metadata_csv import (
    MetadataPlan,
    meaning_of,
    plan_import,
    read_table,
    stain_of,
    write_list,
)
from pathoview.study.model import Block, Case, Record, SlideOrder, SlideRecord
from pathoview.study.slide_labels import label_text, parse_label
from pathoview.study.slide_list import SlideFacts, slide_rows

ONE = SlideRecord(slide_hash="a" * 32, path="/data/one.svs", pseudonym="slide-aaaaaaaa")
TWO = SlideRecord(slide_hash="b" * 32, path="/data/two.svs", pseudonym="slide-bbbbbbbb")


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def plan(path: Path, *slides: SlideRecord, **meanings: str) -> MetadataPlan:
    return plan_import(read_table(path), slides, (), (), meanings)  # type: ignore[arg-type]


def afters(found: MetadataPlan) -> dict[str, SlideRecord]:
    return {match.said: match.after for match in found.matches}


def test_known_columns_fill_slides_in_and_others_become_metadata(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "File name,Patient ID,site,Case,Block,Stain,Tags,Note,Labels,Reviewed,Scanner\n"
        "one.svs,4711,Oslo,C 1,A,h-dab,rare;old,see me,Tumor;grade:ISUP=3,yes,AT2\n",
    )
    found = plan(path, ONE, TWO)
    after = afters(found)["one.svs"]
    assert (after.patient_id, after.site_id, after.stain) == ("4711", "Oslo", "H-DAB")
    assert (after.tags, after.notes, after.is_reviewed) == (("rare", "old"), "see me", True)
    assert [*map(label_text, after.labels)] == ["Tumor", "grade:ISUP=3"]
    assert after.metadata == {"Scanner": "AT2"}
    kinds = [change.kind for change in found.changes]
    assert kinds == [Case.kind, Block.kind, SlideRecord.kind]


def test_rows_are_matched_by_name_pseudonym_or_hash(tmp_path: Path) -> None:
    text = "slide;hash;site\nnowhere;" + "b" * 32 + ";Oslo\nslide-aaaaaaaa;;Rom\nthree;;Bern\n;;\n"
    found = plan(table(tmp_path, text), ONE, TWO)
    sites = {match.before.pseudonym: match.after.site_id for match in found.matches}
    assert sites == {"slide-bbbbbbbb": "Oslo", "slide-aaaaaaaa": "Rom"}
    assert found.unknown == ("three",)


def test_a_name_of_two_slides_is_doubtful_and_left_alone(tmp_path: Path) -> None:
    twin = TWO.model_copy(update={"path": "/other/one.svs"})
    found = plan(table(tmp_path, "slide,site\none.svs,Oslo\n"), ONE, twin)
    assert (found.doubtful, found.changes) == (("one.svs",), ())


def test_without_a_known_column_the_first_names_the_slide(tmp_path: Path) -> None:
    found = plan(table(tmp_path, "ID\tsite\none\tOslo\n"), ONE)
    assert afters(found)["one"].site_id == "Oslo"


def test_a_person_may_say_what_a_column_means(tmp_path: Path) -> None:
    path = table(tmp_path, "slide,Zentrum,secret\none,Oslo,x\n")
    found = plan(path, ONE, Zentrum="site_id", secret="ignored")
    assert (afters(found)["one"].site_id, afters(found)["one"].metadata) == ("Oslo", {})


def test_empty_cells_say_nothing_and_the_same_table_again_changes_nothing(tmp_path: Path) -> None:
    known = ONE.model_copy(update={"site_id": "Oslo", "notes": "mine"})
    path = table(tmp_path, "slide,site,notes,tags\none,,mine,\n")
    assert plan(path, known).changes == ()


def test_cells_that_cannot_be_taken_are_said_and_left_out(tmp_path: Path) -> None:
    path = table(tmp_path, "slide,block,labels,reviewed,site\none,A,grade:x,perhaps,Oslo\n")
    found = plan(path, ONE)
    assert len(found.problems) == 3
    after = afters(found)["one"]
    assert (after.block_id, after.labels, after.is_reviewed, after.site_id) == (
        "",
        (),
        False,
        "Oslo",
    )


def test_a_block_without_a_case_belongs_to_the_patient(tmp_path: Path) -> None:
    found = plan(table(tmp_path, "slide,block,patient\none,A,P1\n"), ONE)
    made: list[Record] = [Case.from_json(found.changes[0].after or b"")]
    assert [one.name for one in made if isinstance(one, Case)] == ["P1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_common_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = table(tmp_path, "slide,site\none,Zürich\n", encoding)
    assert afters(plan(path, ONE))["one"].site_id == "Zürich"


@pytest.mark.parametrize("text", ["", "slide,site\n", "a,a\n1,2\n"])
def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match=r"table\.csv"):
        read_table(table(tmp_path, text))


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "nowhere.csv")


def test_a_written_list_changes_nothing_when_it_is_read_again(tmp_path: Path) -> None:
    case = Case(name="C, 1")
    block = Block(case_id=case.id, name="A;b")
    full = ONE.model_copy(
        update={
            **{"block_id": block.id, "stain": "H&E", "patient_id": "007", "site_id": "Oslo"},
            **{"tags": ("a", "b"), "notes": "two\nlines", "metadata": {"Scanner": "AT2"}},
            **{"labels": (parse_label("survival:OS=3,event@1-2"),), "is_reviewed": True},
        }
    )
    rows = slide_rows([full, TWO], [case], [block], {full.key: SlideFacts(5, 2)}, SlideOrder())
    path = tmp_path / "list.csv"
    write_list(path, rows)
    read = read_table(path)
    assert (read.rows[0]["annotations"], read.rows[0]["status"]) == ("5", "reviewed")
    found = plan_import(read, [full, TWO], [case], [block])
    assert (len(found.matches), found.changes, found.problems) == (2, (), ())


def test_a_blinded_list_tells_nothing_of_the_patient(tmp_path: Path) -> None:
    full = ONE.model_copy(
        update={"patient_id": "007", "notes": "Smith", "metadata": {"Born": "1970"}}
    )
    rows = slide_rows([full], (), (), {}, SlideOrder(is_blinded=True))
    write_list(tmp_path / "list.csv", rows, is_blinded=True)
    text = (tmp_path / "list.csv").read_text("utf-8-sig")
    assert "slide-aaaaaaaa" in text
    assert not any(hidden in text for hidden in ("007", "Smith", "1970", "one.svs", "a" * 32))


def test_names_of_columns_and_stains_are_understood_however_they_are_written() -> None:
    assert meaning_of("  Patient_ID ") == "patient_id"
    assert meaning_of("Age") == "metadata"
    assert stain_of("h and e") == "h and e"
    assert stain_of("he") == "H&E"
