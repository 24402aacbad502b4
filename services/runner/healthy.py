"""The runner's health check: exits with 0 when the runner says that it is well."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
try:
    connection.request("GET", "/healthz")
    sys.exit(connection.getresponse().status != 200)
except OSError:
    sys.exit(1)
