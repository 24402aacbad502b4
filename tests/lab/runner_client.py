"""Runs in the runner's container: asks it for what stdin says, as its callers do.

In: a JSON list of [caller, method, path, body]; out: a JSON list of [status, body].
"""

import http.client
import json
import sys
from pathlib import Path


def ask(caller: str, method: str, path: str, body: object) -> tuple[int, object]:
    """Ask the runner once, and return its answer."""
    token = Path(f"/runner-data/tokens/{caller}").read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=90)
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    content = answer.read()
    is_json = answer.headers.get_content_type() == "application/json"
    return answer.status, json.loads(content) if is_json else content.decode(errors="replace")


sys.stdout.write(json.dumps([ask(*each) for each in json.load(sys.stdin)]))
