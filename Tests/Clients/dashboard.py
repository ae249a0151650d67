"""Looks at an edge's dashboard in headless Chromium, for tests and for pictures of it.

usage: dashboard.py URL [--size WIDTHxHEIGHT] [--scheme light|dark]

Each line on standard input is a command, each is answered with a line of JSON: {"ok": true, …facts}, or {"ok": false,
"message": …}. It ends, with all that it started, after `quit` or at the end of its input.

    facts                       what the page says of itself, and what Chromium says against it
    wait-state STATE            live, reconnecting, refused
    wait-rows N                 at least N rows have come over the connection
    wait-cameras N              at least N cameras are known
    wait-resumed N              the subscription has been resumed N times
    sign-in USER PASSWORD       by the form, once the page shows it
    wait-dialog, wait-refusal   the page asks who one is; it says why not
    wait-user                   somebody has signed in
    kept                        what the page keeps: in storages, and in cookies
    moved                       a marker is elsewhere than at an earlier time: which, from where, where to
    marker ID                   where a camera's marker is
    source PATH                 the page opens an EventSource
    heard                       what that was told: subscriptions, and each row's n
    size WIDTHxHEIGHT, scheme light|dark, press KEYS…
    screenshot FILE

Facts: state, rows, cameras, resumed, gaps, repeats, reconnects; `errors` are what the page did wrong (exceptions, what
the content security policy forbids, files that are missing), `losses` counts what Chromium writes of connections that
could not be made.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

WAIT_SECONDS = 90
FLAGS = """--headless=new --disable-gpu --disable-quic --no-first-run --disable-background-networking
 --disable-component-update --disable-sync --disable-default-apps --disable-extensions --disable-dev-shm-usage
 --hide-scrollbars --force-color-profile=srgb --lang=en-GB"""
FACTS = """
const { state, rows, cameras, resumed, gaps, repeats, reconnects } = window.millraceDashboard ?? {};
return { state, rows, cameras, resumed, gaps, repeats, reconnects };
"""


class Page:
    """One page in a Chromium of its own."""

    def __init__(self, url, profile, size, scheme):
        options = Options()
        for flag in FLAGS.split() + [f"--user-data-dir={profile}"]:
            options.add_argument(flag)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.binary_location = "/usr/bin/chromium"
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.errors = []
        self.losses = 0
        self.places = {}
        try:
            self.size(size)
            self.scheme(scheme)
            self.driver.get(url)
        except BaseException:
            self.quit()
            raise

    def facts(self):
        for entry in self.driver.get_log("browser"):
            if entry["level"] != "SEVERE":
                continue
            message = entry["message"]
            if entry["source"] == "network" and "net::ERR_" in message or "WebSocket connection to" in message:
                self.losses += 1
            else:
                self.errors.append(message)
        return {**self.driver.execute_script(FACTS), "errors": self.errors, "losses": self.losses}

    def wait(self, what, is_so):
        """Until the facts are as wanted."""
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            facts = self.facts()
            if is_so(facts):
                return facts
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {WAIT_SECONDS} s: {what}; the page says {json.dumps(facts)}")
            time.sleep(0.05)

    def markers(self):
        return self.driver.execute_script("return window.millraceDashboard.markers")

    def moved(self):
        found = {}

        def look(_):
            for stream_id, place in self.markers().items():
                earlier = self.places.setdefault(stream_id, place)
                if earlier != place:
                    found.update(stream_id=stream_id, **{"from": earlier, "to": place})
                    return True
            return False

        return {**self.wait("a marker that moved", look), **found}

    def wait_dialog(self):
        script = "return document.getElementById('sign-in').open"
        self.wait("a form to sign in", lambda _: self.driver.execute_script(script))
        return {}

    def sign_in(self, user, password):
        self.wait_dialog()
        for name, value in (("username", user), ("password", password)):
            field = self.driver.find_element("css selector", f"#sign-in-form [name={name}]")
            field.clear()
            field.send_keys(value)
        self.driver.find_element("css selector", "#sign-in-form [name=submit]").click()
        return {}

    def kept(self):
        script = "return [localStorage.length, sessionStorage.length, document.cookie.length]"
        button = "return document.getElementById('sign-in-open')?.textContent ?? ''"
        error = "return document.getElementById('sign-in-error')?.textContent ?? ''"
        run = self.driver.execute_script
        return {"kept": run(script), "button": run(button), "refusal": run(error)}

    def wait_refusal(self):
        self.wait("a refusal", lambda _: self.kept()["refusal"])
        return self.kept()

    def wait_user(self):
        self.wait("somebody who has signed in", lambda _: self.kept()["button"].startswith("Sign out"))
        return {}

    def size(self, text):
        width, height = map(int, text.split("x"))
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 640}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return {}

    def source(self, path):
        self.driver.execute_script(
            """
            window.heard = { subscriptions: 0, numbers: [] };
            window.source = new EventSource(arguments[0]);
            window.source.onmessage = ({ data }) => {
                const message = JSON.parse(data);
                if (message.type === "subscribed") window.heard.subscriptions += 1;
                for (const row of message.rows ?? []) window.heard.numbers.push(row.n);
            };
            """,
            path,
        )
        return {}

    def heard(self):
        return self.driver.execute_script("return window.heard")

    def scheme(self, name):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        return {}

    def screenshot(self, file):
        if not self.driver.save_screenshot(file):
            raise OSError(f"{file} could not be written")
        return {"bytes": os.path.getsize(file)}

    def press(self, *keys):
        """To the element that has the focus."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(getattr(webdriver.Keys, key.upper(), key))
        script = "const e = document.activeElement; return e.outerHTML.slice(0, 120)"
        return {"focus": self.driver.execute_script(script)}

    def quit(self):
        service = self.driver.service.process
        try:
            self.driver.quit()
        except WebDriverException:
            # Its driver is gone or hangs: nothing of them stays.
            for pid in (self.driver.capabilities.get("goog:processID"), service and service.pid):
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(pid, signal.SIGKILL)

    def perform(self, words):
        name, *rest = words
        if name == "facts":
            return self.facts()
        if name == "wait-state":
            return self.wait(f"state {rest[0]}", lambda facts: facts["state"] == rest[0])
        if name in ("wait-rows", "wait-cameras", "wait-resumed"):
            fact, least = name.removeprefix("wait-"), int(rest[0])
            return self.wait(f"{least} {fact}", lambda facts: (facts[fact] or 0) >= least)
        if name == "marker":
            return {"place": self.markers().get(rest[0])}
        if name in ("sign-in", "wait-dialog", "wait-refusal", "wait-user"):
            return getattr(self, name.replace("-", "_"))(*rest)
        if name in ("kept", "moved", "source", "heard", "size", "scheme", "screenshot", "press"):
            return getattr(self, name)(*rest)
        raise ValueError(f"there is no command '{name}'")


def serve(page):
    for line in sys.stdin:
        if line.strip() == "quit":
            return
        if not line.strip():
            continue
        try:
            answer = {"ok": True, **page.perform(line.split())}
        except (WebDriverException, TimeoutError, OSError, ValueError, TypeError, IndexError) as error:
            answer = {"ok": False, "message": f"{line.strip()}: {error}"}
        print(json.dumps(answer), flush=True)


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n")[0])
    parser.add_argument("url")
    parser.add_argument("--size", default="1440x900")
    parser.add_argument("--scheme", default="light")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        page = Page(arguments.url, profile, arguments.size, arguments.scheme)
        try:
            serve(page)
        finally:
            page.quit()


main()
