"""Makes `.local/peers` with the pinned packages. Runs on the bare Python of the machine.

    python3 -m local.peers.environment

An environment of its own: the peers' packages are large and want other versions than the demo's.
"""

import sys

from local import setup_venv

REQUIREMENTS = "requirements-peers.txt"


def main() -> int:
    setup_venv.VENV = setup_venv.HERE.parent / ".local" / "peers"
    if setup_venv.is_installed(REQUIREMENTS):
        return 0
    print(f"Installing the peers of local/{REQUIREMENTS} into {setup_venv.VENV} (once, some minutes) ...", flush=True)
    problem = setup_venv.make_environment() or setup_venv.install(REQUIREMENTS)
    return setup_venv.complain(problem) if problem else 0


if __name__ == "__main__":
    sys.exit(main())
