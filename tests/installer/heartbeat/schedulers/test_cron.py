"""Our block in a crontab, through Debian's own `crontab`."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from claude_tier.errors import UserError
from claude_tier.heartbeat.schedulers import cron
from claude_tier.heartbeat.schedulers.cron import CRONTAB
from claude_tier.heartbeat.schedulers.job import Job
from crontabs import Spool

THEIRS = "MAILTO=me@example.com\n5 4 * * * /usr/local/bin/backup 100\\%\n# the end\n"
ENTRY = "* * * * * "


def entry(spool: Spool) -> str:
    """The command of ours, as cron gives it to sh."""
    (line,) = [one for one in (spool.text or "").splitlines() if one.startswith(ENTRY)]
    assert "%" not in line.replace("\\%", "")
    return line.removeprefix(ENTRY).replace("\\%", "%")


def test_every_word_arrives_as_it_is(spool: Spool, job: Job) -> None:
    """Also those with spaces, quotes, umlauts, dollars and percent signs."""
    cron.add(job)
    words = shlex.split(entry(spool))
    variables = [f"{key}={value}" for key, value in job.environment.items()]
    assert words == ["/usr/bin/env", *variables, *job.words, ">/dev/null", "2>&1"]
    assert {"PATH", "HOME", "USER", "LANG"} <= job.environment.keys()


def test_the_rest_of_a_crontab_is_left_byte_for_byte(spool: Spool, job: Job) -> None:
    """While ours is in it, and after; nothing above it changes what mail goes where."""
    spool.write(THEIRS)
    made = cron.add(job).made
    assert (spool.text or "").startswith(THEIRS)
    assert cron.place(job.name) == "your crontab"
    cron.remove(job.name, made)
    assert (spool.text, cron.place(job.name)) == (THEIRS, None)


def test_twice_is_once(spool: Spool, job: Job) -> None:
    """The second has what is current."""
    spool.write(THEIRS)
    cron.add(job)
    cron.add(replace(job, environment={"PATH": "/elsewhere"}))
    assert "PATH=/elsewhere" in shlex.split(entry(spool))


def test_an_entry_that_stands_already_is_not_said_to_be_written(spool: Spool, job: Job) -> None:
    """Another one in its place is."""
    wrote = ("Wrote the entry into your crontab.",)
    assert cron.add(job).lines == wrote
    assert cron.add(job).lines == ("The entry stands in your crontab already.",)
    other = replace(job, environment={"PATH": "/elsewhere"})
    assert cron.add(other).lines == wrote


def test_a_crontab_made_for_us_goes_with_us(spool: Spool, job: Job) -> None:
    """One that was there and empty stays."""
    made = cron.add(job).made
    assert made == (CRONTAB,)
    cron.remove(job.name, made)
    assert spool.text is None
    spool.write("")
    cron.remove(job.name, cron.add(job).made)
    assert spool.text == ""


def test_lines_written_since_stay(spool: Spool, job: Job) -> None:
    """Below, above, and between our marks; the crontab that was made for us then stays, too."""
    made = cron.add(job).made
    first, line, last = (spool.text or "").splitlines()
    spool.write("\n".join(["@daily a", first, "@daily b", f"#{line}", last, "@daily c", ""]))
    cron.remove(job.name, made)
    assert spool.text == "@daily a\n@daily b\n@daily c\n"


def test_a_lost_end_mark_costs_nobody_a_line(spool: Spool, job: Job) -> None:
    """Only what starts our script goes."""
    cron.add(job)
    mark = f"# {job.name}: end"
    spool.write((spool.text or "").replace(mark, f"{mark} of it") + "@daily a\n")
    cron.remove(job.name, ())
    assert spool.text == f"{mark} of it\n@daily a\n"


def test_a_crontab_without_a_last_line_break_gets_one(spool: Spool, job: Job) -> None:
    """`crontab` takes none without, so that it keeps it."""
    spool.write("@daily a")
    cron.remove(job.name, cron.add(job).made)
    assert spool.text == "@daily a\n"


def test_the_entry_of_another_folder_stays(spool: Spool, job: Job) -> None:
    """Each of a user's folders has its own."""
    other = replace(job, name=f"{job.name}-other")
    cron.add(other)
    before = spool.text
    cron.remove(job.name, cron.add(job).made)
    assert spool.text == before


def test_a_long_path_is_cut_to_what_a_crontab_takes(spool: Spool, job: Job, tmp_path: Path) -> None:
    """The usual folders and that of `claude` stay; what is left out is said."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "claude").write_text("")
    spare = [f"/opt/{number:060}" for number in range(20)]
    path = ":".join([*spare, str(own), "/usr/bin", "/bin"])
    said = cron.add(replace(job, environment={"PATH": path})).lines[-1]
    (kept,) = [word for word in shlex.split(entry(spool)) if word.startswith("PATH=")]
    folders = kept.removeprefix("PATH=").split(":")
    assert folders[-3:] == [str(own), "/usr/bin", "/bin"]
    assert spare[0] in folders
    assert spare[-1] in said


@pytest.mark.parametrize("python", ["/a\\b/python", "/a=b/python"])
def test_a_path_that_cron_would_change_is_refused(spool: Spool, job: Job, python: str) -> None:
    """Before anything is written."""
    with pytest.raises(UserError, match="crontab"):
        cron.add(replace(job, python=python))
    assert spool.text is None


def test_a_crontab_that_cannot_be_read_is_not_replaced(
    spool: Spool, job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only "no crontab" is none."""
    spool.write(THEIRS)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "crontab").write_text("#!/bin/sh\necho 'not allowed' >&2\nexit 1\n")
    (broken / "crontab").chmod(0o755)
    with monkeypatch.context() as changed:
        changed.setenv("PATH", f"{broken}:{os.environ['PATH']}")
        with pytest.raises(UserError, match="not allowed"):
            cron.add(job)
    assert spool.text == THEIRS


@pytest.mark.parametrize(
    "words", ["no crontab for me", "crontab: can't open 'me': No such file or directory"]
)
def test_no_crontab_is_understood_in_other_words_too(
    job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    """Vixie's and BusyBox's; the first entry makes one."""
    (tmp_path / "crontab").write_text(
        f"#!/bin/sh\ncd '{tmp_path}'\n"
        f'test "$1" = - && exec cat >tab\ntest -e tab && exec cat tab\necho "{words}" >&2\nexit 1\n'
    )
    (tmp_path / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert cron.place(job.name) is None
    assert cron.add(job).made == (CRONTAB,)
    assert cron.place(job.name) == "your crontab"


def test_what_another_writes_meanwhile_is_not_lost(
    spool: Spool, job: Job, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The crontab is read again just before it is written."""
    spool.write(THEIRS)
    (real,) = [Path(one) for one in os.environ["PATH"].split(":")[:1]]
    between, file = tmp_path / "between", spool.folder / "root"
    between.mkdir()
    (between / "crontab").write_text(
        f"#!/bin/sh\n'{real}/crontab' \"$@\" || exit\n"
        f"test -e '{between}/once' || {{ : >'{between}/once'; echo '@daily late' >>'{file}'; }}\n"
    )
    (between / "crontab").chmod(0o755)
    monkeypatch.setenv("PATH", f"{between}:{os.environ['PATH']}")
    cron.add(job)
    assert (spool.text or "").startswith(f"{THEIRS}@daily late\n# {job.name}")
