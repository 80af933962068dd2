"""Sphinx for the reading site; `python3 lab.py site` calls it.

Two settings, both left out of the pages where they are empty: no link leads to a place that nobody named.
"""

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import pages  # noqa: E402

# Where the site is published: canonical links, the map, the picture.
address = os.environ.get("SITE_ADDRESS", "").rstrip("/")
# https://github.com/owner/name: Binder, hosted notebooks, reports.
repository = os.environ.get("SITE_REPOSITORY", "").rstrip("/")
picture = os.environ.get("SITE_PICTURE", "")  # what the picture beside a link shows, in words
has_lab = bool(os.environ.get("SITE_LAB"))  # whether the lab in the browser is built beside the pages

BUILD = HERE.parent / "build" / "site"
KATEX = HERE / "node_modules" / "katex" / "dist"
for folder in ("source", "extra", "contents"):
    shutil.rmtree(BUILD / folder, ignore_errors=True)
try:
    collection = pages.write(BUILD / "source", BUILD / "extra", BUILD / "contents", repository, has_lab)
except pages.DeadLink as error:
    sys.exit(f"site: {error}")
fonts = BUILD / "extra" / "katex" / "fonts"
fonts.mkdir(parents=True)
for font in (KATEX / "fonts").glob("*.woff2"):  # every browser that is still kept up reads woff2
    shutil.copy(font, fonts)
shutil.copy(KATEX / "katex.min.css", fonts.parent)

project = "How a gradient travels back through gradient descent"
author = "The authors of this collection"
language = "en"
extensions = ["myst_nb", "sphinxcontrib.katex", "rendering"]
suppress_warnings = ["mystnb.unknown_mime_type", "myst.header"]
nb_execution_mode = "off"
nb_ipywidgets_js = {}  # the pages ask nobody for widgets
nb_render_markdown_format = "myst"
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
katex_prerender = True
katex_js_path = str(KATEX / "katex.min.js")
katex_css_path = "../katex/katex.min.css"
html_theme = "theme"
html_theme_path = [str(HERE)]
html_extra_path = [str(BUILD / "extra")]
html_copy_source = False
html_show_search_summary = False  # it is fetched, which a browser refuses to do in a folder
html_domain_indices = False
html_use_index = False
html_permalinks_icon = "#"


def setup(app):
    app.collection = collection
