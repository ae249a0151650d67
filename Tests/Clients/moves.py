"""Files by which a test steers clients that move from edge to edge."""

import json
import os
import random


def urls(path):
    """Of the edges, a line each, in any order."""
    with open(path) as file:
        found = file.read().split()
    random.shuffle(found)
    return found


def ends(path):
    """Positions at which clients end, once the file is there."""
    if os.path.exists(path):
        with open(path) as file:
            return json.load(file)
