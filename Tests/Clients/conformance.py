"""Drives Autobahn's cases for WebSocket servers against one that echoes, by the package kosoku (scripts/kosoku fetches it).

usage: conformance.py FOLDER URL

FOLDER has the package. Compression (12, 13) is not among them: the server offers none. It prints a line a case that does not
pass, and at the end how many there were of each outcome, as `OUTCOME OUTCOME-OF-CLOSE COUNT`.
"""

import asyncio
import os
import sys
from collections import Counter

folder, url = sys.argv[1:]
sys.path.insert(0, folder)
import kosoku  # noqa: E402


async def main():
    try:
        results = await kosoku.run_fuzzingclient(url, None, ["12.*", "13.*"], concurrency=2)
    except kosoku.FailureError as failure:
        results = failure.results
    for result in results:
        if not result.passed:
            print(result.case_id, result.behavior.value, result.behavior_close.value, result.result, result.result_close)
    outcomes = Counter((result.behavior.value, result.behavior_close.value) for result in results)
    for (behavior, close), count in sorted(outcomes.items()):
        print(behavior, close, count)


asyncio.run(main())
sys.stdout.flush()
# Its threads abort the process where Python takes itself down.
os._exit(0)
