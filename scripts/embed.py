#!/usr/bin/env python3
"""Writes files as C++ data: al::embedded::<symbol>() returns them, sorted by name.

With --list the files are named by what they are called, and hold what they hold. With --folder they are all files below
a folder, named by their paths in it and packed with gzip: the same bytes from the same files, whenever that is done.

Plain string literals, because they compile in a tenth of the time of a list of numbers, and because ccache 4.7
does not see the files behind an #embed directive and would serve a stale object.
"""

import argparse
import gzip
import pathlib
import sys

CHUNK_BYTES = 96
PLAIN = {byte: chr(byte) for byte in range(0x20, 0x7F) if chr(byte) not in '"\\?'}


def literal(data: bytes) -> str:
    """The bytes as adjacent string literals; octal escapes end by themselves after three digits."""
    chunks = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)] or [b""]
    lines = ("".join(PLAIN.get(byte) or f"\\{byte:03o}" for byte in chunk) for chunk in chunks)
    return "\n".join(f'    "{line}"' for line in lines)


def header_text(symbol: str) -> str:
    return f"""#pragma once

#include <span>

#include "core/embedded.hpp"

namespace al::embedded {{

/// The embedded files, sorted by name. Any thread.
std::span<const EmbeddedFile> {symbol}() noexcept;

}}  // namespace al::embedded
"""


def source_text(symbol: str, files: list[tuple[str, bytes]]) -> str:
    parts = [f'#include "embedded/{symbol}.hpp"\n\n#include <array>\n']
    # ISO C++ promises 64 KiB for a literal; clang has no such limit.
    parts.append('#pragma clang diagnostic ignored "-Woverlength-strings"\n\nnamespace al::embedded {\nnamespace {\n')
    rows = []
    for index, (file_name, data) in enumerate(files):
        parts.append(f"constexpr char text_{index}[] =\n{literal(data)};\n")
        name = literal(file_name.encode()).strip()
        rows.append(f"    EmbeddedFile{{.name = {name}, .text = {{text_{index}, {len(data)}}}}},\n")
    parts.append(f"constexpr std::array<EmbeddedFile, {len(files)}> files{{{{\n{''.join(rows)}}}}};\n")
    parts.append(f"}}  // namespace\n\nstd::span<const EmbeddedFile> {symbol}() noexcept {{ return files; }}\n\n")
    parts.append("}  // namespace al::embedded\n")
    return "\n".join(parts)


def listed(names: list[str]) -> list[tuple[str, bytes]]:
    files = sorted((pathlib.Path(name) for name in names if name), key=lambda path: path.name)
    return [(path.name, path.read_bytes()) for path in files]


def packed(folder: pathlib.Path) -> list[tuple[str, bytes]]:
    files = sorted((path.relative_to(folder).as_posix(), path) for path in folder.rglob("*") if path.is_file())
    return [(name, gzip.compress(path.read_bytes(), compresslevel=9, mtime=0)) for name, path in files]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbol", required=True)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--list", type=pathlib.Path, help="a file that names one file a line")
    where.add_argument("--folder", type=pathlib.Path, help="a folder whose files are packed")
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--header", required=True, type=pathlib.Path)
    options = parser.parse_args()

    if options.folder:
        files = packed(options.folder)
    else:
        files = listed(options.list.read_text(encoding="utf-8").splitlines())
    names = [name for name, _ in files]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        print(f"embed: two files share a name: {', '.join(sorted(doubled))}", file=sys.stderr)
        return 1
    options.source.parent.mkdir(parents=True, exist_ok=True)
    # The header stays the same when only bytes change, and then what includes it need not compile again.
    header = header_text(options.symbol)
    if not options.header.exists() or options.header.read_text(encoding="utf-8") != header:
        options.header.write_text(header, encoding="utf-8")
    options.source.write_text(source_text(options.symbol, files), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
