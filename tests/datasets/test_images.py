import os

import numpy as np
import pytest
from PIL import Image

from tfcourse.datasets import load, read_images, take


def saved(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path, images):
    """Twelve grey pictures of two classes, 7 wide and 5 high."""
    for number, pixels in enumerate(images(12, 5, 7)):
        saved(tmp_path / ["猫 cat", "dog"][number % 2] / f"{number:02}.png", pixels)
    return tmp_path


def test_a_subfolder_per_class(folder, images):
    for noise in (".hidden/x.png", "dog/.hidden.png", "dog/notes.txt", "README.md"):
        (folder / noise).parent.mkdir(exist_ok=True)
        (folder / noise).write_text("no image")
    data = load(folder)
    assert data.class_names == ("dog", "猫 cat")
    assert data.input_shape == (5, 7)
    every = np.concatenate([data.x_train, data.x_validation, data.x_test])
    assert np.isclose(every.sum(), images(12, 5, 7).sum() / 255)
    dogs = {x.tobytes() for x in (images(12, 5, 7)[1::2] / np.float32(255))}
    assert {x.tobytes() for x in data.x_train[data.y_train == 0]} < dogs


def test_parts_in_folders_of_their_own(tmp_path, images):
    for number, pixels in enumerate(images(12, 5, 7)):
        part = ["train", "val", "test"][number // 4]
        saved(tmp_path / part / "ab"[number % 2] / f"{number:02}.png", pixels)
    data = load(tmp_path)
    assert [len(y) for y in (data.y_train, data.y_validation, data.y_test)] == [4, 4, 4]
    assert (data.x_test[[0, 2]] == images(12, 5, 7)[8::2][[0, 1]] / np.float32(255))[0].all()
    assert data.y_test.tolist() == [0, 0, 1, 1]


def test_a_picture_is_of_the_class_its_folder_is_named_after_though_its_part_lacks_others(
    tmp_path, images
):
    for number, pixels in enumerate(images(12, 5, 7)):
        part = ["train", "val", "test"][number // 4]
        classes = {"train": "abc", "val": "bc", "test": "ca"}[part]
        folder = classes[number % len(classes)]
        saved(tmp_path / part / folder / f"{number:02}.png", pixels)
    data = load(tmp_path)
    assert set(data.y_train) == {0, 1, 2} and data.class_names == ("a", "b", "c")
    assert set(data.y_validation) == {1, 2} and set(data.y_test) == {0, 2}
    for x, y in zip(data.x_validation, data.y_validation, strict=True):
        number = next(n for n, p in enumerate(images(12, 5, 7)) if (p / np.float32(255) == x).all())
        assert "bc"[number % 2] == data.class_names[y]


def test_two_folders_to_validate_with_are_refused(tmp_path, images, refusal):
    for number, pixels in enumerate(images(12, 5, 7)):
        part = ["train", "val", "validation"][number // 4]
        saved(tmp_path / part / "ab"[number % 2] / f"{number:02}.png", pixels)
    assert "holds val and validation, expected one of them" in refusal(tmp_path)


def test_train_can_be_a_class_among_vehicles(tmp_path, images):
    for number, pixels in enumerate(images(12, 5, 7)):
        saved(tmp_path / ["train", "bus", "test"][number % 3] / f"{number}.png", pixels)
    assert load(tmp_path).class_names == ("bus", "test", "train")


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "webp", "JPG"])
def test_formats(tmp_path, suffix):
    pixels = np.full((12, 8, 8), 60, np.uint8) + 100 * (np.arange(12) % 2)[:, None, None].astype(
        np.uint8
    )
    for number, one in enumerate(pixels):
        options = {"lossless": True} if suffix == "webp" else {}
        saved(tmp_path / "ab"[number % 2] / f"{number}.{suffix}", one, **options)
    data = load(tmp_path)
    brightness = data.x_train.reshape(len(data.x_train), -1).mean(1)
    np.testing.assert_allclose(brightness, np.array([60, 160])[data.y_train] / 255, atol=0.01)


def test_one_picture_in_colour_makes_all_of_them_so(folder, images):
    saved(folder / "dog" / "99.png", images(5, 7, 3))
    assert load(folder).input_shape == (5, 7, 3)


@pytest.mark.parametrize("size", [1, 2])
def test_tiny_pictures(tmp_path, images, size):
    for number, pixels in enumerate(images(12, size, size)):
        saved(tmp_path / "ab"[number % 2] / f"{number}.png", pixels)
    assert load(tmp_path).input_shape == (size, size)


def test_mixed_sizes(folder, refusal, images):
    saved(folder / "dog" / "99.png", images(7, 5))
    message = refusal(folder)
    assert "99.png' is 5×7" in message and "01.png' 7×5, expected images of one size" in message


def test_a_subfolder_without_pictures_is_no_class(folder):
    whole = load(folder)
    for stray in ("empty", "notes"):
        (folder / stray).mkdir()
    (folder / "notes" / "read me.txt").write_text("of the photographer")
    data = load(folder)
    assert data.class_names == whole.class_names and data.fingerprint == whole.fingerprint
    assert [note.rpartition("/")[2] for note in data.notes] == [
        "empty' holds no images and was left out",
        "notes' holds no images and was left out",
    ]
    assert take(folder).notes == take(folder, image_size=(5, 7)).notes == data.notes


def test_pictures_that_would_be_lost_without_a_word_are_refused(folder, refusal, images):
    saved(folder / "bird" / "1.tif", images(5, 7))
    assert "bird' holds no images that are read here, such as '1.tif': expected .png" in refusal(
        folder
    )
    (folder / "bird" / "1.tif").unlink()
    saved(folder / "bird" / "more" / "1.png", images(5, 7))
    assert "bird' has its images a folder deeper, in 'more': expected them" in refusal(folder)


def test_only_subfolders_without_pictures(tmp_path, refusal):
    (tmp_path / "empty").mkdir()
    assert "has no image in any of its subfolders, expected a subfolder of images" in refusal(
        tmp_path
    )


def test_one_class_and_none(tmp_path, refusal, images):
    assert "is a folder without a data set" in refusal(tmp_path)
    for number, pixels in enumerate(images(4, 5, 7)):
        saved(tmp_path / "only" / f"{number}.png", pixels)
    assert "single class" in refusal(tmp_path)


def test_a_class_that_was_not_trained(tmp_path, refusal, images):
    for number, pixels in enumerate(images(4, 5, 7)):
        saved(tmp_path / "train" / "ab"[number % 2] / f"{number}.png", pixels)
        saved(tmp_path / "test" / "ac"[number % 2] / f"{number}.png", pixels)
    assert "c' is no class of the training folder" in refusal(tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_links_stay_inside(folder, refusal, tmp_path_factory, images):
    (folder / "dog" / "50.png").symlink_to(folder / "猫 cat" / "00.png")
    assert len(load(folder).y_train) + 2 == 13
    outside = saved(tmp_path_factory.mktemp("outside") / "secret.png", images(5, 7))
    (folder / "dog" / "51.png").symlink_to(outside)
    assert "51.png' links out of" in refusal(folder)
    (folder / "dog" / "51.png").unlink()
    (folder / "bird").symlink_to(outside.parent)
    assert "bird' links out of" in refusal(folder)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is an empty file"),
        (b"<!DOCTYPE html><p>404", "is an HTML page"),
        (b"\x89PNG\r\n\x1a\n", "cannot be decoded"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "of no kind known here"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "cannot be decoded"),
    ],
)
def test_what_is_no_picture(folder, refusal, content, found):
    (folder / "dog" / "99.png").write_bytes(content)
    message = refusal(folder)
    assert "99.png'" in message and found in message and "expected an image" in message


def test_pictures_of_too_many_pixels_or_bits(tmp_path, refusal):
    for label in "ab":
        (tmp_path / label).mkdir()
        Image.new("1", (8000, 8000)).save(tmp_path / label / "large.png")
    assert "has 8000×8000 pixels, more than" in refusal(tmp_path)
    saved(tmp_path / "a" / "large.png", np.zeros((5, 5), np.uint16))
    assert "pixels of mode I;16" in refusal(tmp_path)


# Images to predict


def test_pictures_become_what_the_model_takes(tmp_path, images):
    colour, grey = images(8, 6, 3), images(8, 6)
    paths = [saved(tmp_path / "c.png", colour), saved(tmp_path / "g.png", grey)]
    x = read_images(paths, (8, 6, 3))
    assert x.dtype == np.float32 and x.shape == (2, 8, 6, 3)
    assert (x[0] == colour / np.float32(255)).all()
    assert (x[1] == grey[..., None] / np.float32(255)).all()
    luma = colour @ np.array([0.299, 0.587, 0.114]) / 255  # ITU-R 601
    np.testing.assert_allclose(read_images(paths, (8, 6))[0], luma, atol=1 / 255)
    assert (read_images(paths, [8, 6, 1])[..., 0] == read_images(paths, (8, 6))).all()


def test_resizing_averages(tmp_path):
    board = np.indices((64, 64)).sum(0).astype(np.uint8) % 2 * 255
    path = saved(tmp_path / "board.png", board)
    np.testing.assert_allclose(read_images(path, (8, 8)), 0.5, atol=0.01)
    assert read_images(path, (8, 16)).shape == (1, 8, 16)
    np.testing.assert_allclose(read_images(str(path), (64, 64))[0], board / 255)


@pytest.mark.parametrize("shape", [(8, 16), (16, 8)])
def test_resizing_to_what_is_no_square_keeps_left_and_right_and_above_and_below(tmp_path, shape):
    pixels = np.zeros((64, 64), np.uint8)
    pixels[:32, 32:], pixels[32:, :32] = 100, 200  # above on the right, below on the left
    [x] = read_images(saved(tmp_path / "quarters.png", pixels), shape)
    height, width = shape
    assert x.shape == shape
    corners = [[x[0, 0], x[0, -1]], [x[-1, 0], x[-1, -1]]]
    np.testing.assert_allclose(corners, np.array([[0, 100], [200, 0]]) / 255, atol=0.01)
    assert (x[: height // 2 - 1] < 0.5).all() and (x[:, width // 2 + 1 :] < 0.5).all()


def test_photographs_are_turned_upright(tmp_path, images):
    pixels = images(4, 6)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    path = saved(tmp_path / "photo.png", pixels, exif=exif)
    assert (read_images(path, (6, 4))[0] == np.rot90(pixels, -1) / np.float32(255)).all()


def test_arrays_hold_one_example_or_a_stack(tmp_path, images):
    one, stack = tmp_path / "one.npy", tmp_path / "stack.npy"
    np.save(one, images(8, 8))
    np.save(stack, images(3, 8, 8) / 255)
    x = read_images([one, stack], (8, 8))
    assert x.shape == (4, 8, 8) and x.dtype == np.float32
    assert (x[0] == images(8, 8) / np.float32(255)).all()
    np.testing.assert_allclose(x[1:], images(3, 8, 8) / 255, rtol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1)])
def test_grey_arrays_may_say_their_one_channel(tmp_path, images, shape):
    given = [images(8, 8), images(8, 8, 1), images(3, 8, 8), images(3, 8, 8, 1)]
    for array in given:
        np.save(tmp_path / "x.npy", array)
        x = read_images(tmp_path / "x.npy", shape)
        assert x.shape == (array.size // 64, *shape)
        assert (x.ravel() == array.ravel() / np.float32(255)).all()


def test_feature_vectors_come_as_arrays_only(tmp_path, images):
    np.save(tmp_path / "x.npy", np.ones((2, 5)))
    assert (read_images(tmp_path / "x.npy", (5,)) == np.ones((2, 5))).all()
    with pytest.raises(
        ValueError, match=r"cannot fill inputs of shape \(5,\), expected a .npy array"
    ):
        read_images(saved(tmp_path / "x.png", images(8, 8)), (5,))


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.ones((7, 8)), r"has shape \(7, 8\), expected \(8, 8\) or a stack"),
        (np.ones((2, 8, 8, 3)), r"has shape \(2, 8, 8, 3\)"),
        (np.ones((0, 8, 8)), r"has shape \(0, 8, 8\)"),
        (np.ones(()), r"has shape \(\)"),
        (np.full((8, 8), np.nan), "NaN or infinite"),
        (np.full((8, 8), "a"), "holds text as an array, expected a NumPy .npy array of numbers"),
        (np.full((8, 8), None), "Python objects"),
    ],
)
def test_arrays_that_are_no_examples(tmp_path, array, found):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(ValueError, match=found):
        read_images([tmp_path / "x.npy"], (8, 8))


def test_paths_that_are_no_examples(tmp_path, images):
    with pytest.raises(ValueError, match="at least one path, got none"):
        read_images([], (8, 8))
    with pytest.raises(FileNotFoundError, match="there is no file or folder 'nope.png'"):
        read_images("nope.png", (8, 8))
    with pytest.raises(ValueError, match="is a folder, expected an image"):
        read_images(tmp_path, (8, 8))
    (tmp_path / "x.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="is an empty file, expected a NumPy .npy array"):
        read_images(tmp_path / "x.npy", (8, 8))
    np.savez(tmp_path / "y.npz", images(8, 8))
    with pytest.raises(ValueError, match="is a zip archive, expected an image"):
        read_images(tmp_path / "y.npz", (8, 8))
    path = saved(tmp_path / "x.png", images(8, 8))
    with pytest.raises(ValueError, match="cannot fill inputs of shape"):
        read_images(path, (8, 8, 4))
