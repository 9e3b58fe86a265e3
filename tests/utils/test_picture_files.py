"""SVG, PNG and PDF of a drawing: no font is needed from the machine that shows them, and no text is cut off.

Widths are checked against the font's own table, read by fontTools; the Chinese font of these tests is made here.
"""

from __future__ import annotations

import base64
import re
import zlib
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from PIL import Image, ImageChops

from hornbill.engine.errors import FileError
from hornbill.explain import typeface
from hornbill.explain.drawing import Drawing

SVG = "{http://www.w3.org/2000/svg}"
TEXTS = [
    "conv2d_1 (Conv2D)",
    "(None, 96, 96, 32)",
    "3·3·32·64 + 64 = 18,496",
    "il1| WM @ ~ {}[]",
    "a → b × c",
]


def forget():
    for function in (
        typeface.spare_faces, typeface._face_of, typeface.text_width, typeface._sized, typeface._advance, typeface._has
    ):  # fmt: skip
        function.cache_clear()


@pytest.fixture
def fresh(monkeypatch):
    """Fonts are looked for anew, and again after the test."""
    monkeypatch.delenv("HORNBILL_FONT", raising=False)
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


@pytest.fixture
def no_fonts(fresh):
    fresh.setattr(typeface, "_font_files", lambda: iter(()))


@pytest.fixture
def own_font(no_fonts, fresh, tmp_path):
    """A font with two Chinese signs, black squares of 800 and 600 units in an em of 1000."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "one", "two"])
    builder.setupCharacterMap({ord("卷"): "one", ord("积"): "two"})
    glyphs = {}
    for name, size in ((".notdef", 300), ("one", 800), ("two", 600)):
        pen = TTGlyphPen(None)
        for x, y in ((100, 0), (100, size), (100 + size, size), (100 + size, 0)):
            (pen.lineTo if (x, y) != (100, 0) else pen.moveTo)((x, y))
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({".notdef": (500, 100), "one": (1000, 100), "two": (900, 100)})
    builder.setupHorizontalHeader(ascent=900, descent=-200)
    builder.setupNameTable({"familyName": "Squares", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "squares.ttf")
    fresh.setenv("HORNBILL_FONT", str(tmp_path / "squares.ttf"))
    forget()


def drawing(texts=TEXTS, bold=False):
    result = Drawing(260, 30 * len(texts) + 10, "A picture")
    for i, text in enumerate(texts):
        result.text(130, 25 + 30 * i, text, 10, bold=bold)
    return result


def width_in(font: TTFont, text: str, size: float) -> float:
    table, names = font["hmtx"], font.getBestCmap()
    return sum(table[names[ord(sign)]][0] for sign in text) * size / font["head"].unitsPerEm


def objects_of(pdf: bytes) -> dict[int, bytes]:
    """Returns the objects of a PDF by number, found by its table of places."""
    start = int(re.findall(rb"startxref\n(\d+)", pdf)[-1])
    places = [int(line[:10]) for line in re.findall(rb"\d{10} 00000 n", pdf[start:])]
    found = {}
    for number, place in enumerate(places, 1):
        assert pdf[place:].startswith(f"{number} 0 obj".encode())
        found[number] = pdf[place : pdf.index(b"\nendobj", place)]
    return found


def stream_of(body: bytes) -> bytes:
    return zlib.decompress(body.split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0])


# ---- SVG


def test_an_svg_carries_the_font_that_its_texts_were_measured_with():
    root = ET.fromstring(drawing().to_svg())
    style = root.find(f"{SVG}style").text
    font = TTFont(BytesIO(base64.b64decode(re.search(r"base64,([^)]+)\)", style)[1])))
    assert font["name"].getDebugName(1) == "Aileron"
    found = root.findall(f"{SVG}text")
    assert [text.text for text in found] == [*TEXTS[:-1], "a -> b x c"]
    for text in found:
        assert float(text.get("textLength")) == pytest.approx(width_in(font, text.text, 10), abs=0.02)
        assert text.get("lengthAdjust") == "spacingAndGlyphs"


def test_an_svg_asks_for_nothing_from_elsewhere():
    text = drawing().to_svg()
    assert "href" not in text
    assert all(link.startswith("data:") for link in re.findall(r"url\(([^)]+)", text))
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_signs_of_markup_stay_text():
    root = ET.fromstring(drawing(["<b>&\"'"], bold=True).to_svg())
    assert root.find(f"{SVG}text").text == "<b>&\"'"


def test_the_title_is_for_screen_readers():
    root = ET.fromstring(Drawing(10, 10, 'a "b" <c>').to_svg())
    assert root.get("role") == "img"
    assert root.get("aria-label") == root.find(f"{SVG}title").text == 'a "b" <c>'


# ---- PDF


def test_a_pdf_has_all_its_fonts_inside_and_knows_their_widths():
    found = objects_of(drawing().to_pdf())
    fonts = [body for body in found.values() if b"/Type /Font " in body]
    assert len(fonts) == 1
    assert b"/Subtype /TrueType" in fonts[0]
    descriptor = found[int(re.search(rb"/FontDescriptor (\d+)", fonts[0])[1])]
    font = TTFont(BytesIO(stream_of(found[int(re.search(rb"/FontFile2 (\d+)", descriptor)[1])])))
    widths = [float(w) for w in re.search(rb"/Widths \[([^]]+)\]", fonts[0])[1].split()]
    for sign in map(chr, range(32, 127)):
        assert widths[ord(sign) - 32] == pytest.approx(width_in(font, sign, 1000), abs=1)


def test_the_texts_of_a_pdf_stand_where_they_were_measured_to_be():
    found = objects_of(drawing(["(None, 8)", "iiii"]).to_pdf())
    content = next(
        stream_of(b) for b in found.values() if b"FlateDecode" in b and b"BT" in stream_of(b)
    ).decode()
    placed = [
        (float(x), bytes.fromhex(t).decode("cp1252"))
        for x, t in re.findall(r"Tf ([\d.]+) [\d.]+ Td <(\w+)>", content)
    ]
    assert [text for _, text in placed] == ["(None, 8)", "iiii"]
    for x, text in placed:
        assert 2 * (130 - x) == pytest.approx(typeface.text_width(text, 10), abs=0.02)


def test_a_very_long_pdf_is_shrunk_to_what_readers_open():
    found = objects_of(Drawing(100, 40_000, "long").to_pdf())
    page = next(body for body in found.values() if b"/MediaBox" in body)
    assert [float(v) for v in re.search(rb"/MediaBox \[([^]]+)\]", page)[1].split()] == [0, 0, 36, 14_400]


# ---- PNG


@pytest.mark.parametrize("dpi", [40, 72, 100, 200, 300])
@pytest.mark.parametrize("bold", [False, True])
def test_letters_of_a_png_stay_within_the_width_that_was_measured(dpi, bold):
    result = drawing(bold=bold)
    image = Image.open(BytesIO(result.to_png(dpi))).convert("L").point(lambda v: 255 * (v < 200))
    scale = dpi / 72
    for i, part in enumerate(result.texts()):
        band = image.crop((0, round((30 * i + 10) * scale), image.width, round((30 * i + 34) * scale)))
        left, top, right, bottom = band.getbbox()
        assert left >= part.left * scale - 1.5
        assert right <= (part.left + part.width) * scale + 1.5
        assert right - left > 0.9 * part.width * scale - 3
        assert top > 0
        assert bottom < band.height


def test_a_picture_drawn_in_strips_is_the_picture_drawn_at_once(monkeypatch):
    result = Drawing(300, 400, "boxes")
    for i in range(12):
        result.rectangle(
            20 + 10 * i, 10 + 30 * i, 120, 25, (219, 234, 254), (110, 118, 132), dashed=i % 2 == 0
        )
        result.path([(10, 10), (10, 30 * i, 200, 30 * i, 200, 390)], dashed=i % 3 == 0)
    whole = Image.open(BytesIO(result.to_png(90)))
    monkeypatch.setattr("hornbill.explain.drawing._STRIP", 1_000_000)
    pieces = Image.open(BytesIO(result.to_png(90)))
    other = ImageChops.difference(whole, pieces).convert("L").point(lambda v: 255 * (v > 40))
    assert other.histogram()[255] < 0.001 * whole.width * whole.height  # rounding of slanted edges


# ---- Chinese


def test_chinese_signs_come_from_a_font_of_the_machine(own_font):
    result = drawing(["a卷积b"])
    base = typeface.base_face()
    wanted = (base.advance("a") + 1000 + 900 + base.advance("b")) / 100
    assert result.texts()[0].width == pytest.approx(wanted)
    image = Image.open(BytesIO(result.to_png(720))).convert("L")
    left = result.texts()[0].left * 10 + base.advance("a") / 10
    square = image.crop((round(left + 10), 250 - 79, round(left + 90), 250))
    assert square.getextrema()[1] < 120  # the black square of the first sign, 80 pixels wide and high


def test_a_pdf_holds_chinese_signs_as_bitmaps_that_can_be_copied(own_font):
    found = objects_of(drawing(["a卷积b"]).to_pdf())
    font = next(body for body in found.values() if b"/Subtype /Type3" in body)
    assert re.search(rb"/Widths \[([^]]+)\]", font)[1].split() == [b"1000", b"900"]
    table = stream_of(found[int(re.search(rb"/ToUnicode (\d+)", font)[1])]).decode()
    signs = dict(re.findall(r"<(\w\w)> <(\w{4})>", table.split("beginbfchar")[1]))
    assert [chr(int(signs[code], 16)) for code in ("00", "01")] == ["卷", "积"]
    letter = stream_of(found[int(re.search(rb"/g0 (\d+)", font)[1])])
    head, data = letter.split(b" ID ", 1)
    width, height = (int(re.search(rb"/%b (\d+)" % key, head)[1]) for key in (b"W", b"H"))
    bits = zlib.decompress(data)
    assert len(bits) == height * -(-width // 8)
    ink = sum(8 - byte.bit_count() for byte in bits)  # 0 is ink
    assert ink == pytest.approx((800 * 256 / 1000) ** 2, rel=0.01)


def test_without_a_font_png_and_pdf_show_codes_and_say_so(no_fonts):
    result = drawing(["a卷b"])
    assert [(face.name, text) for face, text in typeface.runs("a卷b")] == [("Aileron", "a[U+5377]b")]
    for write in (result.to_png, result.to_pdf):
        with pytest.warns(UserWarning, match=r"No font of this machine draws '卷'.*HORNBILL_FONT"):
            write()


def test_without_a_font_an_svg_leaves_the_sign_to_the_viewer(no_fonts):
    text = ET.fromstring(drawing(["a卷b"]).to_svg()).find(f"{SVG}text")
    assert text.text == "a卷b"
    assert text.get("textLength") is None


def test_a_font_that_is_none_is_told(no_fonts, fresh, tmp_path):
    (tmp_path / "font.ttf").write_text("no font")
    fresh.setenv("HORNBILL_FONT", str(tmp_path / "font.ttf"))
    with pytest.raises(FileError, match="HORNBILL_FONT must name a font file"):
        typeface.spare_faces()


def test_signs_that_show_nothing_are_left_out():
    assert typeface.plain("a\u200bb\nc\x07") == "ab c"
