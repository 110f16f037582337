"""Make the type of the figures: Latin, Greek, mathematics and the Chinese that their words need.

Takes four static fonts of the Noto family (Noto Sans, its italic, Noto Sans Math, Noto Sans SC, all
Regular) and writes two small ones into tfcourse/lecture/fonts. Needs fonttools. After a label got a
new Chinese character, run it again:

    python scripts/make_font.py NotoSans.ttf NotoSans-Italic.ttf NotoSansMath.ttf NotoSansSC.ttf
"""

# %%
import argparse
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]
FONTS = ROOT / "tfcourse" / "lecture" / "fonts"
FAMILY = "tfcourse Sans"
SOURCES = {
    "sans": "Copyright 2022 The Noto Project Authors "
    "(https://github.com/notofonts/latin-greek-cyrillic)",
    "math": "Copyright 2022 Google LLC (Noto Sans Math)",
    "chinese": "Copyright 2014-2021 Adobe (http://www.adobe.com/), with Reserved Font Name 'Source'"
    " (Noto Sans SC)",
}
TEXT = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA), *range(0x300, 0x30C)]
TEXT += [*range(0x2010, 0x2027), 0x2032, 0x2033, *range(0x2070, 0x209D), 0x3D1, 0x3D5, 0x3F5]
MATH = [*range(0x2190, 0x2195), *range(0x21D0, 0x21D5), *range(0x2200, 0x2238), 0x27E8, 0x27E9]
MATH += [*range(0x223C, 0x2242), 0x2248, *range(0x2260, 0x2266), 0x226A, 0x226B, 0x22C5, 0x2261]
MATH += [0x2113, 0x221A, 0x2297, 0x2299, 0x2308, 0x2309, 0x230A, 0x230B, 0x2225]


# %%
def chinese(files):
    """The code points of Chinese characters and punctuation in these files."""
    letters = {ord(letter) for file in files for letter in file.read_text("utf-8")}
    return {
        point
        for point in letters
        if 0x2E80 <= point < 0xA000 or 0x3000 <= point < 0x3040 or 0xFF00 <= point < 0xFFF0
    }


def subset(path, points):
    """The font with these characters alone, and what of them it has."""
    font = TTFont(path, recalcTimestamp=False)
    has = set(points) & set(font.getBestCmap())
    options = Options(layout_features=[], hinting=False, notdef_outline=True, glyph_names=False)
    options.drop_tables += ["MATH", "BASE", "vhea", "vmtx", "VORG", "STAT", "GDEF", "GPOS", "GSUB"]
    options.drop_tables += ["DSIG", "gasp", "prep", "meta"]
    cut = Subsetter(options)
    cut.populate(unicodes=has)
    cut.subset(font)
    return font, has


def merged(parts):
    """One font of several that have no character in common."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, part in enumerate(parts):
            paths.append(str(Path(folder, f"{number}.ttf")))
            part.save(paths[-1])
        return Merger().merge(paths)


def save(font, style, copyright, path):
    """Name the font, by a name of its own as its licence asks, and write it."""
    licence = "This Font Software is licensed under the SIL Open Font License, Version 1.1."
    words = {0: copyright, 1: FAMILY, 2: style, 3: f"{FAMILY} {style}", 4: f"{FAMILY} {style}"}
    words |= {5: "Version 1", 6: f"tfcourseSans-{style}", 13: licence}
    words |= {14: "https://openfontlicense.org"}
    font["name"].names = []
    for id, text in words.items():
        font["name"].setName(text, id, 3, 1, 0x409)
    font["head"].created = font["head"].modified = 3_800_000_000  # the same bytes again
    font.recalcTimestamp = False
    font.save(path)
    print(f"{path.name}: {len(font.getBestCmap())} characters, {path.stat().st_size} bytes")


# %%
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
for name in ("sans", "italic", "math", "chinese"):
    parser.add_argument(name, type=Path)
parser.add_argument("--also", type=Path, nargs="*", default=[], help="more files of Chinese text")
parser.add_argument("--out", type=Path, default=FONTS, help="folder to write into")
arguments = parser.parse_args()

files = [*(ROOT / "tfcourse").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), *arguments.also]
sans, has = subset(arguments.sans, TEXT)
math, more = subset(arguments.math, set(TEXT + MATH) - has)
wanted = chinese(files)
han, found = subset(arguments.chinese, wanted - has - more)
if wanted - has - more - found:
    print("no font has", *map(chr, sorted(wanted - has - more - found)))
save(
    merged([sans, math, han]),
    "Regular",
    "; ".join(SOURCES.values()),
    arguments.out / "tfcourse-sans.ttf",
)
italic, _ = subset(arguments.italic, TEXT)
save(italic, "Italic", SOURCES["sans"], arguments.out / "tfcourse-sans-italic.ttf")
