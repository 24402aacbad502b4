"""The tree of folders on the mounted filesystems."""
