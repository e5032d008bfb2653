#!/usr/bin/env python3
"""Writes files as C++ data: al::embedded::<symbol>() returns them, sorted by name.

Plain string literals, because they compile in a tenth of the time of a list of numbers, and because ccache 4.7
does not see the files behind an #embed directive and would serve a stale object.
"""

import argparse
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


def source_text(symbol: str, files: list[pathlib.Path]) -> str:
    parts = [f'#include "embedded/{symbol}.hpp"\n\n#include <array>\n']
    # ISO C++ promises 64 KiB for a literal; clang has no such limit.
    parts.append('#pragma clang diagnostic ignored "-Woverlength-strings"\n\nnamespace al::embedded {\nnamespace {\n')
    rows = []
    for index, path in enumerate(files):
        data = path.read_bytes()
        parts.append(f"constexpr char text_{index}[] =\n{literal(data)};\n")
        name = literal(path.name.encode()).strip()
        rows.append(f"    EmbeddedFile{{.name = {name}, .text = {{text_{index}, {len(data)}}}}},\n")
    parts.append(f"constexpr std::array<EmbeddedFile, {len(files)}> files{{{{\n{''.join(rows)}}}}};\n")
    parts.append(f"}}  // namespace\n\nstd::span<const EmbeddedFile> {symbol}() noexcept {{ return files; }}\n\n")
    parts.append("}  // namespace al::embedded\n")
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbol", required=True)
    parser.add_argument("--list", required=True, type=pathlib.Path, help="a file that names one file a line")
    parser.add_argument("--source", required=True, type=pathlib.Path)
    parser.add_argument("--header", required=True, type=pathlib.Path)
    options = parser.parse_args()

    names = options.list.read_text(encoding="utf-8").splitlines()
    files = sorted((pathlib.Path(name) for name in names if name), key=lambda path: path.name)
    doubled = {path.name for path in files if [other.name for other in files].count(path.name) > 1}
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
