"""The editor's schema with its blocks, over the editor's own model: what the server writes is what the design view writes."""

from tests.browser.unit.conftest import Bench
from tests.core.rules.blocks.documents import document
from webapp.core.rules.blocks import write

SCHEMA = """
const { parseSource, writeSource, losses } = await import("/static/editor/document.js");
const tiptap = await import("/editor.js");
const { extensions } = await import("/static/editor/schema.js");
const all = extensions(tiptap, { placeholder: "", isKnown: () => true, shownAt: (src) => src, keys: {}, slash: null });
const schema = tiptap.getSchema(all);
const parser = tiptap.pm.model.DOMParser.fromSchema(schema);
const round = (source) => writeSource(tiptap.pm.model, parser.parse(parseSource(source)));
"""
"""The editor's own schema, and a source's way through it and back."""

ROUND = """
return given.map((source, number) => [number, source, round(source), losses(source, round)])
  .filter(([, source, after, lost]) => source !== after || lost.length);
"""


def test_a_thousand_documents_go_through_the_design_view_unchanged(bench: Bench):
    bench.lay()
    differ = bench.run("editor/document.js", SCHEMA + ROUND, [write(document(number)) for number in range(1000)])
    assert differ == []
