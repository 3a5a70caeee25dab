"""python -m local.engines.fetch ARTIFACT FILE: fetches an artifact of Maven, and checks it by the digest beside it."""

import sys

from maven_artifact.artifact import Artifact
from maven_artifact.downloader import Downloader


def main() -> int:
    name, file = sys.argv[1:]
    artifact, downloader = Artifact.parse(name), Downloader()
    downloader.download(artifact, file)
    if downloader.verify_file(file, downloader.resolver.uri_for_artifact(artifact), "sha1"):
        return 0
    print(f"what was fetched of {name} is damaged", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
