"""Records of finished work: found again by key, torn ones dropped, damage told."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

import pytest

from planner.errors import PlanError
from planner.files.format_mark import mark_line
from planner.files.records import Records, read_records, record_of
from planner.version import planner_version

DAMAGE = "{path} is no record; remove the line"


def written(path: Path, *keys: str) -> bytes:
    """Write records with some keys; their seconds are 0, 1, 2, ..."""
    with Records(path, DAMAGE) as records:
        for number, key in enumerate(keys):
            records.add(record_of(key, "here", "optimal", number))
    return path.read_bytes()


def test_records_are_found_again_by_key_the_latest_of_each(tmp_path: Path) -> None:
    written(tmp_path / "file", "a", "b", "a")
    with Records(tmp_path / "file", DAMAGE) as records:
        assert {key: record["seconds"] for key, record in records.by_key.items()} == {
            "a": 2,
            "b": 1,
        }


def test_numbers_survive_exactly(tmp_path: Path) -> None:
    values = [math.pi, 0.1 + 0.2, 5e-324, 1.7976931348623157e308, -1 / 3]
    with Records(tmp_path / "file", DAMAGE) as records:
        records.add(record_of("a", "here", "optimal", 0, values=values))
    assert read_records(tmp_path / "file", DAMAGE)[0]["a"]["values"] == values


@pytest.mark.parametrize("torn", [b'{"key": "c"', b"\xff\xff", b"{}\n", b"[]\n", b'"key"\n'])
def test_a_last_line_that_is_no_record_is_dropped(torn: bytes, tmp_path: Path) -> None:
    whole = written(tmp_path / "file", "a", "b")
    (tmp_path / "file").write_bytes(whole + torn)
    with Records(tmp_path / "file", DAMAGE) as records:
        assert list(records.by_key) == ["a", "b"]
        assert (tmp_path / "file").read_bytes() == whole
        records.add(record_of("c", "here", "optimal", 0))
    assert list(read_records(tmp_path / "file", DAMAGE)[0]) == ["a", "b", "c"]


def test_a_broken_line_before_the_last_is_told_and_a_fresh_start_forgets_it(tmp_path: Path) -> None:
    mark, first, second = written(tmp_path / "file", "a", "b").splitlines(keepends=True)
    (tmp_path / "file").write_bytes(mark + first + b"{}\n" + second)
    with pytest.raises(PlanError, match="file:3 is no record; remove the line"):
        Records(tmp_path / "file", DAMAGE)
    with Records(tmp_path / "file", DAMAGE, fresh=True) as records:
        assert not records.by_key
    assert (tmp_path / "file").read_bytes() == mark


def test_a_fresh_start_remembers_how_it_went_before(tmp_path: Path) -> None:
    written(tmp_path / "file", "a")
    with Records(tmp_path / "file", DAMAGE, fresh=True) as records:
        assert (list(records.by_key), list(records.forgotten)) == ([], ["a"])


def test_a_record_is_on_disk_when_it_is_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    with Records(tmp_path / "file", DAMAGE) as records:
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
        records.add(record_of("a", "here", "optimal", 0))
        assert synced == [(tmp_path / "file").stat().st_size] != [0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with Records(tmp_path / "file", DAMAGE) as records:
        records._file = os.open("/dev/full", os.O_WRONLY)
        with pytest.raises(PlanError, match="cannot be written: No space left on device"):
            records.add(record_of("a", "here", "optimal", 0))


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="file cannot be written: "):
        Records(tmp_path / "file" / "records", DAMAGE)


@pytest.mark.parametrize(
    "wrong",
    [{"key": []}, {"key": None}, {"at": {}}, {"status": None}, {"seconds": "x"}, {"gap": "x"},
     {"figures": None}, {"figures": {"profit": "x"}}],
)  # fmt: skip
def test_a_field_of_another_type_is_damage(wrong: dict[str, object], tmp_path: Path) -> None:
    record = record_of("a", "here", "optimal", 0)
    lines = [json.dumps(record | wrong), json.dumps(record), ""]
    (tmp_path / "file").write_text("\n".join(lines))
    with pytest.raises(PlanError, match="file:1 is no record; remove"):
        Records(tmp_path / "file", DAMAGE)


def test_a_line_of_countless_brackets_is_damage(tmp_path: Path) -> None:
    whole = written(tmp_path / "file", "a")
    (tmp_path / "file").write_bytes(whole + b"[" * 100_000 + b"\n{}\n")
    with pytest.raises(PlanError, match="file:3 is no record; remove"):
        Records(tmp_path / "file", DAMAGE)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(
    "content",
    [b'{"model": "mine", "score": 0.91}\n', b'{"model": "mine"}', b"{}\n", b"[]", b"\n",
     b"a,b\n1,2\n", b"\x00\x00", b"PAR1", "我的\n".encode(), b'{"keys": []}\n', b' {"key": "a"}\n',
     b'{"key": "a"}', b'{"key":"a"', b'{"key":"a"}\n'],
)  # fmt: skip
def test_a_file_of_others_stays_as_it_is(content: bytes, fresh: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(PlanError, match="file was not written by the planner; move it away"):
        Records(tmp_path / "file", DAMAGE, fresh=fresh)
    assert (tmp_path / "file").read_bytes() == content


@pytest.mark.parametrize("length", range(0, len(mark_line()), 7))
def test_a_first_line_may_be_torn_anywhere(length: int, tmp_path: Path) -> None:
    whole = written(tmp_path / "file", "a")
    (tmp_path / "file").write_bytes(whole[:length])
    with Records(tmp_path / "file", DAMAGE) as records:
        assert not records.by_key


def test_records_of_before_there_was_a_mark_are_used_and_those_of_later_are_not(
    tmp_path: Path,
) -> None:
    mark, *lines = written(tmp_path / "file", "a", "b").splitlines(keepends=True)
    (tmp_path / "file").write_bytes(b"".join(lines))
    with Records(tmp_path / "file", DAMAGE) as records:
        assert list(records.by_key) == ["a", "b"]
    of_later = mark.replace(b": 1", b": 2").replace(planner_version().encode(), b"9.0")
    later = of_later + lines[0]
    (tmp_path / "file").write_bytes(later)
    words = "was written in format 2 by planner 9.0, and this planner reads format 1: use that"
    with pytest.raises(PlanError, match=words):
        Records(tmp_path / "file", DAMAGE)
    assert (tmp_path / "file").read_bytes() == later
    with Records(tmp_path / "file", DAMAGE, fresh=True) as records:
        assert not records.by_key
