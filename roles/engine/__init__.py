"""Docker Engine and Compose, with everything they store on the cache filesystem."""
