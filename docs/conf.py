"""What Sphinx builds the site with; `build.py` calls it once a language."""

import sys
from importlib.metadata import version as installed
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "tfcourse"
author = copyright = "the tfcourse authors, MIT"
release = version = installed("tfcourse")
language = "en"  # build.py gives the other with -D language=zh_CN

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "companion",
]
myst_enable_extensions = ["dollarmath", "colon_fence", "deflist", "attrs_inline"]
myst_heading_anchors = 3
html_math_renderer = "mathml"
exclude_patterns = ["_build"]
templates_path = ["_templates"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# As they are written, and not what NumPy means by them, which takes four lines.
autodoc_type_aliases = {name: name for name in ("ArrayLike", "Floats", "Float64", "NDArray")}

# Furo: what a reader loads first is 100 kB, letters are the system's, and dark is built in.
# The PyData theme, which NumPy and scikit-learn have, brings Bootstrap and Font Awesome, 2 MB.
html_theme = "furo"
html_title = "tfcourse"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_permalinks_icon = "#"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans',"
        " 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif",
        "color-brand-primary": "#003B73",
        "color-brand-content": "#00509E",
    },
    "dark_css_variables": {
        "color-brand-primary": "#6FB7F2",
        "color-brand-content": "#6FB7F2",
    },
}
