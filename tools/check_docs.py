#!/usr/bin/env python3
"""Checks that the docs are true, as far as a script can see.

  tools/check_docs.py              checks every *.md of the repository
  tools/check_docs.py --write      first copies the code of compiled files into the pages
  tools/check_docs.py --self-test  plants each mistake in a scratch tree and wants it found

1. A fenced block behind `<!-- code: PATH#NAME -->` is the region between `// [NAME]` and `// [/NAME]` of that file, which
   the build compiles; behind `<!-- code: PATH -->` it is the whole file. A block of C++ needs such a line, or
   `<!-- code: none, because REASON -->`.
2. Links to files, anchors and images lead somewhere; other links have the form of one.
3. Every page in docs/ is reached from README.md or docs/README.md.
4. Names such as `hubbub::Hub`, `HubOptions::queue`, `session.send` and the macros of hubbub are in its headers.
5. In a page with the line `<!-- quoted from the headers -->` what tables put between quotation marks is in the headers.
6. Headers that are named (`hubbub/hub/hub.hpp`) exist; behind `<!-- names and their headers -->` each row's header has the names before it.
7. A picture with a source beside it (NAME.dot for NAME.svg) was made from that source: docs/images/draw.py.
"""
import hashlib
import pathlib
import re
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
COMPILED = ("examples/", "tests/", "benchmarks/")  # where C++ may be cut from
OTHER_SOURCES = (*COMPILED, "docs/", "cmake/")  # where configuration and commands may be cut from
CPP = {"cpp", "c++", "cxx", "hpp"}
ENTRANCES = ("README.md", "docs/README.md")
# Objects that the docs call by these names, and the headers that have their members.
OBJECTS = {
    "session": ["hub/session.hpp"],
    "hub": ["hub/hub.hpp", "hub/broadcaster.hpp"],
    "broadcaster": ["hub/broadcaster.hpp"],
    "server": ["server/server.hpp"],
    "sim": ["testing/simulation.hpp"],
}


class Page:
    """A Markdown file, taken apart."""

    FENCE = re.compile(r"^( *)(```+|~~~+)\s*([^\s`]*)")
    MARKER = re.compile(r"^\s*<!-- code: (.+?) -->\s*$")

    LINKS = [re.compile(pattern) for pattern in (
        r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)",
        r"!\[[^\]]*\]\(\s*([^)\s]*)",  # also those inside of a link's text
        r"(?m)^\s*\[[^\]]+\]:\s*(\S+)",
        r"<(?:img|a|source)\b[^>]*?\b(?:src|href|srcset)=\"([^\"]*)\"")]

    def __init__(self, root, path):
        self.path = path
        self.name = path.relative_to(root).as_posix()
        self.lines = path.read_text().split("\n")
        self.blocks = []  # (line of the fence, language, marker or None, first line of code, line behind the last)
        self.prose = []  # (line number, text): everything but fenced code
        fence, marker = None, None
        for number, line in enumerate(self.lines, 1):
            found = self.FENCE.match(line)
            if fence:
                if found and found[2].startswith(fence[1]) and not found[3]:
                    self.blocks.append((fence[0], fence[2], fence[3], fence[0] + 1, number))
                    fence = None
                continue
            if found:
                fence, marker = (number, found[2], found[3].lower(), marker), None
                continue
            if marked := self.MARKER.match(line):
                marker = (number, marked[1])
                continue
            if line.strip():
                marker = None
            self.prose.append((number, line))
        self.open_fence = fence[0] if fence else None
        self.anchors = self._anchors()

    def code(self, block):
        return self.lines[block[3] - 1:block[4] - 1]

    def _anchors(self):
        """As GitHub makes them of headings, and the ones that HTML names."""
        anchors = set()
        for _, line in self.prose:
            if heading := re.match(r"^#{1,6}\s+(.*?)\s*#*\s*$", line):
                text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
                text = re.sub(r"<[^>]+>", "", text)
                slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
                unique, count = slug, 0
                while unique in anchors:
                    count += 1
                    unique = f"{slug}-{count}"
                anchors.add(unique)
            anchors.update(re.findall(r"<[^>]+\b(?:id|name)=\"([^\"]+)\"", line))
        return anchors

    def paragraphs(self):
        """(line of each character, text) of what belongs together: a link or a name may go on in the next line."""
        lines, text = [], ""
        for number, line in [*self.prose, (0, "")]:
            if lines and (not line.strip() or number != lines[-1] + 1 or line.startswith(("|", "#"))):
                yield lines, text
                lines, text = [], ""
            if line.strip():
                text += line + "\n"
                lines += [number] * (len(line) + 1)

    def links(self):
        """(line, target) of links, images and references."""
        for lines, text in self.paragraphs():
            text = re.sub(r"`[^`]*`", lambda code: " " * len(code[0]), text)
            for pattern in self.LINKS:
                for found in pattern.finditer(text):
                    yield lines[found.start(1)] if found[1] else lines[found.start()], found[1]


def pages(root):
    for path in sorted(root.rglob("*.md")):
        parts = path.relative_to(root).parts
        if not any(part in (".git", "node_modules") or part.startswith(("build", "cmake-build")) for part in parts[:-1]):
            yield Page(root, path)


# ---- code


def region(text, name):
    """The lines between `// [name]` and `// [/name]`, moved to the left; or a sentence that says what is wrong."""
    lines = text.split("\n")

    def places(label):
        return [i for i, line in enumerate(lines) if re.fullmatch(r"\s*(?://|#)\s*\[" + re.escape(label) + r"\]\s*", line)]

    begin, end = places(name), places("/" + name)
    if len(begin) != 1 or len(end) != 1 or begin[0] >= end[0]:
        return None, f"needs one // [{name}] and one // [/{name}] behind it"
    inside = [line for line in lines[begin[0] + 1:end[0]] if not re.fullmatch(r"\s*(?://|#)\s*\[/?[\w-]+\]\s*", line)]
    while inside and not inside[0].strip():
        inside.pop(0)
    while inside and not inside[-1].strip():
        inside.pop()
    indent = min((len(line) - len(line.lstrip()) for line in inside if line.strip()), default=0)
    return [line[indent:] for line in inside], None


def source_of(root, marker, language):
    """What the block must say, or None where nothing is compared; and a sentence that says what is wrong with the marker."""
    if marker.startswith("none"):
        if not re.fullmatch(r"none, because \S.{9,}", marker):
            return None, "says `code: none` and no reason: write `code: none, because ...`"
        return None, None
    path, _, name = marker.partition("#")
    allowed = COMPILED if language in CPP or path.endswith((".cpp", ".hpp")) else OTHER_SOURCES
    if not path.startswith(allowed):
        return None, f"is cut from {path}, which is not below {', '.join(allowed)}"
    file = root / path
    if not file.is_file():
        return None, f"is cut from {path}, which does not exist"
    text = file.read_text()
    if not name:
        return text.rstrip("\n").split("\n"), None
    lines, problem = region(text, name)
    return lines, problem and f"is cut from {path}, which {problem}"


def check_code(root, page):
    if page.open_fence:
        yield page.open_fence, "a fenced block does not end"
    for block in page.blocks:
        line, language, marker = block[:3]
        if not marker:
            if language in CPP:
                yield line, "C++ without `<!-- code: PATH#NAME -->`: cut it from a compiled file, or say `none, because ...`"
            continue
        wanted, problem = source_of(root, marker[1], language)
        if problem:
            yield marker[0], f"the code {problem}"
        elif wanted is not None and wanted != page.code(block):
            yield line, f"the code differs from {marker[1]}: tools/check_docs.py --write"


def write_code(root, page):
    """Copies compiled code into the page. True if that changed it."""
    lines = list(page.lines)
    for block in reversed(page.blocks):
        if block[2]:
            wanted, problem = source_of(root, block[2][1], block[1])
            if wanted is not None and not problem:
                lines[block[3] - 1:block[4] - 1] = wanted
    if lines == page.lines:
        return False
    page.path.write_text("\n".join(lines))
    return True


# ---- links


def resolve(root, page, target):
    """The path below the root that a relative link means, and its anchor."""
    path, _, anchor = target.partition("#")
    path = urllib.parse.unquote(path)
    base = page.path.parent if not path.startswith("/") else root
    file = (base / path.lstrip("/")).resolve() if path else page.path.resolve()
    return file, anchor


def check_links(root, page, by_path):
    for line, target in page.links():
        if not target:
            yield line, "a link without a target"
        elif re.match(r"[a-z][a-z0-9+.-]*:", target):
            if not re.fullmatch(r"(?:https?://[\w.-]+\.[a-z]{2,}(?::\d+)?(?:[/?#]\S*)?|mailto:[^@\s]+@[\w.-]+)", target):
                yield line, f"{target} has not the form of an address"
        else:
            file, anchor = resolve(root, page, target)
            if not file.is_relative_to(root.resolve()) or not file.exists():
                yield line, f"the link to {target} leads nowhere"
            elif anchor and file.suffix == ".md":
                if file not in by_path or anchor not in by_path[file].anchors:
                    yield line, f"there is no heading for {target}"


def unreached(root, all_pages):
    """Pages in docs/ to which no way leads from the entrances."""
    by_path = {page.path.resolve(): page for page in all_pages}
    left = [page for page in all_pages if page.name in ENTRANCES]
    reached = set(left)
    while left:
        page = left.pop()
        for _, target in page.links():
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            other = by_path.get(resolve(root, page, target)[0])
            if other and other not in reached:
                reached.add(other)
                left.append(other)
    return [page for page in all_pages if page.name.startswith("docs/") and page not in reached]


# ---- names


class Headers:
    """What the library's headers say, word by word."""

    def __init__(self, root):
        self.folder = root / "include" / "hubbub"
        self.texts = {path.relative_to(self.folder).as_posix(): path.read_text()
                      for path in sorted(self.folder.rglob("*.hpp"))} if self.folder.is_dir() else {}
        self.words_of = {name: set(re.findall(r"\w+", re.sub(r"//[^\n]*", "", text))) for name, text in self.texts.items()}
        self.words = set().union(*self.words_of.values()) if self.words_of else set()
        self.homes = {}  # type -> headers that define it
        for name, text in self.texts.items():
            for kind in re.findall(r"^\s*(?:class|struct|enum class|concept|using)\s+(\w+)\b(?!\s*;)", text, re.M):
                self.homes.setdefault(kind, []).append(name)
        cmake = [root / "CMakeLists.txt", *(root / "cmake").glob("*.cmake")]
        self.targets = set(re.findall(r"hubbub::(\w+)", " ".join(path.read_text() for path in cmake if path.is_file())))

    def has_member(self, kind, member):
        homes = self.homes.get(kind, [])
        return any(member in self.words_of[home] for home in homes)


def check_names(page, headers):
    # In running text a name stands between backticks; in code anywhere.
    texts = [(lines[found.start()], " ".join(found[1].split())) for lines, text in page.paragraphs()
             for found in re.finditer(r"`([^`]+)`", text)]
    for block in page.blocks:
        if block[1] in CPP or block[1] == "cmake":
            texts += enumerate((re.sub(r"(?<![:\"])//.*", "", line) for line in page.code(block)), block[3])
    for number, text in texts:
        for path in re.findall(r"\bhubbub((?:::\w+)+)", text):
            names = path.split("::")[1:]
            wrong = [name for name in names if name not in headers.words]
            if wrong and not (len(names) == 1 and names[0] in headers.targets):
                yield number, f"hubbub{path}: {wrong[0]} is not in the headers"
        for kind, member in re.findall(r"(?<![:\w])([A-Z]\w*)::(\w+)", text):
            if kind in headers.homes and not headers.has_member(kind, member):
                yield number, f"{kind}::{member}: {kind} has no such member"
        for macro in re.findall(r"\bHUBBUB_(?:ASSERT|VERSION)\w*", text):
            if macro not in headers.words:
                yield number, f"{macro} is not in the headers"
        for thing, member in re.findall(r"(?<![\w.>])(\w+)\.(\w+)\b", text):
            homes = [home for home in OBJECTS.get(thing, []) if home in headers.words_of]
            if homes and not re.fullmatch(r"hpp|cpp|md|py|pem|sock|example|test|pc", member) and \
                    not any(member in headers.words_of[home] for home in homes):
                yield number, f"{thing}.{member}: there is no such member in {homes[0]}"


def check_quotes(page, headers):
    if "<!-- quoted from the headers -->" not in page.lines:
        return
    for number, line in page.prose:
        for quoted in re.findall(r'"([^"]+)"', line) if line.startswith("|") else []:
            if not any(f'"{quoted}"' in text for text in headers.texts.values()):
                yield number, f"no header says \"{quoted}\""


def check_headers(page, headers):
    listed = None  # the line from which on rows are names and their headers
    for number, line in enumerate(page.lines, 1):
        named = re.findall(r"(?<![\w/])hubbub/([\w/]+\.hpp)", line)
        for header in named:
            if header not in headers.texts:
                yield number, f"there is no header hubbub/{header}"
        if line == "<!-- names and their headers -->":
            listed = number
        elif listed and line.startswith("|") and len(named) == 1 and named[0] in headers.texts:
            for name in re.findall(r"`(?:\w+::)*(\w+)`", line.split("`hubbub/")[0].split("|")[2]):
                if name not in headers.words_of[named[0]]:
                    yield number, f"{name} is not in hubbub/{named[0]}"


# ---- pictures


def drawn_from(source):
    return hashlib.sha256(source.read_bytes()).hexdigest()[:16]


def check_pictures(root):
    for source in sorted((root / "docs").rglob("*.dot")) if (root / "docs").is_dir() else []:
        picture = source.with_suffix(".svg")
        name = source.relative_to(root).as_posix()
        if not picture.is_file():
            yield f"{name}:1: there is no {picture.name} beside it: docs/images/draw.py"
        elif f"source {drawn_from(source)}" not in picture.read_text():
            yield f"{name}:1: {picture.name} was not made from this: docs/images/draw.py"


def check(root):
    all_pages = list(pages(root))
    by_path = {page.path.resolve(): page for page in all_pages}
    headers = Headers(root)
    problems = []
    for page in all_pages:
        found = [*check_code(root, page), *check_links(root, page, by_path), *check_names(page, headers), *check_quotes(page, headers),
                 *check_headers(page, headers)]
        problems += [f"{page.name}:{line}: {sentence}" for line, sentence in sorted(set(found))]
    problems += [f"{page.name}:1: no page leads here from {' or '.join(ENTRANCES)}" for page in unreached(root, all_pages)]
    problems += check_pictures(root)
    return all_pages, problems


def self_test() -> int:
    """Each planted mistake is found, at its line, and a right tree has none."""
    marked = "<!-- code: examples/a.cpp#a -->\n"
    right = {
        "include/hubbub/hub/hub.hpp": "class Hub {\n int post();\n};\n#define HUBBUB_ASSERT(x)\n",
        "include/hubbub/hub/session.hpp": "class Session {\n int send();\n};\n",
        "include/hubbub/hub/hub_options.hpp": "struct HubOptions {\n int queue;\n};\n",
        "CMakeLists.txt": "add_library(hubbub::tcp ALIAS x)\n",
        "examples/a.cpp": "int before;\nvoid f() {\n    // [a]\n    int a;\n\n    if (a)\n        // [inner]\n        a = 1;\n"
                          "        // [/inner]\n    // [/a]\n}\n",
        "docs/a.conf": "listen 1;\n",
        "docs/picture.svg": "<svg/>",
        "README.md": "# Title\n[docs](docs/README.md) [a](docs/a.md#two-words-c) ![p](docs/picture.svg)\n"
                     "[out](https://example.org/x) `hubbub::Hub` `hubbub::tcp` `HubOptions::queue` `session.send` `Hub::post`\n"
                     "`[no](link)` and `HUBBUB_ASSERT`\n" + marked + "```cpp\nint a;\n\nif (a)\n    a = 1;\n```\n",
        "docs/README.md": "# Index\n[back](../README.md#title)\n",
        "docs/a.md": "## Two words: C++\n<!-- code: docs/a.conf -->\n```nginx\nlisten 1;\n```\n```sh\nls\n```\n"
                     "<!-- code: none, because it is a shape and no program -->\n```cpp\n...\n```\n",
    }

    def pictured(text):
        return {"docs/p.dot": "digraph {}\n", "docs/p.svg": text}

    digest = hashlib.sha256(b"digraph {}\n").hexdigest()[:16]
    planted = [
        ("", {}),
        ("", pictured(f"<!-- source {digest} -->")),
        ("docs/p.dot:1: p.svg was not made from this", pictured("<!-- source 0000 -->")),
        ("docs/p.dot:1: there is no p.svg", {"docs/p.dot": "digraph {}\n"}),
        ("README.md:2: C++ without", {"README.md": "[i](docs/README.md) [a](docs/a.md)\n```cpp\nint b;\n```\n# Title\n"}),
        ("README.md:6: the code differs", {"README.md": right["README.md"].replace("= 1", "= 2")}),
        ("README.md:5: the code is cut from examples/b.cpp, which does not",
         {"README.md": right["README.md"].replace("a.cpp#a", "b.cpp#a")}),
        ("README.md:5: the code is cut from examples/a.cpp, which needs",
         {"README.md": right["README.md"].replace("a.cpp#a", "a.cpp#b")}),
        ("README.md:5: the code is cut from include/hubbub/hub/hub.hpp, which is not below",
         {"README.md": right["README.md"].replace("examples/a.cpp#a", "include/hubbub/hub/hub.hpp")}),
        ("README.md:5: the code says `code: none`", {"README.md": right["README.md"].replace("examples/a.cpp#a", "none")}),
        ("README.md:6: a fenced block does not end", {"README.md": right["README.md"].removesuffix("```\n")}),
        ("docs/a.md:3: the code differs", {"docs/a.conf": "listen 2;\n"}),
        ("README.md:2: the link to docs/b.md leads nowhere",
         {"README.md": right["README.md"].replace("docs/a.md#two-words-c", "docs/b.md")}),
        ("README.md:2: there is no heading for docs/a.md#three",
         {"README.md": right["README.md"].replace("#two-words-c", "#three")}),
        ("README.md:2: the link to docs/no.svg leads nowhere",
         {"README.md": right["README.md"].replace("docs/picture.svg", "docs/no.svg")}),
        ("README.md:3: https://nowhere has not", {"README.md": right["README.md"].replace("https://example.org/x", "https://nowhere")}),
        ("README.md:2: a link without a target", {"README.md": right["README.md"].replace("docs/picture.svg", "")}),
        ("docs/b.md:1: no page leads here", {"docs/b.md": "# B\n"}),
        ("docs/README.md:3: the link to c.md leads nowhere", {"docs/README.md": "# Index\na [link over\nlines](c.md)\n"}),
        ("docs/README.md:2: hubbub::Club", {"docs/README.md": "# Index\nand `hubbub::Club\nc` of\n"}),
        ("README.md:3: hubbub::Club: Club is not", {"README.md": right["README.md"].replace("hubbub::Hub", "hubbub::Club")}),
        ("README.md:3: hubbub::tls: tls is not", {"README.md": right["README.md"].replace("hubbub::tcp", "hubbub::tls")}),
        ("README.md:3: HubOptions::quay", {"README.md": right["README.md"].replace("Options::queue", "Options::quay")}),
        ("README.md:3: session.sing", {"README.md": right["README.md"].replace("session.send", "session.sing")}),
        ("README.md:3: Hub::past", {"README.md": right["README.md"].replace("Hub::post", "Hub::past")}),
        ("docs/README.md:4: no header says \"nobody\"",
         {"docs/README.md": '# Index\n<!-- quoted from the headers -->\n|a|\n| "nobody", "why" |\n"nor this"\n',
          "include/hubbub/hub/why.hpp": 'auto x = "why";\n'}),
        ("", {"docs/README.md": "# Index\n<!-- names and their headers -->\n| to | `Hub` | `hubbub/hub/hub.hpp` |\n"}),
        ("docs/README.md:3: Session is not in hubbub/hub/hub.hpp",
         {"docs/README.md": "# Index\n<!-- names and their headers -->\n| to | `Session` | `hubbub/hub/hub.hpp` |\n"}),
        ("docs/README.md:2: there is no header hubbub/hub/club.hpp", {"docs/README.md": "# Index\n`hubbub/hub/club.hpp`\n"}),
        ("README.md:4: HUBBUB_ASSERTION", {"README.md": right["README.md"].replace("HUBBUB_ASSERT", "HUBBUB_ASSERTION")}),
    ]
    wrong = 0
    for expected, change in planted:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            for name, text in {**right, **change}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            problems = check(root)[1]
            fine = any(problem.startswith(expected) for problem in problems) if expected else not problems
            if "the code differs" in expected:  # what --write repairs is right afterwards
                for page in pages(root):
                    write_code(root, page)
                fine = fine and not check(root)[1]
        if not fine:
            print(f"self-test: wanted {expected or 'no problem'}, found {problems or 'none'}")
            wrong = 1
    print(f"self-test: {len(planted)} planted trees, {'not all were judged rightly' if wrong else 'all judged rightly'}")
    return wrong


def main() -> int:
    arguments = sys.argv[1:]
    if unknown := [each for each in arguments if each not in ("--write", "--self-test")]:
        print(f"unknown argument {unknown[0]}; usage: tools/check_docs.py [--write | --self-test]", file=sys.stderr)
        return 2
    if "--self-test" in arguments:
        return self_test()
    if "--write" in arguments:
        for page in pages(ROOT):
            if write_code(ROOT, page):
                print(f"wrote {page.name}")
    all_pages, problems = check(ROOT)
    print("".join(problem + "\n" for problem in problems) + f"{len(all_pages)} pages, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
