"""Real POP3 servers on loopback, each started by the tests on ports and in a folder of its own."""
