"""The toolkit of clup: what is needed to converge and verify a machine, whatever its roles."""
