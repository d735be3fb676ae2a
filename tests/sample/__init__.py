"""Sample mail, written for popvault, and a server that serves it: `python -m tests.sample`.

A bicycle workshop (Ann), a maker of frames (Bob) and the treasurer of a riders' club (Carla) prepare a
spring ride. None of them exists; neither does anybody who writes to them. What the three write and get is the house;
a dealer, a printer and a swindler are outside.

writing     how a letter becomes bytes, the same bytes on every machine
post        the three, and how their mail reaches them
letters     what they write to each other, and what else lands in their mailboxes
outside     what others write to them, and they to others
__main__    the server, with a mailboxes file beside it
"""
