"""Labelled ext4 filesystems: made on disks that are proven blank, mounted, kept as they are."""
