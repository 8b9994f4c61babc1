#!/usr/bin/env python3
"""Draws each NAME.dot of this folder as NAME.svg, for light and dark pages: needs Graphviz (apt install graphviz).

The SVG says from which source it was made; tools/check_docs.py compares.
"""
import hashlib
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# Graphviz gives shapes, the classes of the source their colours.
STYLE = """<style>
    svg { color-scheme: light dark; }
    .paper { fill: #ffffff; }
    text { font-family: system-ui, sans-serif; fill: #1f2328; }
    .node polygon, .node path { fill: #f2f5f9; stroke: #6b7684; }
    .edge path { stroke: #57606a; fill: none; }
    .edge polygon { stroke: #57606a; fill: #57606a; }
    .cluster polygon, .cluster path { fill: none; stroke: #9aa4b0; stroke-dasharray: 4 3; }
    .peer polygon { fill: #ffffff; }
    .yours polygon { fill: #fff3d6; stroke: #a8780a; }
    .mailbox polygon { fill: #e3edff; stroke: #3b6fd4; }
    .mail path { stroke: #3b6fd4; }
    .mail polygon { stroke: #3b6fd4; fill: #3b6fd4; }
    @media (prefers-color-scheme: dark) {
        .paper { fill: #0d1117; }
        text { fill: #e6edf3; }
        .node polygon, .node path { fill: #1b222c; stroke: #7d8793; }
        .edge path { stroke: #9aa4b0; }
        .edge polygon { stroke: #9aa4b0; fill: #9aa4b0; }
        .cluster polygon, .cluster path { stroke: #57606a; }
        .peer polygon { fill: #0d1117; }
        .yours polygon { fill: #3a2f12; stroke: #d9a62e; }
        .mailbox polygon { fill: #16263f; stroke: #6c9cf0; }
        .mail path { stroke: #6c9cf0; }
        .mail polygon { stroke: #6c9cf0; fill: #6c9cf0; }
    }
</style>"""


def draw(source: pathlib.Path) -> str:
    defaults = ["-Gfontname=Helvetica", "-Nfontname=Helvetica", "-Efontname=Helvetica", "-Gfontsize=13", "-Nfontsize=12",
                "-Efontsize=11", "-Gpad=0.2", "-Nmargin=0.16,0.1", "-Earrowsize=0.7"]
    svg = subprocess.run(["dot", "-Tsvg", *defaults, source], check=True, capture_output=True, text=True).stdout
    svg = re.sub(r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    # Attributes win over nothing: what is left of them would win over no style either, but is in the way.
    svg = re.sub(r' (?:fill|stroke|font-family)="(?:black|white|none|transparent|Helvetica[^"]*)"', "", svg)
    svg = re.sub(r"<title>.*?</title>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g id="graph0"[^>]*>\s*)<polygon', r'\1<polygon class="paper"', svg, count=1)
    svg = re.sub(r"(<svg[^>]*>)", lambda opening: opening[1] + "\n" + STYLE, svg, count=1, flags=re.DOTALL)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    return f"<!-- {source.name}, source {digest}: docs/images/draw.py -->\n{svg}"


if __name__ == "__main__":
    for source in sorted(HERE.glob("*.dot")):
        source.with_suffix(".svg").write_text(draw(source))
        print(f"drew {source.with_suffix('.svg').name}")
