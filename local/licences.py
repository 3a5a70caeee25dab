"""Checks that every crate of the lock file is licensed for use in an Apache-2.0 product and comes from the registry."""

import json
import re
import subprocess
import sys

FINE = {
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
}
"""Permissive licences, and the data licence of the root certificates."""

REFUSED_CRATES = {
    "native-tls": "a second TLS stack beside rustls",
    "openssl-sys": "a second TLS stack beside rustls",
}


def is_fine(expression: str) -> bool:
    """Whether an SPDX expression lets us choose licences that are fine; the old `/` means OR."""
    words = re.split(r"(\(|\)|\bAND\b|\bOR\b)", expression.replace("/", " OR "))
    tokens = [word.strip() for word in words if word.strip()]
    python = {"AND": "and", "OR": "or", "(": "(", ")": ")"}
    # Every token becomes one of these four or True or False: nothing else can reach the evaluation.
    return bool(eval(" ".join(python.get(token, str(token in FINE)) for token in tokens)))


def problems() -> list[str]:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    found = []
    for package in packages:
        name, source = f"{package['name']} {package['version']}", package["source"]
        if source is None:
            continue
        if not source.startswith("registry+"):
            found.append(f"{name} comes from {source}, not from the registry")
        if not is_fine(package["license"] or "none"):
            found.append(f"{name} is licensed {package['license'] or 'in a file only'}")
        if package["name"] in REFUSED_CRATES:
            found.append(f"{name}: {REFUSED_CRATES[package['name']]}")
    return found


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or 0)
