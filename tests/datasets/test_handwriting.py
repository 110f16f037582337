"""A digit on a page of any size, ink and light becomes what a model of digits was trained on."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

from tfcourse import datasets
from tfcourse.datasets import handwriting
from tfcourse.datasets.handwriting import find_ink, framed, read_digit, unlike_digits

SIDE, INKED = 300, 100  # of the page, and of the digit on it


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def neighbours(digits):
    """A judge that is no model of ours."""
    return KNeighborsClassifier(1).fit(digits.x_train.reshape(-1, 64), digits.y_train)


def enlarged(x, side=INKED):
    image = Image.fromarray(np.round(255 * x).astype(np.uint8))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), np.float32) / 255


def on_page(x, top=100, left=100):
    page = np.zeros((SIDE, SIDE), np.float32)
    page[top : top + INKED, left : left + INKED] = enlarged(x)
    return page


def lit(ink, seed):
    """A photo: light that falls off to one side, a blur, noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    light = 0.62 + 0.5 * (x * np.cos(angle) + y * np.sin(angle))
    blurred = ndimage.gaussian_filter(light * (1 - 0.75 * ink), 1.5)
    return np.clip(blurred + rng.normal(0, 0.03, ink.shape), 0, 1).astype(np.float32)


def shifted(x, seed):
    return on_page(x, *np.random.default_rng(seed).integers(4, SIDE - INKED - 4, 2))


PAGES = {
    "enlarged": lambda x, seed: enlarged(x, 224),
    "framed": lambda x, seed: on_page(x),
    "ink on paper": lambda x, seed: 1 - on_page(x),
    "shifted": lambda x, seed: 1 - shifted(x, seed),
    "grey paper": lambda x, seed: 0.65 - 0.4 * shifted(x, seed),
    "photographed": lambda x, seed: lit(shifted(x, seed), seed),
}


def prepared(images, way, size=(8, 8)):
    found = [find_ink(PAGES[way](x, seed)) for seed, x in enumerate(images)]
    assert all(ink is not None for ink in found)
    return np.stack([framed(ink, size) for ink in found])


PLAIN = {"framed", "ink on paper", "shifted"}  # and what is harder to read is tried anyway


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.whole if way in PLAIN else ()) for way in PAGES]
)
def test_packaged_digits_on_large_pages_are_themselves_again(digits, neighbours, way):
    x = prepared(digits.x_test[:100], way)
    assert (neighbours.predict(x.reshape(-1, 64)) == digits.y_test[:100]).sum() >= 90
    assert sum(unlike_digits(one) is not None for one in x) <= 3


def test_as_the_packaged_digits_are_framed(digits):
    x = prepared(digits.x_test[:100], "ink on paper")
    assert (x * 16 == np.round(x * 16)).all()
    assert (x.max(axis=2) > 0).mean() > 0.99  # as high as the frame
    theirs, ours = digits.x_test[:100], x
    assert abs(ours.sum((1, 2)).mean() - theirs.sum((1, 2)).mean()) < 3
    assert np.abs(ours.mean(0) - theirs.mean(0)).max() < 0.25


def test_as_mnist_frames_its_digits(digits):
    for x in prepared(digits.x_test[:20], "shifted", (28, 28)):
        rows, columns = np.nonzero(x > 0.3)
        assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 21
        assert np.abs(np.subtract(ndimage.center_of_mass(x), 13.5)).max() < 0.6


def test_paper_without_ink_and_noise_are_told():
    rng = np.random.default_rng(0)
    for page in (
        np.full((200, 150), 0.9),
        np.zeros((8, 8)),
        np.linspace(0.2, 0.9, 120 * 80).reshape(120, 80),
        rng.random((28, 28)),
        rng.random((300, 200)),
        np.clip(0.8 + rng.normal(0, 0.05, (100, 100)), 0, 1),
    ):
        assert find_ink(page.astype(np.float32)) is None


def test_what_is_no_digit_is_doubted(tmp_path):
    page = np.full((200, 200), 255, np.uint8)
    page[40:160, [*range(40, 52), *range(148, 160)]] = page[94:106, 40:160] = 0  # an H
    two = np.full((200, 200), 255, np.uint8)
    two[80:120, 20:40] = two[80:120, 60:90] = two[80:120, 130:180] = 0
    for pixels, words in ((page, "none of the digits"), (two, "wider than a digit")):
        Image.fromarray(pixels).save(tmp_path / "x.png")
        assert words in read_digit(tmp_path / "x.png", (8, 8)).doubt


def test_an_image_as_the_model_takes_it_stays_as_it_is(digits, tmp_path):
    pixels = np.round(255 * digits.x_test[0]).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    seen = read_digit(tmp_path / "x.png", (8, 8, 1))
    assert (seen.x[..., 0] == pixels / np.float32(255)).all() and seen.doubt is None
    Image.fromarray(255 - pixels).save(tmp_path / "x.png")
    swapped = read_digit(tmp_path / "x.png", (8, 8))
    assert np.abs(swapped.x - seen.x[..., 0]).mean() < 0.2


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_nothing_is_seen(digits, tmp_path, ink):
    alpha = np.round(255 * on_page(digits.x_test[0])).astype(np.uint8)
    pixels = np.stack([np.full_like(alpha, ink)] * 3 + [alpha], axis=-1)
    Image.fromarray(pixels).save(tmp_path / "x.png")
    seen = read_digit(tmp_path / "x.png", (8, 8))
    expected = prepared(digits.x_test[:1], "framed")[0]
    assert np.abs(seen.x - expected).mean() < 0.05


def test_specks_and_lines_from_edge_to_edge_are_not_the_digit(digits):
    plain = 1 - on_page(digits.x_test[3])
    page = plain.copy()
    page[260:264] = 0.1
    page[20:24, 20:24] = 0.1
    size = handwriting.DIGITS
    np.testing.assert_allclose(
        framed(find_ink(page), size), framed(find_ink(plain), size), atol=0.2
    )
