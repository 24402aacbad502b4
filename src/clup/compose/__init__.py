"""The way from a template to a compose file that is judged, and back from a running container.

render -> parse -> schema -> invariants. Nothing here contacts a machine: `stack` is the whole way,
`container` reads what runs, and the same catalogue of rules judges both.
"""
