"""The real binary under test: an emulator as the provider, a gateway in front of it.

Every test builds a house of its own, so that no cooldown of one test reaches another. What a test knows about rotation
it knows from the emulator, never from the gateway alone.
"""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import string
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
# What callers send as their own key. It must never reach a provider.
CALLER_KEY = "caller-own-key-5f3c9a7e1b2d4860"
PREFIXES = {"openai": "sk-proj-", "anthropic": "sk-ant-api03-", "google": "AIzaSy"}
# The model that each caller asks for, and what a provider of the same format is called in the config.
MODELS = {"openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-flash"}
FORMATS = {"openai": "openai-completions", "anthropic": "anthropic-messages", "google": "google-generative-ai"}
SPARE_MODEL = "spare-model"
VARIABLES = {"openai": "OPENAI_API_KEYS", "anthropic": "ANTHROPIC_API_KEYS", "google": "GEMINI_API_KEYS"}


def made_up_key(provider):
    """A key that looks like the provider's."""
    letters = string.ascii_letters + string.digits
    return PREFIXES[provider] + "".join(random.choices(letters, k=48))


def fingerprint(secret):
    """What the emulator shows of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def wait_for(state, seconds, what):
    """Waits until `state()` is true."""
    deadline = time.monotonic() + seconds
    while not state():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def closed_port():
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Program:
    """One run of the binary, from its address to its end."""

    def __init__(self, name, folder, arguments, environment):
        self.name = name
        self.output = folder / f"{name}.out"
        self.errors = folder / f"{name}.err"
        with self.output.open("wb") as output, self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [os.environ["CODERCLAW_BINARY"], *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=environment,
                cwd=folder,
            )
        self.base = self.wait_for_address()

    def wait_for_address(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            found = ADDRESS.search(self.output.read_text())
            if found:
                return found.group()
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        self.process.kill()
        self.process.wait()
        raise AssertionError(
            f"{self.name} printed no address (exit {self.process.returncode}):\n"
            f"{self.output.read_text()}\n{self.errors.read_text()}"
        )

    def stop(self):
        """Asks it to end; says how it ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end within {STOP_SECONDS_MAX} s of SIGTERM") from None


class House:
    """An emulator with named keys of one provider, and a gateway that holds the same keys."""

    def __init__(
        self,
        provider,
        keys=("only",),
        faults=(),
        behaviour=None,
        dead=(),
        allow_unknown_models=True,
        stored=False,
        spare=False,
        is_there=True,
        timeouts=None,
        agents=None,
    ):
        """With `spare`, another model stands in for the one that callers ask for, with a key `spare` of its own; where
        not `is_there`, nobody listens at the address of the first one's provider."""
        self.provider = provider
        self.stored = stored
        self.spare = spare
        self.is_there = is_there
        self.timeouts = timeouts or {}
        self.agents = agents
        self.secrets = {name: made_up_key(provider) for name in (*keys, *(["spare"] if spare else []))}
        self.folder = Path(tempfile.mkdtemp(prefix="coderclaw-sdk-"))
        self.programs = []
        try:
            self.start(faults, behaviour, dead, allow_unknown_models)
        except BaseException:
            self.close()
            raise

    def start(self, faults, behaviour, dead, allow_unknown_models):
        config = {
            "keys": [
                {"name": name, "key": secret, "dead": name in dead} for name, secret in self.secrets.items()
            ],
            "allowUnknownKeys": False,
            "allowUnknownModels": allow_unknown_models,
            "faults": list(faults),
            "behaviour": behaviour or {},
        }
        if not allow_unknown_models:
            config["models"] = {model: {} for model in ("gpt-5-mini", "claude-sonnet-4-5", "gemini-2.5-flash")}
        path = self.folder / "emulator.json"
        path.write_text(json.dumps(config))
        bare = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        emulator = Program("emulator", self.folder, ["emulator", "--port", "0", "--config", str(path)], bare)
        self.programs.append(emulator)
        self.emulator = emulator.base

        state = self.state = self.folder / "state"
        state.mkdir(mode=0o700)
        roots = {"openai": f"{self.emulator}/v1", "anthropic": self.emulator, "google": self.emulator}
        gateway_config = {
            "models": {"providers": {name: {"baseUrl": root} for name, root in roots.items()}},
            "gateway": {"timeouts": self.timeouts},
        }
        if self.agents:
            gateway_config["agents"] = self.agents
        if self.spare:
            self.add_spare(gateway_config)
        (state / "coderclaw.json").write_text(json.dumps(gateway_config))
        self.environment = {**bare, "CODERCLAW_STATE_DIR": str(state)}
        of_pool = [secret for name, secret in self.secrets.items() if not (self.spare and name == "spare")]
        in_environment = {} if self.stored else {VARIABLES[self.provider]: ",".join(of_pool)}
        if self.stored:
            for name in self.secrets:
                self.paste(name)
        self.gateway_environment = {**self.environment, **in_environment}
        self.start_gateway("gateway")

    def start_gateway(self, name):
        """Starts a gateway over the house's state folder."""
        gateway = Program(name, self.folder, ["gateway", "--port", "0"], self.gateway_environment)
        self.programs.append(gateway)
        self.gateway = gateway.base

    def add_spare(self, config):
        """Has a provider `spare` of the same format stand in for the model that callers ask for."""
        providers = config["models"]["providers"]
        providers["spare"] = {
            "baseUrl": providers[self.provider]["baseUrl"],
            "api": FORMATS[self.provider],
            "apiKey": self.secrets["spare"],
        }
        if not self.is_there:
            providers[self.provider]["baseUrl"] = f"http://127.0.0.1:{closed_port()}/v1"
        primary = f"{self.provider}/{MODELS[self.provider]}"
        model = {"primary": primary, "fallbacks": [f"spare/{SPARE_MODEL}"]}
        config["agents"] = {"defaults": {"model": model}}

    def restart_gateway(self):
        """Ends the gateway and starts another one; clients must be made anew, for its new address."""
        assert self.programs[-1].stop() == 0
        self.start_gateway(f"gateway-{len(self.programs)}")

    def paste(self, name):
        """Stores a key by the command, as `provider:name`."""
        profile = f"{self.provider}:{name}"
        arguments = ["paste-api-key", "--provider", self.provider, "--profile-id", profile]
        self.auth(*arguments, secret=self.secrets[name])

    def auth(self, *arguments, secret=None):
        """Runs `coderclaw models auth` to its end."""
        run = subprocess.run(
            [os.environ["CODERCLAW_BINARY"], "models", "auth", *arguments],
            input=secret,
            stdin=subprocess.DEVNULL if secret is None else None,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder,
            timeout=START_SECONDS_MAX,
            check=False,
        )
        assert run.returncode == 0, f"{arguments}: exit {run.returncode}\n{run.stdout}\n{run.stderr}"
        for name, secret in self.secrets.items():
            assert secret[-16:] not in run.stdout + run.stderr, f"{arguments} printed a part of the key `{name}`"
        return run.stdout

    def control(self, path):
        """Asks the emulator what it saw."""
        with urllib.request.urlopen(f"{self.emulator}/__emulator/{path}", timeout=10) as answer:
            return json.load(answer)

    def add_fault(self, fault):
        """Has the provider do so from now on."""
        request = urllib.request.Request(f"{self.emulator}/__emulator/faults", data=json.dumps(fault).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()

    def seen(self):
        """The requests that came to the provider, oldest first."""
        return self.control("log?limit=2000")

    def keys_seen(self):
        """Which key each request came with, oldest first."""
        return [entry["key"] for entry in self.seen()]

    def stats(self):
        """What each key did, by its name."""
        return {key["name"]: key for key in self.control("stats")["keys"]}

    def total(self, field):
        """One count over all keys."""
        return sum(key[field] for key in self.stats().values())

    def check_credentials(self):
        """Every credential that reached the provider is the pool's; the caller's own never is."""
        pool = {fingerprint(secret) for secret in self.secrets.values()}
        for entry in self.seen():
            found = {credential["fingerprint"] for credential in entry["credentials"]}
            assert found <= pool, f"a credential that is not the pool's reached the provider: {entry}"
            assert len(entry["credentials"]) == 1, f"not exactly one credential: {entry}"

    def check_output(self):
        """Nothing that was printed holds a secret, or a part of one."""
        for program in self.programs:
            text = program.output.read_text() + program.errors.read_text()
            for name, secret in self.secrets.items():
                assert secret[-16:] not in text, f"{program.name} printed a part of the key `{name}`"

    def close(self):
        """Stops both, the gateway first."""
        try:
            codes = {program.name: program.stop() for program in reversed(self.programs)}
            assert all(code == 0 for code in codes.values()), f"a program did not end well: {codes}"
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def report(self):
        """What the programs said, for a failed test."""
        return "\n".join(
            f"--- {program.name}\n{program.output.read_text()}{program.errors.read_text()}" for program in self.programs
        )
