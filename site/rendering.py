"""What Sphinx is taught: claims with their number and kind, citations that lead to them, sections that fold."""

import functools
import html
import json
import re
import socket
import time
from types import SimpleNamespace

import pages
import sphinxcontrib.katex as katex
from docutils import nodes
from docutils.parsers.rst import directives
from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge
from sphinx.util.docutils import SphinxDirective

CITATION = re.compile(r"\((\d{1,2}\.\d{1,2})\)")
NOT_IN = (nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.title, nodes.raw)


class PatientSocket(socket.socket):
    """KaTeX's server makes its socket first and listens a moment later; who asks in between asks again."""

    def connect(self, address):
        until = time.monotonic() + (self.gettimeout() or 60)
        while True:
            try:
                return super().connect(address)
            except ConnectionRefusedError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)


# The module knows sockets by this name only; the one that everybody else knows stays as it is.
katex.socket = SimpleNamespace(**{**vars(socket), "socket": PatientSocket})
katex.STARTUP_TIMEOUT = katex.RENDER_TIMEOUT = 60  # seconds: a busy machine is no error
ask_katex = katex.render_latex


@functools.cache
def rendered(tex, is_displayed, output="htmlAndMathml"):
    """A formula as KaTeX makes it, without what HTML does not need: a copy of its source, and XML's name spaces."""
    options = {"displayMode": is_displayed, "throwOnError": True, "strict": "ignore", "output": output}
    return re.sub(r'<annotation.*?</annotation>|</?semantics>| xmlns="[^"]*"', "", ask_katex(tex, options), flags=re.S)


katex.render_latex = lambda tex, options=None: rendered(tex, bool(options))  # Sphinx's own formulas come this way


class Lean(HtmlFormatter):
    """Highlighting without the marks that no style of ours uses; they are half of a page's code."""

    def _get_css_class(self, token):
        name = super()._get_css_class(token)
        return "" if name in {"n", "nn", "nc", "na", "o", "p", "w"} else name


PygmentsBridge.html_formatter = Lean


class claim(nodes.General, nodes.Element):
    """A displayed equation with a number that may be linked to."""


class Claim(SphinxDirective):
    """```{claim} 5.2, with the TeX beneath it."""

    required_arguments = 1
    has_content = True
    option_spec = {"listed": directives.flag}  # noqa: RUF012  docutils' own interface

    def run(self):
        number, tex = self.arguments[0], "\n".join(self.content)
        return [claim("", number=number, tex=tex, listed="listed" in self.options)]


def visit_claim(self, node):
    """The equation, its number as a link, and the mark of its kind."""
    number, collection = node["number"], self.builder.app.collection
    here = self.builder.current_docname
    kind = collection.kinds[number]["kind"]
    listed = self.builder.get_relative_uri(here, "claims") + f"#claim-{number}"
    home = self.builder.get_relative_uri(here, collection.claims[number][0]) + f"#eq-{number}"
    name, link = (f"claim-{number}", home) if node["listed"] else (f"eq-{number}", f"#eq-{number}")
    mark = f'<a class="kind {kind.split()[0]}" href="{listed}" title="{kind}">{pages.KINDS[kind]}</a>'
    config = self.builder.config
    if config.repository:
        form = pages.report(config.repository, config.address, collection.claims[number][0], number)
        mark += f' <a class="report" href="{html.escape(form)}" aria-label="wrong? Report ({number})">wrong?</a>'
    self.body.append(
        f'<div class="claim" id="{name}"><div class="math">{rendered(node["tex"], True)}</div>'
        f'<div class="number"><a href="{link}">({number})</a> {mark}</div></div>\n'
    )
    raise nodes.SkipNode


def link_citations(app, doctree, docname):
    """Each "(5.2)" of the text leads to its equation."""
    for text in list(doctree.findall(nodes.Text)):
        ancestor = text.parent
        while ancestor is not None and not isinstance(ancestor, NOT_IN):
            ancestor = ancestor.parent
        if ancestor is not None or not CITATION.search(text):
            continue
        parts = []
        for i, part in enumerate(CITATION.split(text)):
            if i % 2 and part in app.collection.claims:
                where = app.collection.claims[part][0]
                address = ""
                if where != docname:
                    address = app.builder.get_relative_uri(docname, where)
                    app.cited_elsewhere.add(part)
                parts.append(nodes.reference("", f"({part})", refuri=f"{address}#eq-{part}", classes=["cite"]))
            elif part:
                parts.append(nodes.Text(f"({part})" if i % 2 else part))
        text.parent.replace(text, parts)


def fold(app, doctree, docname):
    """Sections whose label says so fold; tables get a frame in which they may be wider than a phone."""
    for section in list(doctree.findall(nodes.section)):
        if any(name.startswith("fold-") for name in section["ids"]):
            title, rest = section[0], section.children[1:]
            before = nodes.raw("", '<details class="fold"><summary>', format="html")
            between = nodes.raw("", "</summary>", format="html")
            section.children = [before, title, between, *rest, nodes.raw("", "</details>", format="html")]
    for table in list(doctree.findall(nodes.table)):
        columns = next(table.findall(nodes.tgroup))["cols"]
        words = sum(len(text) for text in table.findall(nodes.Text) if not isinstance(text.parent, nodes.math))
        is_long = columns > 2 and words > 42 * len(list(table.findall(nodes.row)))
        is_long = is_long and "refuted" not in table.parent.get("classes", ())  # its numbers are compared by column
        style = "wide long" if is_long else "wide"  # rows of sentences stand one under the other on a phone
        frame = [nodes.raw("", f'<div class="{style}">', format="html"), table, nodes.raw("", "</div>", format="html")]
        table.parent.replace(table, frame)


def describe(app, docname, template, context, doctree):
    """Title and description in the askers' words, and what stands at the end of a page."""
    collection, config = app.collection, app.config
    notebook = collection.named.get(docname)
    context["chapters"] = [
        (chapter.name, chapter.name[:2], pages.plain(chapter.title)) for chapter in collection.chapters
    ]
    context["notebook"] = notebook and notebook.name
    context["has_lab"] = config.has_lab
    context["address"] = config.address
    context["repository"] = config.repository
    context["report"] = pages.report(config.repository, config.address, docname)
    context["picture"] = config.picture
    ask = pages.plain(collection.asks.get(docname, ""))
    title = context.get("title") or docname.capitalize()
    title = pages.plain(notebook.title) if notebook else re.sub(r"<[^>]*>", "", title)
    context["heading"] = title
    context["page_title"] = f"{ask} {title}" if ask else title
    if docname == "index":
        context["page_title"] = "MAML and first-order MAML: how a gradient travels back through gradient descent"
        context["description"] = (
            "Why does ∇θ₀ disappear, is it the identity or a vector of ones, why may the second order be ignored?"
            " MAML's meta-gradient derived step by step, every numbered equation checked by machine."
        )
        context["questions"] = json.dumps(questions(collection), ensure_ascii=False).replace("</", "<\\/")
    elif notebook:
        will = re.search(r"\*\*You will\*\* (.*)", notebook.cells[0]["source"])
        context["description"] = f"{ask} {pages.plain(will[1]).capitalize() if will else title}".strip()
    elif doctree:
        context["description"] = " ".join(next(doctree.findall(nodes.paragraph)).astext().split())


def questions(collection):
    """The questions as search engines read them: schema.org's FAQPage."""
    entries = [
        {
            "@type": "Question",
            "name": pages.plain(question),
            "acceptedAnswer": {"@type": "Answer", "text": pages.plain(answer)},
        }
        for _, group in collection.questions
        for _, question, answer, _ in group
    ]
    return {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": entries}


def finish(app, exception):
    """What is written beside the pages: equations for those who hover over a citation, and a map of the site."""
    if exception or app.builder.name != "html":
        return
    folder = app.outdir / "_static" / "claims"
    folder.mkdir(exist_ok=True)
    chapters = {}
    for number in app.cited_elsewhere:
        tex = app.collection.claims[number][1]
        chapters.setdefault(number.split(".")[0], {})[number] = rendered(tex, True, "html")
    for chapter, equations in chapters.items():
        text = f"Object.assign(window.claims ??= {{}}, {json.dumps(equations, ensure_ascii=False)})"
        (folder / f"{chapter}.js").write_text(text, encoding="utf-8")
    if app.config.address:
        names = sorted(app.env.found_docs)
        places = [f"<url><loc>{app.config.address}/{name}.html</loc></url>" for name in names]
        body = "\n".join(['<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">', *places, "</urlset>"])
        (app.outdir / "sitemap.xml").write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + body, encoding="utf-8")


def setup(app):
    app.cited_elsewhere = set()
    app.add_config_value("address", "", "html")
    app.add_config_value("repository", "", "html")
    app.add_config_value("has_lab", False, "html")
    app.add_config_value("picture", "", "html")
    app.add_node(claim, html=(visit_claim, None))
    app.add_directive("claim", Claim)
    app.connect("doctree-resolved", link_citations)
    app.connect("doctree-resolved", fold)
    app.connect("html-page-context", describe)
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True}
