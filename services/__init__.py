"""The programs that roles deploy as containers. They import nothing of the rest of clup."""
