"""The guard: the one container that holds Docker's socket, and what it does with it.

    request -> door (connections) -> route (which operation) -> key -> containers -> Docker

It forwards nothing that a client wrote. Of a request to create a container it reads four labels,
and makes the container itself from the job's file (`body.py`). See services/README.md.
"""
