"""The parts of a cluster, each with the facts and operations of its own."""
