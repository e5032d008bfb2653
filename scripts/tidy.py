#!/usr/bin/env python3
"""Checks what compilers do not: layers, heavy headers, lengths, banned calls, dead files. Runs as a test.

tidy.py [--root DIR]   checks the tree; prints `file:line: rule: message` and exits 1 when something is wrong
tidy.py --self-test    plants every violation in a scratch tree and demands that it is found
"""

import argparse
import ast
import dataclasses
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator

# Which folder of src/ may include which others; the design's table of layers. CMakeLists.txt repeats it as link
# edges, and check_cmake_edges compares the two. `services` stands for every role: a role never includes another one,
# only what they share in services/common.
LAYERS: dict[str, set[str]] = {
    "core": set(),
    "model": {"core"},
    "text": {"core"},
    "http": {"core"},
    "storage": {"core"},
    "redis": {"core"},
    "cache": {"core", "storage", "redis"},
    "events": {"core", "storage", "cache", "redis", "model"},
    "data": {"core", "storage", "events", "cache", "model", "text"},
    "security": {"core", "cache", "data", "http", "model"},
    "providers": {"core", "http", "model", "text"},
    "agents": {"core", "data", "events", "http", "model", "providers", "text"},
    "services": {"core", "agents", "data", "providers", "security", "http", "model", "events", "text"},
    "testing": {"core", "model", "http", "storage", "redis"},
    "app": {
        "core", "model", "text", "http", "storage", "redis", "cache", "events", "data", "security", "providers",
        "agents", "services",
    },
}  # fmt: skip
# Folders of src/ outside the layers: bodies of other people's libraries.
UNLAYERED = {"third_party"}

# Headers that cost seconds or drag in an API that one folder hides. They appear in that folder's .cpp files only.
HEAVY_HEADERS = [
    (re.compile(r"boost/beast(/|\.hpp)"), "http"),
    (re.compile(r"libpq-fe\.h|libpq/|postgres_ext\.h"), "storage"),
    (re.compile(r"sqlite3(ext)?\.h"), "storage"),
    (re.compile(r"hiredis(/|\.h)"), "redis"),
]

# (name, pattern on code without comments and strings, path prefixes where it is allowed, what to do instead)
BANNED = [
    ("popen", r"\bpopen\s*\(", (), "start no shell"),
    ("strcpy", r"\b(strcpy|strcat)\s*\(", (), "use std::string"),
    ("sprintf", r"\bv?sprintf\s*\(", (), "use std::format"),
    ("rand", r"\bstd::rand\b|(?<![\w.>:])s?rand\s*\(", (), "use core/random.hpp"),
    ("detached", r"\basio::detached\b", (), "exceptions vanish; use spawn(name, task)"),
    ("sleep", r"\bstd::this_thread::sleep_(for|until)\b|(?<![\w.>:])u?sleep\s*\(", (), "wait for a signal or a timer"),
    ("endl", r"\bstd::endl\b", (), "write '\\n'"),
    ("using-std", r"\busing\s+namespace\s+std\s*;", (), "name what is used"),
    ("getenv", r"\b(secure_)?getenv\s*\(", ("src/core/config", "src/testing/", "tests/"), "read core/config.hpp"),
    ("cout", r"\bstd::cout\b", ("src/app/", "bench/"), "log instead"),
]
BANNED = [(name, re.compile(pattern), allowed, instead) for name, pattern, allowed, instead in BANNED]
# A declaration or method of that name is fine, so this one needs to look at the word before it.
SYSTEM_CALL = re.compile(r"(?:(?P<before>[\w>&*]+)\s+|\bstd::|(?<![\w>])::|(?<![\w.>:]))system\s*\(\s*[^)\s]")
STATEMENT_WORDS = {"return", "co_return", "co_await", "co_yield", "else", "do", "case", "throw"}

FUNCTION_LINES_MAX = 70
LINE_COLUMNS_MAX = 120
SKIPPED_FOLDERS = {".git", ".cache", "build", "data", "node_modules", "__pycache__", "dist", ".venv"}
CODE = {".cpp", ".hpp", ".h", ".py", ".sh", ".cmake", ".sql", ".ts", ".tsx", ".js", ".css"}
PROSE = {".md", ".txt", ".json", ".yaml", ".yml", ".toml", ".html", ".conf", ".service", ""}
LONG_LINES_ALLOWED = {".sql", ".json", ".md", ".html", ".css", ".ts", ".tsx", ".js", ".txt", ""}
# Where checkouts and installations usually lie: naming such a place in a file says nothing about a machine.
USUAL_PLACES = {"/", "/app", "/build", "/home", "/opt", "/root", "/src", "/srv", "/tmp", "/usr", "/usr/src", "/var"}
HOME_PATH = re.compile(r"(?<![\w.$}])/(?:home|Users)/[A-Za-z]\w*|(?<![\w.$}])/root/[A-Za-z.]")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Fault:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


class Source:
    """One file of the tree: its text, and for C++ the text with comments and literals blanked."""

    def __init__(self, root: pathlib.Path, path: pathlib.Path):
        self.path = path.relative_to(root).as_posix()
        self.suffix = path.suffix
        self.text = path.read_text(encoding="utf-8", errors="surrogateescape")
        self.is_cpp = self.suffix in {".cpp", ".hpp", ".h"}
        self.code = blank_comments_and_literals(self.text) if self.is_cpp else ""

    def includes(self) -> Iterator[tuple[int, str, str]]:
        """Line, kind of quote, and name of each include that is not commented out."""
        for match in INCLUDE.finditer(self.text):
            if self.code[match.start(1) - 1 - len("include") : match.start(1)].strip():
                yield line_of(self.text, match.start(1)), match.group(1), match.group(2)

    @property
    def folder(self) -> str | None:
        """`core`, `services/worker`, ...; None outside src/."""
        parts = self.path.split("/")
        if parts[0] != "src" or len(parts) < 3:
            return None
        return "/".join(parts[1:3]) if parts[1] == "services" and len(parts) > 3 else parts[1]

    @property
    def is_test(self) -> bool:
        """Also the headers that only tests of the folder share."""
        return bool(re.search(r"_(test|bench)\.cpp$|_fixture\.hpp$|/test_\w+\.hpp$", self.path))


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


LITERAL = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)\""""
    r"""|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""",  # 1'000 is a number
    re.DOTALL,
)


def blank_comments_and_literals(text: str) -> str:
    """Same length and same lines; quotes stay, so that `""` still looks like an operand."""

    def blank(match: re.Match) -> str:
        found = match.group(0)
        inner = re.sub(r"[^\n]", " ", found)
        return inner if found.startswith("/") else '"' + inner[1:-1] + '"'

    return LITERAL.sub(blank, text)


def read_tree(root: pathlib.Path) -> list[Source]:
    """Every text file that belongs to the repository: tracked or about to be, when git is there to say so."""
    command = ["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, capture_output=True, check=False) if (root / ".git").exists() else None
    if listing is not None and listing.returncode == 0:
        paths = [root / name.decode() for name in listing.stdout.split(b"\0") if name]
    else:
        found = (path for path in root.rglob("*") if path.is_file())
        paths = [path for path in found if not in_skipped_folder(path.relative_to(root))]
    wanted = CODE | PROSE
    sources = [Source(root, path) for path in sorted(paths) if path.suffix in wanted and path.is_file()]
    return [source for source in sources if "\0" not in source.text]


def in_skipped_folder(path: pathlib.Path) -> bool:
    # Only at the top: src/data and tests/build are ours.
    return path.parts[0] in SKIPPED_FOLDERS or "node_modules" in path.parts or "__pycache__" in path.parts


def target_folder(name: str, known: set[str]) -> str | None:
    """The folder of src/ that an include name points into, if it points into one."""
    parts = name.split("/")
    if parts[0] == "services" and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0] if len(parts) > 1 and parts[0] in known else None


def check_layers(source: Source) -> Iterator[Fault]:
    if not source.is_cpp or source.folder is None or source.folder in UNLAYERED:
        return
    folder = source.folder
    layer = folder.split("/")[0]
    if layer not in LAYERS or folder == "services":
        yield Fault(source.path, 1, "unknown-folder", f"src/{folder} is not in the table of layers")
        return
    for line, quote, name in source.includes():
        if name.startswith("embedded/"):
            continue
        target = target_folder(name, set(LAYERS))
        if target is None:
            if quote == '"':
                yield Fault(source.path, line, "include-root", f'write "{name}" from src/ on: "folder/file.hpp"')
            continue
        allowed = LAYERS[layer] | ({"testing"} if source.is_test else set())
        if target == folder or target.split("/")[0] in allowed:
            continue
        if layer == "services" and target == "services/common":
            continue
        if layer == "services" and target.startswith("services/"):
            yield Fault(source.path, line, "service-to-service", f"{folder} includes {name}")
        else:
            yield Fault(source.path, line, "layer", f"{folder} may not include {target}")


def check_heavy_headers(source: Source) -> Iterator[Fault]:
    if not source.is_cpp or source.folder in UNLAYERED:
        return
    for line, _, name in source.includes():
        for pattern, home in HEAVY_HEADERS:
            if pattern.match(name) and not (source.folder == home and source.suffix == ".cpp"):
                yield Fault(source.path, line, "heavy-header", f"{name} belongs into .cpp files of src/{home}")


def check_banned(source: Source) -> Iterator[Fault]:
    if not source.is_cpp:
        return
    for name, pattern, allowed, instead in BANNED:
        if source.path.startswith(allowed):
            continue
        for match in pattern.finditer(source.code):
            yield Fault(source.path, line_of(source.code, match.start()), "banned", f"{name}: {instead}")
    for match in SYSTEM_CALL.finditer(source.code):
        before = match.group("before")
        if before is None or before in STATEMENT_WORDS:
            yield Fault(source.path, line_of(source.code, match.start()), "banned", "system: start no shell")


def check_text(source: Source) -> Iterator[Fault]:
    if source.path == "LICENSE":
        return
    for number, line in enumerate(source.text.split("\n"), 1):
        if source.suffix in CODE and UNFINISHED.search(line):
            yield Fault(source.path, number, "unfinished", "finish it, or open an issue")
        if source.suffix in CODE and "\t" in line:
            yield Fault(source.path, number, "tab", "use spaces")
        if line != line.rstrip() and source.suffix not in {".json", ".txt"}:
            yield Fault(source.path, number, "trailing-space", "remove it")
        if len(line) > LINE_COLUMNS_MAX and source.suffix not in LONG_LINES_ALLOWED:
            yield Fault(source.path, number, "long-line", f"{len(line)} columns, at most {LINE_COLUMNS_MAX}")
    if source.text and not source.text.endswith("\n"):
        yield Fault(source.path, source.text.count("\n") + 1, "end-of-file", "end with a newline")


def check_machine_paths(source: Source, root: pathlib.Path) -> Iterator[Fault]:
    places = {str(place) for place in (root, root.parent)} - USUAL_PLACES
    patterns = [re.compile(r"(?<![\w.$}-])" + re.escape(place) + r"(?![\w-])") for place in sorted(places)]
    # Knowledge quotes commands of everyday work, and those may name a home directory.
    if not source.path.startswith("assets/knowledge/"):
        patterns.append(HOME_PATH)
    for number, line in enumerate(source.text.split("\n"), 1):
        if any(pattern.search(line) for pattern in patterns):
            yield Fault(source.path, number, "machine-path", "name no place of one machine")


TEMPLATE_PREFIX = re.compile(
    r"^\s*(?:template\s*<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>|\[\[[^\]]*\]\]|inline\b|export\b)\s*"
)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
SCOPE_WORDS = re.compile(r"^\s*(?:namespace|class|struct|union|extern\s*\")")
LABEL = re.compile(r"^\s*(?:public|protected|private)\s*:(?!:)")


def function_bodies(code: str) -> Iterator[tuple[int, int]]:
    """Positions of `{` and `}` of outermost functions; a heuristic that relies on clang-format's spacing."""
    code = DIRECTIVE.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), code)
    head_start = 0
    skip_until = 0
    for match in re.finditer(r"[{};]", code):
        position = match.start()
        if position < skip_until:
            continue
        if match.group(0) != "{":
            head_start = position + 1
            continue
        if position and re.match(r"[\w>)\]]", code[position - 1]) and code[position - 1] != ")":
            skip_until = closing_brace(code, position) + 1  # a{1} in a list of member initializers
            continue
        head = LABEL.sub("", code[head_start:position])
        while TEMPLATE_PREFIX.match(head):
            head = TEMPLATE_PREFIX.sub("", head, count=1)
        if SCOPE_WORDS.match(head):
            head_start = position + 1
            continue
        skip_until = closing_brace(code, position) + 1
        if "(" in head and not head.rstrip().endswith(("=", ",", "(")):
            yield position, skip_until - 1
            head_start = skip_until


def closing_brace(code: str, opening: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(code, opening):
        depth += 1 if match.group(0) == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def check_function_length(source: Source) -> Iterator[Fault]:
    lengths: list[tuple[int, int]] = []
    if source.is_cpp:
        for opening, closing in function_bodies(source.code):
            first = line_of(source.code, opening)
            lengths.append((first, line_of(source.code, closing) - first + 1))
    elif source.suffix == ".py":
        for node in ast.walk(ast.parse(source.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lengths.append((node.lineno, node.end_lineno - node.lineno + 1))
    for first, lines in lengths:
        if lines > FUNCTION_LINES_MAX:
            yield Fault(source.path, first, "long-function", f"{lines} lines, at most {FUNCTION_LINES_MAX}")


def check_dead_files(sources: list[Source]) -> Iterator[Fault]:
    included = {name for source in sources if source.is_cpp for _, _, name in source.includes()}
    for source in sources:
        if not source.path.startswith("src/") or not source.is_cpp:
            continue
        if source.suffix != ".cpp" and source.path.removeprefix("src/") not in included:
            yield Fault(source.path, 1, "dead-file", "nothing includes this header")
        if source.suffix == ".cpp" and source.folder is None:
            yield Fault(source.path, 1, "dead-file", "no target builds this file; put it into a folder of src/")


def check_cmake_edges(sources: list[Source]) -> Iterator[Fault]:
    lists = next((source for source in sources if source.path == "CMakeLists.txt"), None)
    if lists is None:
        return
    found: dict[str, tuple[int, set[str]]] = {}
    for match in re.finditer(r"^al_(folder|services)\(([^)]*)\)", lists.text, re.MULTILINE):
        words = match.group(2).split()
        name = words[0] if match.group(1) == "folder" else "services"
        uses = words[words.index("USES") + 1 :] if "USES" in words else []
        end = next((index for index, word in enumerate(uses) if word.isupper()), len(uses))
        found[name] = (line_of(lists.text, match.start()), set(uses[:end]))
    for name in sorted(LAYERS.keys() | found.keys()):
        line, uses = found.get(name, (1, None))
        if uses != LAYERS.get(name):
            yield Fault("CMakeLists.txt", line, "cmake-edges", f"USES of {name} differ from the table of layers")


def check_tree(root: pathlib.Path) -> list[Fault]:
    root = root.resolve()
    sources = read_tree(root)
    faults: list[Fault] = []
    for source in sources:
        for check in (check_layers, check_heavy_headers, check_banned, check_text, check_function_length):
            faults += check(source)
        faults += check_machine_paths(source, root)
    faults += check_dead_files(sources)
    faults += check_cmake_edges(sources)
    return faults


# --- self-test -------------------------------------------------------------------------------------------------------

HEADER = "#pragma once\n"
LONG_BODY = "  ++x;\n" * FUNCTION_LINES_MAX
WORK = "TO" + "DO"

# (rule, file, text): each must be found, alone, in the tree of FINE files.
PLANTED = [
    ("layer", "src/http/a.cpp", '#include "model/fine.hpp"\n'),
    ("layer", "src/core/a.cpp", '#include "http/fine.hpp"\n'),
    ("layer", "src/core/a_test.cpp", '#include "model/fine.hpp"\n'),
    ("layer", "src/storage/a.cpp", "#include <redis/fine.hpp>\n"),
    ("layer", "src/services/worker/a.cpp", '#include "storage/fine.hpp"\n'),
    ("layer", "src/core/a.cpp", '#include "testing/fine.hpp"\n'),
    ("layer", "src/data/a.cpp", '#include "services/worker/fine.hpp"\n'),
    ("service-to-service", "src/services/auth/a.cpp", '#include "services/worker/fine.hpp"\n'),
    ("unknown-folder", "src/utilities/a.cpp", "int x;\n"),
    ("unknown-folder", "src/services/a.cpp", "int x;\n"),
    ("include-root", "src/core/a.cpp", '#include "fine.hpp"\n'),
    ("heavy-header", "src/core/a.cpp", "#include <boost/beast/http.hpp>\n"),
    ("heavy-header", "src/http/a.hpp", HEADER + "#include <boost/beast.hpp>\n"),
    ("heavy-header", "src/data/a.cpp", "#include <libpq-fe.h>\n"),
    ("heavy-header", "src/storage/a.hpp", HEADER + "#include <sqlite3.h>\n"),
    ("heavy-header", "src/cache/a.cpp", "#include <hiredis/hiredis.h>\n"),
    ("heavy-header", "tests/conformance/a_test.cpp", "#include <sqlite3.h>\n"),
    ("banned", "src/core/a.cpp", 'int f() { return system("ls"); }\n'),
    ("banned", "src/core/a.cpp", 'int f() { return std::system("ls"); }\n'),
    ("banned", "src/core/a.cpp", 'void f() {\n  ::system("ls");\n}\n'),
    ("banned", "src/core/a.cpp", 'void f() { popen("ls", "r"); }\n'),
    ("banned", "src/core/a.cpp", "void f(char* a, char* b) { strcpy(a, b); }\n"),
    ("banned", "src/core/a.cpp", 'void f(char* a) { std::sprintf(a, "x"); }\n'),
    ("banned", "src/core/a.cpp", "int f() { return std::rand(); }\n"),
    ("banned", "src/core/a.cpp", "void f() { co_spawn(e, g(), boost::asio::detached); }\n"),
    ("banned", "src/core/a_test.cpp", "void f() { std::this_thread::sleep_for(1s); }\n"),
    ("banned", "src/core/a.cpp", "void f() { log << std::endl; }\n"),
    ("banned", "src/core/a.cpp", "using namespace std;\n"),
    ("banned", "src/http/a.cpp", 'auto f() { return std::getenv("HOME"); }\n'),
    ("banned", "src/http/a.cpp", 'void f() { std::cout << "x"; }\n'),
    ("unfinished", "src/core/a.cpp", f"// {WORK}: later\n"),
    ("unfinished", "scripts/a.py", f"# {WORK}\n"),
    ("tab", "src/core/a.cpp", "\tint x;\n"),
    ("trailing-space", "src/core/a.cpp", "int x; \n"),
    ("trailing-space", "docs/a.md", "text \n"),
    ("end-of-file", "src/core/a.cpp", "int x;"),
    ("long-line", "src/core/a.cpp", "// " + "x" * LINE_COLUMNS_MAX + "\n"),
    ("long-function", "src/core/a.cpp", f"void f(int x) {{\n{LONG_BODY}}}\n"),
    ("long-function", "src/core/a.cpp", f"A::A(int b) : a_{{b}}, c_{{1}} {{\n{LONG_BODY}}}\n"),
    ("long-function", "src/core/a.hpp", f"class A {{\n public:\n  auto f() -> int {{\n{LONG_BODY}}}\n}};\n"),
    ("long-function", "src/core/a.cpp", f"template <class T>\nrequires(sizeof(T) > 1)\nvoid f() {{\n{LONG_BODY}}}\n"),
    ("long-function", "scripts/a.py", "def f(x):\n" + "    x += 1\n" * FUNCTION_LINES_MAX),
    ("dead-file", "src/core/unused.hpp", HEADER),
    ("dead-file", "src/stray.cpp", "int x;\n"),
    ("machine-path", "docs/a.md", "see /ho" + "me/anna/project\n"),
    ("machine-path", "src/core/a.cpp", "// {root}/src\n"),
    ("machine-path", "assets/knowledge/a.json", "{root}/src\n"),
    ("cmake-edges", "CMakeLists.txt", "al_folder(core USES model)\n"),
]

# Nothing may be found here: look-alikes of every rule.
FINE = {
    **{f"src/{folder}/fine.hpp": HEADER for folder in LAYERS if folder != "services"},
    "src/services/worker/fine.hpp": HEADER,
    "src/services/worker/fine.cpp": '#include "services/worker/fine.hpp"\n#include "data/fine.hpp"\n',
    "src/app/main.cpp": "".join(f'#include "{folder}/fine.hpp"\n' for folder in LAYERS if folder not in
                                {"services", "testing"}) + 'int main() { std::cout << "x"; }\n',
    "src/core/fine_test.cpp": '#include "core/fine.hpp"\n#include "testing/fine.hpp"\n#include "embedded/x.hpp"\n',
    "src/http/fine.cpp": '#include <boost/beast/http.hpp>\n// #include "model/fine.hpp"\n',
    "src/storage/fine.cpp": "#include <libpq-fe.h>\n#include <sqlite3.h>\n",
    "src/core/config.cpp": 'auto f() { return std::getenv("HOME"); }\n',
    "src/third_party/beast.cpp": "#include <boost/beast/src.hpp>\n",
    "src/core/look_alikes.cpp": "\n".join([
        'const char* a = "system(\\"ls\\") std::endl";  // std::cout, sleep_for',
        'auto b = R"x(std::rand() " using namespace std; )x";',
        "static Scope system(Clock& clock);",
        "auto c = Scope::system(clock);",
        "auto d = Scope::system();",
        "void f() { std::snprintf(buffer, 1000'000, format); brand(1); }",
        "using namespace std::chrono_literals;",
        "const std::array table = {", *["    1," for _ in range(FUNCTION_LINES_MAX)], "};",
        "const auto rows = make(1, {", *["    1," for _ in range(FUNCTION_LINES_MAX)], "});",
        "namespace x {", *["int f(int y) {\n  return y;\n}" for _ in range(FUNCTION_LINES_MAX)], "}", "",
    ]),
    "assets/knowledge/fine.json": "RUN --mount=type=cache,target=/ro" + "ot/.cache/pip\n",
    "docs/fine.md": "Files go to /usr/share and /tmp/x; https://example.org/home/anna is a page.\n",
}  # fmt: skip


def faults_of(files: dict[str, str]) -> list[Fault]:
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(scratch).resolve() / "nest" / "tree"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{root}", str(root)), encoding="utf-8")
        return check_tree(root)


def self_test() -> int:
    wrong = [f"false alarm: {fault}" for fault in faults_of(FINE)]
    for rule, name, text in PLANTED:
        files = {**FINE, name: text}
        # A planted header needs a user, or it would be a dead file as well.
        if name.endswith(".hpp") and rule != "dead-file":
            files["src/app/user.cpp"] = f'#include "{name.removeprefix("src/")}"\n'
        found = {fault.rule for fault in faults_of(files) if fault.path == name}
        if found != ({rule} if name != "src/stray.cpp" else {"dead-file"}):
            wrong.append(f"planted {rule} in {name} ({text.strip()[:60]!r}), found {sorted(found) or 'nothing'}")
    unused = {"banned", "layer"} - {rule for rule, _, _ in PLANTED}
    wrong += [f"no planted case for {rule}" for rule in unused]
    print("\n".join(wrong) or f"tidy: {len(PLANTED)} planted faults found, {len(FINE)} fine files passed")
    return 1 if wrong else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    faults = check_tree(options.root)
    print("\n".join(map(str, faults)) or "tidy: nothing found")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
