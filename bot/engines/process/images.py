"""Keeps trees that are ready to run, each in a folder named after its content."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.engines.process.recipe import Recipe

_ID = "sha256:"
_RECIPE = "recipe.json"


@dataclass(frozen=True, slots=True)
class Image:
    """A tree and how to start it."""

    id: str
    folder: Path
    recipe: Recipe

    @property
    def tree(self) -> Path:
        """The application's files."""
        return self.folder / "tree"

    @property
    def venv(self) -> Path:
        """Its Python packages, where it has any."""
        return self.folder / "venv"


class ImageStore:
    """The images below one folder. One that has no recipe yet is not finished, and counts as not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, image_id: str) -> Image | None:
        """The finished image of that id, or None."""
        folder = self._place(image_id)
        try:
            recipe = Recipe(**json.loads((folder / _RECIPE).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Image(image_id, folder, recipe)

    def begin(self, image_id: str, context: Path, recipe: Recipe) -> Image:
        """Copy a tree to where it will run: packages are installed there, and remember the place. Links stay links."""
        image = Image(image_id, self._place(image_id), recipe)
        shutil.rmtree(image.folder, ignore_errors=True)
        shutil.copytree(context, image.tree, symlinks=True, ignore=_what_cannot_be_copied)
        return image

    def finish(self, image: Image) -> None:
        """From now on the image is there."""
        draft = image.folder / f"{_RECIPE}.draft"
        draft.write_text(json.dumps(asdict(image.recipe)), encoding="utf-8")
        draft.rename(image.folder / _RECIPE)

    def remove(self, image_id: str) -> None:
        """Forget an image. Repeatable."""
        shutil.rmtree(self._place(image_id), ignore_errors=True)

    def _place(self, image_id: str) -> Path:
        return self._folder / image_id.removeprefix(_ID).replace("/", "-")


def tree_id(context: Path, recipe: Recipe) -> str:
    """`sha256:…` over the recipe and every name, kind, executable bit and content of the tree."""
    digest = hashlib.sha256(json.dumps(asdict(recipe), sort_keys=True).encode())
    for path in _walk(context):
        status = path.lstat()
        kind = "x" if stat.S_ISREG(status.st_mode) and status.st_mode & 0o100 else stat.filemode(status.st_mode)[0]
        digest.update(os.fsencode(path.relative_to(context)) + f"\0{kind}\0{status.st_size}\0".encode())
        digest.update(_content(path, status))
    return _ID + digest.hexdigest()


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)


def _content(path: Path, status: os.stat_result) -> bytes:
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(path.readlink())
    if not stat.S_ISREG(status.st_mode):
        return b""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _what_cannot_be_copied(folder: str, names: list[str]) -> list[str]:
    """Sockets, pipes and devices."""
    return [name for name in names if not _is_copied((Path(folder) / name).lstat().st_mode)]


def _is_copied(mode: int) -> bool:
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)
