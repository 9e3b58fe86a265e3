"""`plot_model`: where boxes and lines stand, what boxes say, and the words of its errors.

That nothing overlaps and no line runs through a box is worked out here from the coordinates alone.
"""

from __future__ import annotations

import re
from io import BytesIO
from itertools import combinations, pairwise

import pytest
from examples.unet_parameters import unet
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import hornbill as keras
from hornbill import layers
from hornbill.cli import main
from hornbill.engine.errors import ArgumentError, ArgumentTypeError, FileError, HornbillError, NotBuiltError
from hornbill.explain.drawing import Drawing
from hornbill.explain.drawing_parts import flat
from hornbill.explain.layout import Box, Line, crossings, rank_cells
from hornbill.explain.routes import arrange
from hornbill.utils import model_to_dot, plot_model


def small():
    inputs = keras.Input((8, 8, 1), name="picture")
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(inputs)
    y = layers.Conv2D(4, 3, padding="same", name="second")(x)
    x = layers.BatchNormalization(name="norm")(layers.Add(name="both")([x, y]))
    return keras.Model(inputs, layers.Dense(2, name="answer")(layers.Flatten(name="flat")(x)), name="small")


def inception():
    x = keras.Input((12, 12, 6))
    inputs = x
    for _ in range(2):
        a = layers.Conv2D(4, 1)(x)
        b = layers.Conv2D(4, 3, padding="same")(layers.Conv2D(2, 1)(x))
        c = layers.Conv2D(4, 5, padding="same")(layers.Conv2D(2, 1)(x))
        d = layers.Conv2D(4, 1)(layers.MaxPooling2D(3, 1, padding="same")(x))
        x = layers.Concatenate()([a, b, c, d])
    return keras.Model(inputs, x)


def residual(blocks=16):
    x = inputs = keras.Input((16, 16, 4))
    for i in range(blocks):
        y = x
        for _ in range(3):
            y = layers.Activation("relu")(layers.BatchNormalization()(layers.Conv2D(4, 1)(y)))
        short = layers.BatchNormalization()(layers.Conv2D(4, 1)(x)) if i % 4 == 0 else x
        x = layers.Activation("relu")(layers.Add()([short, y]))
    return keras.Model(inputs, x)


def siamese():
    encoder = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(2, 3, activation="relu"), layers.Flatten(), layers.Dense(3)],
        name="encoder",
    )
    left, right, extra = keras.Input((8, 8, 1)), keras.Input((8, 8, 1)), keras.Input((3,))
    a, b = encoder(left), encoder(right)
    joined = layers.Concatenate()([layers.Subtract()([a, b]), extra, a])
    return keras.Model([left, right, extra], layers.Dense(1)(joined), name="siamese")


def all_to_all():
    inputs = keras.Input((4,))
    found = [inputs]
    for _ in range(6):
        found.append(layers.Dense(3)(layers.Concatenate()(found) if len(found) > 1 else inputs))
    return keras.Model(inputs, found[-1])


MODELS = {f.__name__: f for f in (small, inception, residual, siamese, all_to_all, unet)}


def check_geometry(boxes, lines, down=True):
    """Boxes are apart; lines start and end at their boxes and touch no other; nothing has a negative place."""
    for a, b in combinations(boxes, 2):
        assert (
            abs(a.x - b.x) >= (a.width + b.width) / 2 - 0.01
            or abs(a.y - b.y) >= (a.height + b.height) / 2 - 0.01
        )
    for line in lines:
        source, target = boxes[line.source], boxes[line.target]
        points = flat(line.steps)
        (x, y), (u, v) = points[0], points[-1]
        if down:
            assert abs(y - (source.y + source.height / 2)) < 0.01
            assert abs(v - (target.y - target.height / 2)) < 0.01
            assert abs(u - target.x) <= target.width / 2
        else:
            assert abs(x - (source.x + source.width / 2)) < 0.01
            assert abs(u - (target.x - target.width / 2)) < 0.01
            assert abs(v - target.y) <= target.height / 2
        for (ax, ay), (bx, by) in pairwise(points):
            for box in boxes:
                left, right = box.x - box.width / 2 + 0.1, box.x + box.width / 2 - 0.1
                top, bottom = box.y - box.height / 2 + 0.1, box.y + box.height / 2 - 0.1
                steps = max(2, int(abs(ax - bx) + abs(ay - by)))
                inside = [
                    left < ax + (bx - ax) * i / steps < right and top < ay + (by - ay) * i / steps < bottom
                    for i in range(steps + 1)
                ]
                assert not any(inside), (line.source, line.target, box)


@pytest.mark.parametrize("splines", ["ortho", "line", "curved"])
@pytest.mark.parametrize("name", MODELS)
def test_boxes_are_apart_and_no_line_runs_through_one(name, splines):
    for rankdir in ("TB", "LR"):
        picture = plot_model(
            MODELS[name](), None, rankdir=rankdir, splines=splines, expand_nested=True, show_shapes=True
        )
        scenes = [picture._scene]
        while scenes:
            scene = scenes.pop()
            check_geometry([item.box for item in scene.items], scene.lines, rankdir == "TB")
            scenes += [item.inside for item in scene.items if item.inside]


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 14))
    sizes = [draw(st.tuples(st.floats(20, 200), st.floats(14, 60))) for _ in range(count)]
    pairs = [(a, b) for b in range(1, count) for a in range(b)]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=24)) if pairs else []
    return sizes, chosen


@settings(max_examples=60, deadline=None)
@given(graphs(), st.sampled_from(["ortho", "line", "curved"]))
def test_any_graph_is_laid_out_without_overlap(graph, splines):
    sizes, pairs = graph
    boxes, lines = [Box(*size) for size in sizes], [Line(*pair) for pair in pairs]
    width, height = arrange(boxes, lines, splines)
    check_geometry(boxes, lines)
    for box in boxes:
        assert box.x - box.width / 2 >= -0.01
        assert box.x + box.width / 2 <= width + 0.01
        assert box.y - box.height / 2 >= -0.01
        assert box.y + box.height / 2 <= height + 0.01
    for line in lines:
        assert all(-8 <= x <= width + 8 and 0 <= y <= height for x, y in flat(line.steps))
        assert boxes[line.source].y < boxes[line.target].y


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_lines_at_right_angles_from_different_boxes_never_lie_on_each_other(graph):
    sizes, pairs = graph
    boxes, lines = [Box(*size) for size in sizes], [Line(*pair) for pair in pairs]
    arrange(boxes, lines)
    across = []
    for line in lines:
        for (ax, ay), (bx, by) in pairwise(flat(line.steps)):
            if abs(ay - by) < 0.01 and abs(ax - bx) > 1:
                across.append((line.source, ay, min(ax, bx), max(ax, bx)))
    for (s, y, a, b), (t, z, c, d) in combinations(across, 2):
        assert s == t or abs(y - z) > 3 or b < c + 0.5 or d < a + 0.5


def test_the_u_net_has_a_straight_main_line_and_four_skips_beside_it():
    scene = plot_model(unet(), None)._scene
    assert len({round(item.box.x, 2) for item in scene.items}) == 1
    skips = [line for line in scene.lines if line.skip]
    assert len(skips) == 4
    assert all(scene.items[line.target].row.class_name == "Concatenate" for line in skips)
    lanes = sorted(max(x for x, _ in flat(line.steps)) for line in skips)
    assert all(b - a > 8 for a, b in pairwise(lanes))


@pytest.mark.parametrize("name", ["unet", "inception", "residual"])
def test_networks_that_need_no_crossing_have_none(name):
    scene = plot_model(MODELS[name](), None)._scene
    boxes = [Box(item.box.width, item.box.height) for item in scene.items]
    assert crossings(rank_cells(boxes, [Line(line.source, line.target) for line in scene.lines], 20.0)) == 0


def test_crossings_are_counted_as_by_hand():
    boxes = [Box(10, 10) for _ in range(4)]
    ranks = rank_cells(boxes, [Line(0, 2), Line(0, 3), Line(1, 2), Line(1, 3)], 20.0)
    assert crossings(ranks) == 1  # two and two, all joined, cross once, whatever their order


def test_a_shared_model_is_drawn_at_each_call_and_counted_once():
    picture = plot_model(siamese(), None, expand_nested=True, show_layer_names=True)
    texts = [part.text for part in picture.drawing.texts()]
    assert texts.count("encoder (Sequential)") == 2
    assert "228 parameters, shared" not in texts
    count = 3 * 3 * 1 * 2 + 2 + 6 * 6 * 2 * 3 + 3
    assert f"{count:,} parameters" in texts
    assert f"{count:,} parameters, shared" in texts
    frames = [item for item in picture._scene.items if item.inside]
    assert [len(item.inside.items) for item in frames] == [4, 4]
    for frame in frames:  # what is inside fits the frame
        assert frame.inside.width <= frame.box.width
        assert frame.inside.height <= frame.box.height
    assert picture.drawing.title == f"Network siamese: {count + 9 * 1 + 1:,} parameters in 10 layers"


# ---- what boxes say


def box_of(picture, name):
    return next(item.lines for item in picture._scene.items if item.row.name == name)


def test_without_wishes_a_box_says_class_shape_and_count():
    picture = plot_model(small(), None)
    assert box_of(picture, "first") == ["Conv2D", "(None, 8, 8, 4)", "3·3·1·4 + 4 = 40"]
    assert box_of(picture, "norm") == ["BatchNormalization", "(None, 8, 8, 4)", "4×4 = 16"]
    assert box_of(picture, "flat") == ["Flatten", "(None, 256)"]


def test_each_wish_is_fulfilled():
    model = small()
    model.get_layer("second").trainable = False
    all_of_it = {
        "show_shapes": True,
        "show_dtype": True,
        "show_layer_names": True,
        "show_layer_activations": True,
        "show_trainable": True,
    }
    picture = plot_model(model, None, **all_of_it)
    assert box_of(picture, "picture") == ["picture (InputLayer)", "(None, 8, 8, 1) float32"]
    assert box_of(picture, "first") == [
        "first (Conv2D)", "activation: relu", "in (None, 8, 8, 1)", "out (None, 8, 8, 4) float32", "3·3·1·4 + 4 = 40",
        "trained",
    ]  # fmt: skip
    assert box_of(picture, "second")[1] == "activation: linear"
    assert box_of(picture, "second")[-1] == "frozen"
    assert box_of(picture, "norm")[-1] == "2 of 4 weights trained"
    assert box_of(picture, "both")[1] == "in (None, 8, 8, 4), (None, 8, 8, 4)"
    assert ": 718 parameters, 156 of them not trained, in 7 layers" in picture.drawing.title


def test_only_what_is_wished_for():
    bare = plot_model(small(), None, show_params=False)
    assert box_of(bare, "first") == ["Conv2D"]
    assert box_of(plot_model(small(), None, show_params=False, show_dtype=True), "first") == [
        "Conv2D",
        "float32",
    ]
    axes = plot_model(small(), None, show_params=False, show_shapes=True, show_axes=True)
    assert box_of(axes, "first")[1] == "in batch None, height 8, width 8, channels 1"
    assert box_of(axes, "answer")[2] == "out batch None, features 2"


def test_axes_of_channels_first_are_named_so():
    inputs = keras.Input((3, 8, 8))
    model = keras.Model(inputs, layers.MaxPooling2D(2, data_format="channels_first", name="pool")(inputs))
    lines = box_of(plot_model(model, None, show_axes=True), "pool")
    assert lines[1] == "batch None, channels 3, height 4, width 4"


def test_many_inputs_are_listed_and_the_rest_counted():
    inputs = [keras.Input((i + 1,)) for i in range(8)]
    model = keras.Model(inputs, layers.Concatenate(name="all")(inputs))
    lines = box_of(plot_model(model, None, show_shapes=True), "all")
    assert lines == [
        "Concatenate",
        "in (None, 1)",
        "(None, 2)",
        "(None, 3)",
        "(None, 4)",
        "... and 4 more",
        "out (None, 36)",
    ]


def test_a_wrapper_says_what_it_wraps():
    inputs = keras.Input((5, 3))
    model = keras.Model(inputs, layers.TimeDistributed(layers.Dense(2), name="each")(inputs))
    assert box_of(plot_model(model, None), "each")[0] == "TimeDistributed(Dense)"


def test_a_model_with_its_own_call_shows_what_each_layer_takes():
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            for name in "abcd":
                setattr(self, name, layers.Dense(3, name=name))
            self.add = layers.Add(name="sum")

        def call(self, x):
            h = self.a(x)
            return self.d(self.add([self.b(h), self.c(h)]) + h)

    model = Own()
    model.build((None, 4))
    scene = plot_model(model, None)._scene
    names = [item.row.name for item in scene.items]
    edges = {(names[line.source], names[line.target]) for line in scene.lines}
    assert edges == {("a", "b"), ("a", "c"), ("b", "sum"), ("c", "sum"), ("sum", "d"), ("a", "d")}
    assert not scene.any_guessed()


def test_calls_that_cannot_be_followed_stand_in_their_order_and_say_so(monkeypatch):
    class Own(keras.Model):
        def __init__(self):
            super().__init__(name="own")
            self.a, self.b = layers.Dense(3, name="a"), layers.Dense(3, name="b")

        def call(self, x):
            return self.a(x) + self.b(x)

    model = Own()
    model.build((None, 4))
    monkeypatch.setattr("hornbill.explain.numbers.trace_of", lambda *_, **__: None)
    picture = plot_model(model, None)
    assert any(
        part.text.startswith("Broken lines: the order of the calls") for part in picture.drawing.texts()
    )
    assert "style=dashed" in picture.to_string()


def test_layer_range_takes_names_and_patterns():
    names = [item.row.name for item in plot_model(small(), None, layer_range=["second", "norm"])._scene.items]
    assert names == ["second", "both", "norm"]
    names = [item.row.name for item in plot_model(small(), None, layer_range=["f.*", "f.*"])._scene.items]
    assert names == ["first", "second", "both", "norm", "flat"]


# ---- files


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "dot"])
def test_every_file_is_what_its_suffix_says(suffix, tmp_path):
    path = tmp_path / f"network.{suffix}"
    plot_model(small(), path)
    head = {"png": b"\x89PNG", "svg": b"<svg", "pdf": b"%PDF-1.7", "dot": b"digraph"}[suffix]
    assert path.read_bytes().startswith(head)


def test_without_suffix_it_is_a_png_of_the_dots_asked_for(tmp_path):
    picture = plot_model(small(), tmp_path / "network", dpi=144)
    with Image.open(tmp_path / "network.png") as image:
        assert image.size == (round(2 * picture.drawing.width), round(2 * picture.drawing.height))
        assert image.info["dpi"][0] == pytest.approx(144, abs=0.1)


def test_model_to_dot_answers_to_the_names_of_pydot(tmp_path):
    picture = model_to_dot(small(), show_shapes=True)
    assert picture.create(prog="dot", format="svg").startswith(b"<svg")
    assert picture.create_png().startswith(b"\x89PNG")
    assert picture.write_pdf(tmp_path / "a.pdf") is True
    assert picture.write(tmp_path / "a", format="dot") is True
    assert (tmp_path / "a").read_text() == picture.to_string()
    assert picture._repr_svg_().startswith("<svg")
    with pytest.raises(AttributeError, match=r"is no pydot\.Dot"):
        picture.get_nodes()
    with pytest.raises(ArgumentError, match="no Graphviz program"):
        picture.create(prog="neato")


def test_the_dot_text_holds_every_box_and_line():
    text = model_to_dot(small()).to_string()
    nodes = dict(re.findall(r'(n\d+) \[label="(\w+) \(', text))
    edges = {(nodes[a], nodes[b]) for a, b in re.findall(r"(n\d+) -> (n\d+)", text)}
    assert edges == {
        ("picture", "first"), ("first", "second"), ("first", "both"), ("second", "both"), ("both", "norm"),
        ("norm", "flat"), ("flat", "answer"),
    }  # fmt: skip
    assert model_to_dot(small(), subgraph=True).to_string().startswith("subgraph cluster_")
    nested = model_to_dot(siamese(), expand_nested=True).to_string()
    assert nested.count("subgraph cluster_") == 2
    assert nested.count("{") == nested.count("}")
    assert "lhead=cluster_" in nested
    assert "ltail=cluster_" in nested


def test_the_command_takes_the_same_wishes(tmp_path, capsys):
    small().save(tmp_path / "small.keras")
    words = ["plot", str(tmp_path / "small.keras"), "--names", "--shapes", "--rankdir", "LR", "--no-params"]
    assert main([*words, "-o", str(tmp_path / "out.svg")]) == 0
    text = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert "first (Conv2D)" in text
    assert "in (None, 8, 8, 1)" in text
    assert "= 40" not in text
    assert main(["plot", str(tmp_path / "small.keras"), "--splines", "orto"]) == 1
    assert "Did you mean 'ortho'?" in capsys.readouterr().err


# ---- errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"rankdir": "BT"}, "rankdir must be one of 'TB', 'LR'"),
        ({"dpi": 0}, "dpi is a positive number"),
        ({"dpi": "large"}, "dpi is a positive number"),
        ({"splines": "zigzag"}, "'ortho' (right angles), 'line' (straight) or 'curved'"),
        ({"show_shape": True}, "show_shapes"),
        ({"layer_range": ["first"]}, "layer_range holds the names of two layers"),
        ({"layer_range": ["frist", "norm"]}, "Did you mean 'first'?"),
        ({"layer_range": ["norm", "first"]}, "comes before the first"),
    ],
)
def test_wrong_arguments_are_told(arguments, words):
    with pytest.raises(HornbillError, match=re.escape(words)):
        plot_model(small(), None, **arguments)


def test_what_cannot_be_drawn_or_written_is_told(tmp_path):
    with pytest.raises(NotBuiltError, match="no shapes to draw yet"):
        plot_model(keras.Sequential([layers.Dense(2)]), None)
    with pytest.raises(ArgumentTypeError, match="wants a model"):
        plot_model("model.keras", None)
    with pytest.raises(ArgumentError, match=r"written as \.png, \.svg or \.pdf"):
        plot_model(small(), tmp_path / "a.gif")
    with pytest.raises(FileError, match="cannot be written"):
        plot_model(small(), tmp_path / "nowhere" / "a.png")


def test_a_picture_too_large_to_open_is_drawn_smaller_and_says_so():
    drawing = Drawing(100, 120_000, "long")
    with pytest.warns(UserWarning, match=r"36 dots per inch: with 200 it would have 278 x 333,333 pixels"):
        content = drawing.to_png(200)
    with Image.open(BytesIO(content)) as image:
        assert image.size == (50, 60_000)


def test_each_arrow_has_its_own_place_on_a_box():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Concatenate()([layers.Dense(1)(inputs) for _ in range(40)]))
    for rankdir, axis in (("TB", 0), ("LR", 1)):
        scene = plot_model(model, None, rankdir=rankdir)._scene
        ends = sorted(line.steps[-1][axis] for line in scene.lines if line.target == len(scene.items) - 1)
        assert len(ends) == 40
        assert min(b - a for a, b in pairwise(ends)) > 6
