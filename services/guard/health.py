"""The guard's health check: exits with 0 when Docker answers through it."""

import http.client
import sys

connection = http.client.HTTPConnection("127.0.0.1", 2375, timeout=5)
try:
    connection.request("GET", "/_ping")
    sys.exit(connection.getresponse().status != 200)
except OSError:
    sys.exit(1)
