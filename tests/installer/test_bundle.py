"""What is installed comes from the package, whether it is a checkout or a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from claude_tier import bundle
from claude_tier.install import payload
from trees import write

ROOT = Path(__file__).parents[2]


def test_a_checkout_is_its_own_bundle() -> None:
    """Agents, skills, hooks and the plugin's manifest are found at the top of the repository."""
    assert bundle.root() == ROOT
    assert (ROOT / ".claude-plugin" / "plugin.json").is_file()


def test_a_wheel_carries_the_same_files(tmp_path: Path) -> None:
    """What a wheel installs is, file by file, what the checkout would install."""
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    asked = "from claude_tier import bundle; print(bundle.root(), end='')"
    said = subprocess.run(
        [sys.executable, "-c", asked],
        env={"PYTHONPATH": str(tmp_path / "site")},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    shipped = Path(said.stdout)
    assert shipped == tmp_path / "site" / "claude_tier" / "plugin"
    assert payload.shipped(shipped) == payload.shipped(ROOT)
    assert payload.runtime(shipped) == payload.runtime(ROOT)
    assert (shipped / ".claude-plugin" / "plugin.json").is_file()


def test_litter_is_not_shipped(tmp_path: Path) -> None:
    """Caches and hidden files of a checkout stay there."""
    for name in ("stop.py", "__pycache__/stop.pyc", ".stop.py.swp", ".idea/x"):
        write(tmp_path / "hooks" / name, "")
    assert payload.runtime(tmp_path).keys() == {"hooks/stop.py"}
