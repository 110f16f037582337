"""How an SVG file is finished: it speaks, brings the type of its words, and says nothing twice."""

import base64
import re
from collections import Counter
from html import unescape
from importlib.resources import as_file, files
from io import BytesIO
from xml.sax.saxutils import escape
from zlib import crc32

TYPE = {"normal": "tfcourse-sans.ttf", "italic": "tfcourse-sans-italic.ttf"}


def finished(svg: str, title: str, description: str) -> str:
    """Return matplotlib's SVG, shorter, with a screen reader's words and the type of its own."""
    # A page may hold several figures: each calls its words and styles by a name of its own.
    name = re.sub(r"\W+", "-", title).lower()
    svg = _short(svg, f"f{crc32(name.encode()):08x}"[:5])
    svg = svg.replace("</style>", f"{_type(svg)}</style>", 1)
    start, tag, rest = svg.partition("<svg ")
    attributes, end, drawing = rest.partition(">")
    return (
        f'{start}{tag}role="img" aria-labelledby="{name}-title {name}-description" '
        f'{attributes}{end}\n<title id="{name}-title">{escape(title)}</title>\n'
        f'<desc id="{name}-description">{escape(description)}</desc>{drawing}'
    )


def _short(svg: str, prefix: str) -> str:
    """Hundredths of a point are enough; a style that stands often becomes a class."""

    def rounded(numbers: re.Match[str]) -> str:
        words = re.sub(r"-?\d+\.\d{3,}", lambda n: f"{float(n[0]):.2f}", numbers[2])
        return numbers[1] + " ".join(re.sub(r"\.00\b|(?<=\.\d)0\b", "", words).split())

    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'( (?:d|x|y)=")([^"]*)', rounded, svg)
    svg = re.sub(r"((?:translate|rotate)\()([^)]*)", rounded, svg)
    svg = re.sub(r"\n\s+", "\n", svg)
    styles = Counter(re.findall(r' style="([^"]*)"', svg)).most_common()
    named = {style: f"{prefix}{i}" for i, (style, times) in enumerate(styles) if times > 1}
    for style, name in named.items():
        svg = svg.replace(f' style="{style}"', f' class="{name}"')
    # Mathematics sets each letter on its own: those of one line and style become one word again.
    letter = r'<tspan x="[^"]*" {}>[^<\u0300-\u036f]+</tspan>\n'
    run = letter.format(r'(y="[^"]*" \w+="[^"]*")') + f"(?:{letter.format(chr(92) + '1')})+"
    svg = re.sub(run, _word, svg)
    classes = "".join(f".{name}{{{style}}}" for style, name in named.items())
    return svg.replace("</style>", f"{classes}</style>", 1)


def _word(run: re.Match[str]) -> str:
    letters = re.findall(r'x="([^"]*)"[^>]*>([^<]+)', run[0])
    x, word = (" ".join(x for x, _ in letters), "".join(letter for _, letter in letters))
    return f'<tspan x="{x}" {run[1]}>{word}</tspan>\n'


def _type(svg: str) -> str:
    """The type as a rule of CSS, with the letters that the text has and no others."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    text = unescape("".join(re.findall(r">([^<]+)</t(?:ext|span)>", svg)))
    rules = ""
    for style, file in TYPE.items():
        if text and (style == "normal" or "italic" in svg):
            with as_file(files("tfcourse.lecture") / "fonts" / file) as path:
                font = TTFont(path, recalcTimestamp=False)
            cut, held = Subsetter(Options(notdef_outline=True)), BytesIO()
            cut.populate(text=text)
            cut.subset(font)
            font.flavor = "woff"
            font.save(held)
            data = base64.b64encode(held.getvalue()).decode()
            rules += f"@font-face{{font-family:'tfcourse Sans';font-style:{style};"
            rules += f"src:url(data:font/woff;base64,{data})}}"
    return rules
