"""Each mode of an edge in headless Chromium, on a page of another host than the edge's: by its WebSocket, and by the client library.

usage: modes-browser.py ws|library MILLRACE.JS URL OTHER-URL PREFIX

The edges let pages of any host connect (`--origin '*'`).
"""

import functools
import http.server
import os
import shutil
import sys
import tempfile
import threading

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

FLAGS = """--headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking
 --disable-component-update --disable-sync --disable-default-apps --disable-extensions --disable-dev-shm-usage"""
RUN = """
const [kind, words, done] = arguments;
const lines = [];
(async () => {
  const { modes, library } = await import("/modes.js");
  const say = (line) => lines.push(line);
  if (kind === "ws") return modes(WebSocket, ...words, say);
  const { MillraceClient } = await import("/millrace.js");
  return library(MillraceClient, undefined, ...words, say);
})().then(() => done(lines), (error) => done([...lines, String(error?.stack ?? error)]));
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


kind, library, *words = sys.argv[1:]
with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    site = folder + "/site"
    os.mkdir(site)
    shutil.copy(os.path.dirname(os.path.abspath(__file__)) + "/modes.js", site)
    shutil.copy(library, site + "/millrace.js")
    with open(site + "/index.html", "w") as page:
        page.write("<!doctype html><title>modes</title>")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = Options()
    for flag in FLAGS.split() + [f"--user-data-dir={folder}/profile"]:
        options.add_argument(flag)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        driver.set_script_timeout(150)
        driver.get(f"http://127.0.0.1:{server.server_address[1]}/")
        for line in driver.execute_async_script(RUN, kind, words):
            print(line)
    finally:
        driver.quit()
        server.shutdown()
