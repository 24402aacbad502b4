"""What is on a machine's disks, and whether one of them may become a filesystem of ours.

`machine` holds what was read, `findings` puts it in words, `verdict` decides. Nothing here acts.
"""
