"""NCIP version 1: a second wire form of the messages of version 2.

There are no classes for it. A document of version 1 is rewritten, in its tree, into the version 2 that says the same
(``reading``), and an answer is rewritten the other way (``writing``, ``wire``). Both go by one table of what differs
(``table``), and both ends are checked against the grammar of version 1 (``grammar``).
"""
