"""`python -m clup.machine.images`: loads images into Docker on this machine, from its input alone.

The first line of the input is the order, as JSON; then come the blobs that it names, one after the
other. They go to Docker as they come, and each is judged by its hash on the way. What Docker would
go by, the manifest, is sent last: without it Docker loads nothing of what it was given before.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import os
import sys
import tarfile
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

from clup.machine.process import FailedError, RefusedError, explained, say
from clup.machine.stack_reading import Docker, ask, is_active

CHUNK = 1 << 18
DOCKER_SECONDS = 300
"""How long Docker may be silent: a layer is on the disk only when that has written it."""

SPARE = 200_000_000
"""Bytes that stay free: Docker does not work on a disk that is full."""

SAY_SECONDS = 5

Order = Mapping[str, Any]


def load(order: Order, source: IO[bytes]) -> None:
    """Load the images of an order. Raise RefusedError before, FailedError at the first that is
    not loaded; those before it stay."""
    _judge(order)
    for image in order["images"]:
        _load(image, source)
        if ask(f"/images/{image['id']}/json") is None:
            raise FailedError(
                f"image {image['name']}: Docker gave it another id than {image['id']}"
            )
        say(f"image {image['name']} is loaded")


def _judge(order: Order) -> None:
    if not is_active():
        raise RefusedError("Docker does not run here; see `clup verify`, then try again")
    # Docker unpacks what it gets beside its images before it takes it.
    folder = ask("/info")["DockerRootDir"]
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    needed = order["needed"] + SPARE
    if free < needed:
        raise RefusedError(
            f"{folder} has {free // 1_000_000} MB free, and {needed // 1_000_000} MB are needed; "
            "make room (`docker system df` tells what takes it), then try again"
        )


def _load(image: Order, source: IO[bytes]) -> None:
    """Have Docker load one image, of which it is sent what it lacks."""
    connection = Docker(DOCKER_SECONDS)
    headers = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
    try:
        try:
            path = "/images/load?quiet=0"
            body = _told(image, archive(image, source))
            connection.request("POST", path, body, headers, encode_chunked=True)
        except (BrokenPipeError, ConnectionResetError):
            pass  # Docker wants no more of it, and its answer says why
        answer = connection.getresponse()
        if answer.status != 200:
            raise FailedError(f"image {image['name']}: Docker answered {answer.read(500)!r}")
        _follow(image["name"], answer)
    except (http.client.HTTPException, OSError) as error:
        raise FailedError(f"image {image['name']}: Docker broke off: {error!r}") from error
    finally:
        connection.close()


def archive(image: Order, source: IO[bytes]) -> Iterator[bytes]:
    """Yield the tar archive that Docker loads an image from. Raise FailedError when a blob is cut
    off or has another hash: then the archive has no end, and no manifest."""
    for blob, size in image["blobs"]:
        yield _header(f"blobs/sha256/{blob}", size)
        yield from _blob(image["name"], blob, size, source)
        yield bytes(-size % tarfile.BLOCKSIZE)
    # Docker finds the layers that are not in the archive by the ids in the configuration.
    manifest = json.dumps([image["manifest"]]).encode()
    yield _header("manifest.json", len(manifest))
    yield manifest + bytes(-len(manifest) % tarfile.BLOCKSIZE) + bytes(2 * tarfile.BLOCKSIZE)


def _told(image: Order, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass an image's archive on, and say now and then how much of it has come."""
    size = sum(size for _, size in image["blobs"])
    come, told = 0, time.monotonic()
    for chunk in chunks:
        yield chunk
        come += len(chunk)
        if time.monotonic() - told > SAY_SECONDS:
            told = time.monotonic()
            say(f"image {image['name']}: {come // 1_000_000} of {size // 1_000_000} MB have come")


def _blob(name: str, blob: str, size: int, source: IO[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    left = size
    while left:
        chunk = source.read(min(CHUNK, left))
        if not chunk:
            raise FailedError(f"image {name}: cut off, {left} of {size} bytes did not come")
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    if digest.hexdigest() != blob:
        raise FailedError(f"image {name}: damaged on its way, {blob} has another hash")


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry.tobuf(tarfile.USTAR_FORMAT)


def _follow(name: str, answer: io.BufferedIOBase) -> None:
    """Read Docker's answer to the end, and tell how far it is. Raise FailedError for an error."""
    told = time.monotonic()
    for line in answer:
        said = json.loads(line) if line.strip() else {}
        if "error" in said:
            raise FailedError(f"image {name}: Docker refuses it: {said['error']}")
        part = said.get("progressDetail") or {}
        if part.get("total") and time.monotonic() - told > SAY_SECONDS:
            told = time.monotonic()
            say(f"image {name}: unpacking, {100 * part['current'] // part['total']} % of a layer")


def main() -> None:
    """Carry out the order, or end with one line that says why not."""
    source = sys.stdin.buffer
    with explained():
        load(json.loads(source.readline()), source)


if __name__ == "__main__":
    main()
