"""NCIP (ANSI/NISO Z39.83) as a library: messages, their wire form, and what is wrong with a message.

Nothing here does I/O, reads a clock or knows what a library does with a message.
"""
