"""Pictures: a folder with a subfolder of images per class, and images to predict."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfcourse._checks import InputError
from tfcourse.datasets import files
from tfcourse.datasets.arrays import SPELLED, Found, as_float32
from tfcourse.datasets.dataset import Array, Floats
from tfcourse.datasets.files import ContentError, DataFileError, shown
from tfcourse.datasets.npz import read_array

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

EXPECTED = "an image (PNG, JPEG, BMP, GIF or WebP; 8 bits a channel)"
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"GIF8", b"RIFF")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
OTHER_SUFFIXES = (".tif", ".tiff", ".heic", ".heif", ".avif", ".svg", ".pgm", ".ppm", ".npy")
GREY, COLOUR = "L", "RGB"  # Pillow's names
MODES = dict.fromkeys(("1", "L", "LA"), GREY) | dict.fromkeys(
    ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"), COLOUR
)
MOST_PIXELS = 50_000_000  # of one image


def read_folder(folder: Path, size: tuple[int, int] | None = None) -> Found | None:
    """Read class/*.png and the like, or train/class/*.png with test/… and validation/… beside.

    Class names are the names of the (training) subfolders, sorted. None without subfolders. One
    without an image is no class: a note says that it was left out.
    size: (height, width) that all pictures are brought to; without it they must have one size.
    """
    roots = {"train": folder}
    subfolders = {path.name: path for path in _subfolders(folder, folder)}
    if not subfolders:
        return None
    if "train" in subfolders and subfolders.keys() <= SPELLED.keys():
        roots = {SPELLED[name]: path for name, path in subfolders.items()}
        if len(roots) < len(subfolders):
            twice = " and ".join(name for name in subfolders if SPELLED[name] == "validation")
            raise DataFileError(f"{shown(folder)} holds {twice}, expected one of them")
    pictures = {
        part: {path: _images(path) for path in _subfolders(root, folder)}
        for part, root in roots.items()
    }
    class_names = tuple(path.name for path, images in pictures["train"].items() if images)
    if not class_names:
        raise DataFileError(
            f"{shown(roots['train'])} has no image in any of its subfolders, expected a subfolder"
            f" of images ({', '.join(SUFFIXES)}) per class"
        )
    paths, labels, notes = list[Path](), dict[str, list[int]](), list[str]()
    for part, by_subfolder in pictures.items():
        labels[part] = []
        for subfolder, images in by_subfolder.items():
            if not images:
                notes.append(f"{shown(subfolder)} holds no images and was left out")
                continue
            if subfolder.name not in class_names:
                raise DataFileError(f"{shown(subfolder)} is no class of the training folder")
            labels[part] += [class_names.index(subfolder.name)] * len(images)
            paths += [files.inside(path, folder) for path in images]
    ends = np.cumsum([len(y) for y in labels.values()])[:-1]
    x = dict(zip(labels, np.split(_stacked(paths, size), ends), strict=True))
    parts = {part: (x[part], np.array(y)) for part, y in labels.items()}
    return Found(parts, class_names, tuple(notes))


def read_images(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]], input_shape: Sequence[int]
) -> Floats:
    """Read examples to predict, as a model with this input shape takes them.

    Pictures become grey or RGB as the input has 1 or 3 channels, are resized where they differ,
    and scaled to [0, 1]. A `.npy` array holds one example or a stack of them, of the input's own
    shape (of grey images with or without the last 1): uint8 is divided by 255, other numbers are
    taken as they are.

    Returns: float32, (examples, *input_shape), in the order of `paths`.

    Raises: FileNotFoundError, PermissionError; ValueError for a file that is neither, an array of
        another shape, NaN or infinite values.
    """
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not paths:
        raise InputError("images to read: expected at least one path, got none")
    return np.concatenate([_examples(Path(path), tuple(input_shape)) for path in paths])


def read_grey(path: Path) -> Floats:
    """Read a picture as grey, (height, width) from 0 to 1; what is transparent shows its paper.

    Raises: as `read_images`.
    """
    image = _picture(path, on_paper=True).convert(GREY)
    return as_float32(np.asarray(image), shown(path))


def _examples(path: Path, shape: tuple[int, ...]) -> Floats:
    """The example or examples of one file."""
    if path.suffix.lower() == ".npy":
        x = read_array(path)
        # The same with its one channel said, or not.
        grey = shape[:-1] if len(shape) == 3 and shape[-1] == 1 else (*shape, 1)
        stack = x[np.newaxis] if x.shape in (shape, grey) else x
        if len(shape) > 1 and stack.shape[1:] == grey:
            stack = stack.reshape(len(stack), *shape)
        if stack.shape[1:] != shape or not len(stack):
            raise DataFileError(
                f"{shown(path)} has shape {x.shape}, expected {shape} or a stack of such examples"
            )
        return as_float32(stack, shown(path))
    channels = shape[2] if len(shape) == 3 else 1
    if len(shape) not in (2, 3) or channels not in (1, 3):
        raise DataFileError(
            f"{shown(path)} cannot fill inputs of shape {shape}, expected a .npy array"
        )
    image = _picture(path).convert(GREY if channels == 1 else COLOUR)
    pixels = np.asarray(_resized(image, (shape[0], shape[1])))
    return as_float32(pixels.reshape(1, *shape), shown(path))


def _subfolders(folder: Path, within: Path) -> list[Path]:
    return [files.inside(path, within) for path in files.entries(folder) if path.is_dir()]


def _images(folder: Path) -> list[Path]:
    """The images in a folder; refuses one without any whose images would be lost without a word.

    Those are pictures a folder deeper, or of kinds that are not read.
    """
    found = files.entries(folder)
    images = [path for path in found if path.suffix.lower() in SUFFIXES]
    for path in () if images else found:
        if path.suffix.lower() in OTHER_SUFFIXES:
            raise DataFileError(
                f"{shown(folder)} holds no images that are read here, such as {path.name!r}:"
                f" expected {', '.join(SUFFIXES)}"
            )
        deeper = files.entries(files.inside(path, folder)) if path.is_dir() else ()
        if any(inner.suffix.lower() in SUFFIXES for inner in deeper):
            raise DataFileError(
                f"{shown(folder)} has its images a folder deeper, in {path.name!r}: expected"
                " them in the folder of their class"
            )
    return images


def _stacked(paths: list[Path], size: tuple[int, int] | None) -> Array:
    """All pictures as one array: (m, height, width) if all are grey, else with 3 channels."""
    images: list[Picture] = []
    for path in paths:
        image = _picture(path, min(MOST_PIXELS, files.MOST_VALUES // len(paths)))
        images.append(_resized(image, size) if size else image)
        if images[-1].size != images[0].size:
            other, one = ("×".join(map(str, images[at].size)) for at in (-1, 0))
            raise DataFileError(
                f"{shown(path)} is {other}, {shown(paths[0])} {one}, expected images of one"
                " size; image_size brings them to one"
            )
    mode = GREY if all(image.mode == GREY for image in images) else COLOUR
    return np.stack([np.asarray(image.convert(mode)) for image in images])


def _resized(image: Picture, size: tuple[int, int]) -> Picture:
    from PIL import Image

    height, width = size
    return image.resize((width, height), Image.Resampling.BILINEAR)  # averages as it shrinks


def _picture(path: Path, most: int = MOST_PIXELS, *, on_paper: bool = False) -> Picture:
    """One picture, upright, grey or RGB, of at most so many values.

    on_paper: lay transparent ones on white, or on black where their ink is light; otherwise the
    colours that transparent pixels have in the file count.
    """
    from PIL import Image, ImageOps

    with files.opened(path, EXPECTED, *MAGICS) as file:
        with Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            mode = MODES.get(image.mode)
            if mode is None:
                raise ContentError(f"has pixels of mode {image.mode}")
            if width * height * len(mode) > most:
                limit = f"the {most // len(mode):,} accepted"
                raise ContentError(f"has {width}×{height} pixels, more than {limit}")
            image.verify()  # checksums, where the format has them
        file.seek(0)
        with Image.open(file, formats=FORMATS) as image:
            upright = ImageOps.exif_transpose(image)
            return (_on_paper(upright) if on_paper else upright).convert(mode)


def _on_paper(image: Picture) -> Picture:
    from PIL import Image

    if "A" not in image.mode and "transparency" not in image.info:
        return image
    layer = image.convert("RGBA")
    alpha = np.asarray(layer.getchannel("A"))
    if (alpha == 255).all():
        return image
    ink = np.asarray(layer.convert(GREY))[alpha > 127]
    paper = 0 if ink.size and ink.mean() > 127 else 255
    return Image.alpha_composite(Image.new("RGBA", layer.size, (paper,) * 3 + (255,)), layer)
