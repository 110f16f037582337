"""Pictures of a handwritten digit, made into what a model of digits was trained on.

Ink is what stands out from the paper, darker or lighter, whatever the light. It is then brought to
the frame of the model's training data:

- 8×8, as the packaged digits were made: the bounding box stretched to 32×20, strokes made equally
  thick, slant taken out so that the leftmost ink of top and bottom stands in one column, centred in
  32×32, and counted in blocks of 4×4. (E. Alpaydin and C. Kaynak, 1998, after the normalization of
  NIST's form-based handprint recognition system, NISTIR 5469.)
- any other size as MNIST's 28×28: the longer side of the bounding box becomes 20/28 of the frame,
  grey, with the centre of mass in the middle. (Y. LeCun, C. Cortes, C. J. C. Burges, 1998.)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from tfcourse.datasets.dataset import Floats
from tfcourse.datasets.images import read_grey
from tfcourse.datasets.loading import load

DIGITS = (8, 8)  # the size of the packaged digits
SIDE = 128, 512  # pixels of the longer side that ink is looked for in
LEAST_CONTRAST = 0.1  # of ink with its paper, white being 1
LEAST_OVER_NOISE = 6.0  # standard deviations
SUBPIXELS = 4  # in each direction, of the 32×32 bitmaps
WIDTH, STRETCH = 20, 2.5  # of a digit in 32×32; narrow ones are stretched by no more
INK, THICKENED = 0.45, 2.0  # share of ink in the box; pixels of 32 a stroke gains or loses at most
EDGE = 5  # rows of 32 whose leftmost ink tells the slant
FAR = 1.15  # times the distance of the most unlike packaged digit: others write otherwise
TOO_WIDE = 1.7  # width over height of what can be no digit


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture and what a model sees of it.

    picture: (height, width), grey, 0 … 1, as it was. x: float32, as the model takes one example.
    doubt: why it looks like no digit, if it does not.
    """

    picture: Floats
    x: Floats
    doubt: str | None


def read_digit(path: str | os.PathLike[str], input_shape: tuple[int, ...]) -> Seen:
    """Read a picture of one digit as a model of digits takes it, (h, w) or (h, w, 1).

    A picture of the model's own size with light ink on black is taken as it is.

    Raises: FileNotFoundError, PermissionError; ValueError for a file that is no picture.
    """
    picture = read_grey(Path(path))
    size = input_shape[0], input_shape[1]
    if picture.shape == size and np.median(picture[_outer(picture)]) < 0.25 < picture.max():
        x, doubt = picture, unlike_digits(picture)
    elif (ink := find_ink(picture)) is None:
        x = np.zeros(size, np.float32)
        doubt = unlike_digits(x)
    elif ink.shape[1] > TOO_WIDE * ink.shape[0]:
        x = framed(ink, size)
        doubt = "what stands out is wider than a digit; one digit a picture is expected"
    else:
        x = framed(ink, size)
        doubt = unlike_digits(x if size == DIGITS else framed(ink, DIGITS))
    return Seen(picture, x.reshape(input_shape), doubt)


def find_ink(picture: Floats) -> Floats | None:
    """Return the ink of a grey picture, (height, width) from 0 to 1 in its bounding box, or None.

    The paper may be of any grey and lit unevenly: a surface of the second degree is fitted to it.
    """
    grey = _resampled(picture)
    paper = _paper(grey)
    rest = grey - paper
    darker = np.mean(rest**3) < 0
    contrast: Any = -rest / np.maximum(paper, 0.1) if darker else rest  # dim light, dim contrast
    # The lower quartile of a normal distribution's absolute values is 0.3186 σ; what ink there is
    # at the edge lies above it.
    noise = float(np.quantile(np.abs(contrast[_outer(grey)]), 0.25)) / 0.3186
    top = float(contrast.max())
    if top < max(LEAST_CONTRAST, LEAST_OVER_NOISE * noise):
        return None
    top = float(np.median(contrast[contrast > top / 2]))
    mask = _written(contrast > max(top / 2, 3 * noise))
    kept = ndimage.binary_dilation(mask, iterations=2)
    ink = np.where(kept, np.clip(contrast / top, 0, 1), 0).astype(np.float32)
    return _boxed(ink, mask)


def framed(ink: Floats, size: tuple[int, int]) -> Floats:
    """Return ink as the training data of a model of this (height, width) shows it, from 0 to 1."""
    return _counted(ink) if size == DIGITS else _centred(ink, size)


def unlike_digits(x: Floats) -> str | None:
    """Return why (8, 8) or larger x is unlike all packaged digits, or None where it is like one."""
    x = x.reshape(x.shape[:2])
    size: tuple[int, ...] = x.shape
    small = x if size == DIGITS or not x.any() else _counted(x)
    if not small.any():
        return "no ink stands out from the paper"
    known, far = _known()
    if np.sqrt(np.square(known - small.ravel()).sum(axis=1).min()) > far:
        return "it looks like none of the digits that are packaged"
    return None


@cache
def _known() -> tuple[Floats, float]:
    """The packaged training digits, (m, 64), and how far from the nearest a digit may be."""
    digits = load("digits")
    known, others = (x.reshape(len(x), -1) for x in (digits.x_train, digits.x_validation))
    squares = np.square(known).sum(1) + np.square(others).sum(1)[:, None] - 2 * others @ known.T
    return known, FAR * float(np.sqrt(squares.min(axis=1)).max())


def _outer(grey: Floats) -> Any:
    """A mask of the outer eighth."""
    outer = np.ones(grey.shape, bool)
    y, x = (max(1, n // 8) for n in grey.shape)
    outer[y:-y, x:-x] = False
    return outer


def _resampled(picture: Floats) -> Floats:
    """The picture with a longer side between `SIDE`'s two, a little blurred against noise."""
    longer = max(picture.shape)
    scale = max(SIDE[0] / longer, min(1.0, SIDE[1] / longer))
    height, width = (max(2, round(scale * n)) for n in picture.shape)
    resized = _resized(picture, height, width)
    return ndimage.gaussian_filter(resized, max(height, width) / 200)  # type: ignore[no-any-return]


def _paper(grey: Floats) -> Floats:
    """The paper's grey at each pixel: by the outer eighth first, then by all that is near that."""
    height, width = grey.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    outer = _outer(grey)
    # A plane first: ink that touches two edges would bend anything else.
    surface = terms[..., :3] @ _least_absolute(terms[outer][:, :3], grey[outer])
    distance = np.abs(grey - surface)
    near = distance <= max(3 * float(np.median(distance[outer])), 0.02)
    if near.mean() > 0.3:
        surface = terms @ _least_absolute(terms[near], grey[near])
    return surface.astype(np.float32)  # type: ignore[no-any-return]


def _least_absolute(terms: Any, values: Floats) -> Any:
    """Coefficients with the least sum of absolute errors: ink among the paper counts little."""
    step = max(1, len(values) // 4000)
    terms, values = terms[::step], values[::step]
    weight = np.ones(len(values))
    for _ in range(20):
        scaled = terms * weight[:, None]
        found = np.linalg.lstsq(scaled.T @ terms, scaled.T @ values, rcond=None)[0]
        weight = 1 / np.maximum(np.abs(values - terms @ found), 1e-3)
    return found


def _written(mask: Any) -> Any:
    """The pieces of a mask that are a digit.

    Not specks, nor, if there are others, what the picture's edge cuts off.
    """
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    free = sizes.copy()
    free[np.unique(edge)] = 0
    if free.max() >= 0.2 * sizes.max():
        sizes = free
    return np.isin(labels, np.flatnonzero(sizes >= max(1, 0.08 * sizes.max())))


def _resized(ink: Any, height: int, width: int) -> Any:
    from PIL import Image

    image = Image.fromarray(np.asarray(ink, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _boxed(ink: Floats, mask: Any) -> Floats:
    """The ink in the mask's bounding box; all of it if the mask is empty."""
    boxes = ndimage.find_objects(mask.astype(int))
    return ink[boxes[0]] if boxes else ink


def _centred(ink: Floats, size: tuple[int, int]) -> Floats:
    """Ink as MNIST shows it."""
    ink = _boxed(ink, ink > 0.5)
    scale = 20 / 28 * min(size) / max(ink.shape)
    small = _resized(ink, *(max(1, round(scale * n)) for n in ink.shape))
    frame = np.zeros(size, np.float32)
    height, width = small.shape
    y, x = (size[0] - height) // 2, (size[1] - width) // 2
    frame[y : y + height, x : x + width] = small
    mass = ndimage.center_of_mass(frame)
    shift = [round((n - 1) / 2 - at) for n, at in zip(size, mass, strict=True)]
    return ndimage.shift(frame, shift, order=0)  # type: ignore[no-any-return]


def _counted(ink: Floats) -> Floats:
    """Ink as the packaged digits show it."""
    side = 32 * SUBPIXELS
    ink = _boxed(ink, ink > 0.5)
    height, width = ink.shape
    wide = SUBPIXELS * int(np.clip(round(32 * width / height * STRETCH), 4, WIDTH))
    bitmap = np.zeros((side, 2 * side), np.float32)  # room to lean
    start = side - wide // 2
    bitmap[:, start : start + wide] = _resized(ink, side, wide)
    bitmap = _upright(_evenly_thick(bitmap > 0.5, INK * wide * side))
    middle = round(float((bitmap.sum(axis=0) * np.arange(2 * side)).sum() / bitmap.sum() + 0.5))
    middle = int(np.clip(middle, side // 2, 3 * side // 2))
    bitmap = bitmap[:, middle - side // 2 : middle + side // 2]
    counts = bitmap.reshape(8, 4 * SUBPIXELS, 8, 4 * SUBPIXELS).mean(axis=(1, 3))
    return (np.round(16 * counts) / 16).astype(np.float32)  # type: ignore[no-any-return]


def _evenly_thick(mask: Any, area: float) -> Any:
    """The mask with so much grown or taken off all along its edge that it has this area."""
    inside = ndimage.distance_transform_edt(mask) - 0.5
    outside = ndimage.distance_transform_edt(~mask) - 0.5
    distance = np.where(mask, -inside, outside)
    most = THICKENED * SUBPIXELS
    level = np.clip(np.quantile(distance, area / mask.size), -most, most)
    return distance <= max(level, distance.min())


def _upright(mask: Any) -> Floats:
    """The mask sheared until the leftmost ink of its top and its bottom stands in one column."""
    rows = np.flatnonzero(mask.any(axis=1))
    first, last, edge = rows[0], rows[-1], EDGE * SUBPIXELS
    top = np.flatnonzero(mask[first : first + edge].any(axis=0))[0]
    bottom = np.flatnonzero(mask[last - edge + 1 : last + 1].any(axis=0))[0]
    slant = (bottom - top) / max(1, last - first)
    offset = [0, -slant * (first + last) / 2]
    return ndimage.affine_transform(  # type: ignore[no-any-return]
        mask.astype(np.float32), [[1, 0], [slant, 1]], offset, order=1
    )
