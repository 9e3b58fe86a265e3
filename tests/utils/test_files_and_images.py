"""get_file, archives, pictures and folders of files."""

from __future__ import annotations

import hashlib
import io
import pathlib
import tarfile
import wave
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image

import hornbill.utils as utils
from hornbill.utils import archives
from hornbill.utils.archives import extract_archive
from hornbill.utils.images import smart_resize

RNG = np.random.default_rng(0)


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, tarfile.TarInfo):
                info = content
                archive.addfile(info)
                continue
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def test_get_file(tmp_path, capsys):
    source = tmp_path / "source.bin"
    source.write_bytes(b"contents")
    origin = source.as_uri()
    right = hashlib.sha256(b"contents").hexdigest()
    path = utils.get_file("a.bin", origin, cache_dir=tmp_path / "cache", file_hash=right)
    assert path == str(tmp_path / "cache" / "datasets" / "a.bin")
    assert pathlib.Path(path).read_bytes() == b"contents"
    assert "Downloading" in capsys.readouterr().out
    source.write_bytes(b"changed")
    utils.get_file("a.bin", origin, cache_dir=tmp_path / "cache", file_hash=right)
    assert capsys.readouterr().out == ""
    assert utils.get_file(origin=origin, cache_dir=tmp_path / "cache").endswith("source.bin")
    with pytest.raises(ValueError, match="not the one expected"):
        utils.get_file("b.bin", origin, cache_dir=tmp_path / "cache", md5_hash="0" * 32)
    assert names(tmp_path / "cache" / "datasets") == ["a.bin", "source.bin"]
    utils.get_file("a.bin", origin, cache_dir=tmp_path / "cache", force_download=True)
    assert pathlib.Path(path).read_bytes() == b"changed"


@pytest.mark.parametrize(
    "arguments",
    [
        {"origin": None},
        {"fname": "../a"},
        {"fname": "a/b"},
        {"origin": "ftp://example.org/a"},
        {"origin": "file:///"},
        {"hash_algorithm": "crc"},
        {"origin": "file:///does/not/exist"},
    ],
    ids=str,
)
def test_get_file_refuses(arguments, tmp_path):
    with pytest.raises(ValueError):
        utils.get_file(**{"origin": "file:///tmp/x", "cache_dir": tmp_path, **arguments})


def test_get_file_extracts(tmp_path):
    make_tar(tmp_path / "t.tar.gz", {"inner/a.txt": b"a", "b.txt": b"b"})
    origin = (tmp_path / "t.tar.gz").as_uri()
    for fname, folder in ((None, "t.tar.gz"), ("foo", "foo"), ("foo.tgz", "foo_extracted")):
        for _ in range(2):
            path = utils.get_file(
                fname, origin, extract=True, cache_dir=tmp_path, cache_subdir=f"sub-{fname}"
            )
            assert pathlib.Path(path).name == folder
            assert pathlib.Path(path, "inner", "a.txt").read_text() == "a"
    (tmp_path / "plain.txt").write_text("x")
    with pytest.raises(ValueError, match="no archive"):
        utils.get_file("p", (tmp_path / "plain.txt").as_uri(), extract=True, cache_dir=tmp_path)


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    "members",
    [
        {"../evil.txt": b"x"},
        {"a/../../evil.txt": b"x"},
        {"/evil.txt": b"x"},
        {"link": link("link", "/etc")},
        {"link": link("link", "b", tarfile.LNKTYPE)},
        {"device": link("device", "", tarfile.CHRTYPE)},
    ],
    ids=["parent", "inner parent", "absolute", "link", "hard link", "device"],
)
def test_unsafe_tar(members, tmp_path):
    make_tar(tmp_path / "t.tar.gz", {"good.txt": b"x", **members})
    with pytest.raises(ValueError, match="archive holds"):
        extract_archive(tmp_path / "t.tar.gz", tmp_path / "in" / "out")
    assert names(tmp_path) == ["in", "t.tar.gz"]
    assert names(tmp_path / "in") == []


def test_unsafe_zip(tmp_path, monkeypatch):
    for name, mode in (
        ("../evil", 0o100644),
        ("C:/evil", 0o100644),
        ("a\\..\\..\\evil", 0o100644),
        ("l", 0o120777),
    ):
        path = tmp_path / "z.zip"
        with zipfile.ZipFile(path, "w") as archive:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, "x")
        with pytest.raises(ValueError, match="archive holds"):
            extract_archive(path, tmp_path / "out")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(2**20))
    monkeypatch.setattr(archives, "_FREE_BYTES", 0)
    monkeypatch.setattr(archives, "_MAX_RATIO", 100)
    with pytest.raises(ValueError, match="unpacks to more"):
        extract_archive(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pictures(tmp_path):
    Image.fromarray(RNG.integers(0, 256, (6, 9, 3)).astype("uint8")).save(tmp_path / "a.png")
    Image.fromarray(RNG.integers(0, 65536, (6, 9)).astype("uint16")).save(tmp_path / "g.png")
    for name in ("a.png", "g.png"):
        for mode in ("grayscale", "rgb", "rgba"):
            for size in (None, (4, 4)):
                arguments = {"color_mode": mode, "target_size": size, "interpolation": "bilinear"}
                if name == "g.png" and size:
                    continue
                ours = utils.img_to_array(utils.load_img(tmp_path / name, **arguments))
                theirs = keras.utils.img_to_array(keras.utils.load_img(tmp_path / name, **arguments))
                np.testing.assert_array_equal(ours, theirs)
    assert utils.load_img(tmp_path / "a.png", target_size=(3, 3), keep_aspect_ratio=True).size == (3, 3)
    assert utils.load_img(io.BytesIO((tmp_path / "a.png").read_bytes())).size == (9, 6)
    for wrong in ({"color_mode": "xx"}, {"target_size": (3, 3), "interpolation": "xx"}):
        with pytest.raises(ValueError):
            utils.load_img(tmp_path / "a.png", **wrong)
    with pytest.raises(TypeError):
        utils.load_img(3)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_array_to_img(channels, data_format, tmp_path):
    x = RNG.normal(size=(5, 7, channels))
    x = x if data_format == "channels_last" else x.transpose(2, 0, 1)
    ours = utils.array_to_img(x, data_format=data_format)
    np.testing.assert_array_equal(
        np.asarray(ours), np.asarray(keras.utils.array_to_img(x, data_format=data_format))
    )
    utils.save_img(tmp_path / "x.png", x, data_format=data_format)
    back = utils.img_to_array(Image.open(tmp_path / "x.png"), data_format=data_format)
    assert back.shape == x.shape


def test_wrong_pictures(tmp_path):
    for call in (
        lambda: utils.array_to_img(np.ones((3, 4))),
        lambda: utils.array_to_img(np.ones((3, 4, 2))),
        lambda: utils.img_to_array(np.ones((1, 2, 3, 4))),
        lambda: smart_resize(np.ones((3, 4)), (2, 2)),
        lambda: smart_resize(np.ones((3, 4, 1)), 2),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.warns(UserWarning, match="alpha"):
        utils.save_img(tmp_path / "x.jpg", np.ones((3, 4, 4)))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "bicubic", "lanczos3"])
def test_smart_resize(interpolation):
    x = RNG.random((2, 9, 20, 3)).astype("float32")
    theirs = keras.preprocessing.image.smart_resize(x, (5, 8), interpolation)
    np.testing.assert_allclose(smart_resize(x, (5, 8), interpolation), theirs, atol=1e-5)
    first = smart_resize(x.transpose(0, 3, 1, 2), (5, 8), interpolation, data_format="channels_first")
    np.testing.assert_allclose(first.transpose(0, 2, 3, 1), theirs, atol=1e-5)


@pytest.fixture
def folder(tmp_path):
    for label, name in enumerate(("cats", "dogs")):
        (tmp_path / name / "deep").mkdir(parents=True)
        for number in range(5):
            where = tmp_path / name / ("deep" if number == 4 else "")
            pixels = np.full((4 + number, 6, 3), 10 * label + number, "uint8")
            Image.fromarray(pixels).save(where / f"{number}.png")
            (where / f"{number}.txt").write_text(f"{name} {number}")
            with wave.open(str(where / f"{number}.wav"), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(np.full(10 + number, 16384, "<i2").tobytes())
    return tmp_path


def test_image_folder(folder, capsys):
    data = utils.image_dataset_from_directory(folder, batch_size=4, image_size=(3, 3), shuffle=False)
    assert "Found 10 files belonging to 2 classes" in capsys.readouterr().out
    assert data.class_names == ["cats", "dogs"]
    assert len(data) == 3
    x, y = data[0]
    assert x.shape == (4, 3, 3, 3)
    assert x.dtype == np.float32
    assert y.dtype == np.int32
    assert np.concatenate([y for _, y in data]).tolist() == [0] * 5 + [1] * 5
    assert x[:, 0, 0, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    arguments = {"image_size": (3, 3), "seed": 1, "validation_split": 0.2, "verbose": False}
    train, test = utils.image_dataset_from_directory(
        folder, subset="both", label_mode="categorical", **arguments
    )
    assert (len(train.file_paths), len(test.file_paths)) == (8, 2)
    assert not set(train.file_paths) & set(test.file_paths)
    other = utils.image_dataset_from_directory(folder, subset="validation", **arguments)
    assert other.file_paths == test.file_paths
    assert train[0][1].shape == (8, 2)
    plain = utils.image_dataset_from_directory(
        folder,
        labels=None,
        batch_size=None,
        color_mode="grayscale",
        data_format="channels_first",
        verbose=False,
    )
    assert plain[0].shape == (1, 256, 256)
    padded = utils.image_dataset_from_directory(
        folder, image_size=(6, 6), pad_to_aspect_ratio=True, shuffle=False, verbose=False
    )
    assert padded[0][0][4, 0].max() == 0.0 or padded[0][0][4].shape == (6, 6, 3)
    given = utils.image_dataset_from_directory(folder, labels=list(range(10)), shuffle=False, verbose=False)
    assert given[0][1].tolist() == list(range(10))


def test_shuffled_folder_changes_each_epoch(folder):
    data = utils.text_dataset_from_directory(folder, label_mode="binary", seed=1, verbose=False)
    first = data[0][0].tolist()
    assert data[0][1].shape == (10, 1)
    data.on_epoch_end()
    assert data[0][0].tolist() != first
    assert sorted(data[0][0].tolist()) == sorted(first)
    short = utils.text_dataset_from_directory(folder, max_length=3, shuffle=False, verbose=False)
    assert set(short[0][0].tolist()) == {"cat", "dog"}


def test_audio_folder(folder):
    data = utils.audio_dataset_from_directory(folder, shuffle=False, verbose=False)
    x, _ = data[0]
    assert x.shape == (10, 14, 1)
    assert x[0, 0, 0] == 0.5
    assert x[0, 12, 0] == 0.0
    fixed = utils.audio_dataset_from_directory(
        folder, output_sequence_length=20, sampling_rate=16000, shuffle=False, verbose=False
    )
    assert fixed[0][0].shape == (10, 20, 1)
    with pytest.raises(ValueError, match="ragged"):
        utils.audio_dataset_from_directory(folder, ragged=True)


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": "x"},
        {"labels": [1, 2]},
        {"label_mode": "x"},
        {"class_names": ["cats"]},
        {"color_mode": "x"},
        {"interpolation": "x"},
        {"subset": "training"},
        {"validation_split": 0.2, "subset": "training"},
        {"validation_split": 2.0, "subset": "both"},
        {"validation_split": 0.01, "subset": "both"},
        {"batch_size": 0},
        {"image_size": 3},
        {"format": "x"},
        {"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True},
        {"directory": "does-not-exist"},
    ],
    ids=str,
)
def test_wrong_folder_arguments(folder, arguments):
    with pytest.raises(ValueError):
        utils.image_dataset_from_directory(**{"directory": folder, "verbose": False, **arguments})
