"""Stores that the older tool makes with its own commands are read, listed, ordered, imported, and left as they are."""

import hashlib
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ["CODERCLAW_BINARY"]
NODE = os.environ["OLDER_TOOL_NODE"]
TOOL = os.environ["OLDER_TOOL"]
NEWEST = os.environ["OLDER_TOOL_SET"] == "newest"

TOOL_SECONDS_MAX = 90
OURS_SECONDS_MAX = 20

ANTHROPIC_KEY = "sk-ant-api03-" + "Vb7Qm2Xz9Kt4Lw8Rn3Hy6Jd1" * 3 + "AA"
ANTHROPIC_TOKEN = "sk-ant-oat01-" + "Tn4Wq8Zx2Kc6Vb1Lm9Rd3Hf7" * 4
OPENAI_KEY = "sk-proj-" + "9Zx4Cv7Bn2Mk6Lq1Ws5Ed8Rt" * 2
GROQ_KEY = "gsk_" + "hR7mQ2xVt9LwZ4bNcK8pYs3DfJ6aGe1U"
SECRETS = [ANTHROPIC_KEY, ANTHROPIC_TOKEN, OPENAI_KEY, GROQ_KEY]


def fingerprint(secret):
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


class Home:
    """A home in which nobody has been but the older tool."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.theirs = self.folder / ".openclaw"
        self.ours = self.folder / "ours"

    def tool(self, *arguments, stdin=""):
        """Runs the older tool; what it says is of no interest while it succeeds."""
        # No proxy, and nothing of this machine: it has no business elsewhere.
        environment = {
            "HOME": str(self.folder),
            "PATH": f"{Path(NODE).parent}:/usr/bin:/bin",
            "CI": "1",
            "NO_COLOR": "1",
            "TERM": "dumb",
        }
        ran = subprocess.run(
            [NODE, TOOL, *arguments],
            env=environment,
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS_MAX,
        )
        assert ran.returncode == 0, f"{arguments[:3]}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def make(self):
        """Makes credentials, orders, agents and models."""
        onboard = ["onboard", "--non-interactive", "--accept-risk", "--mode", "local", "--no-install-daemon"]
        onboard += [f"--skip-{what}" for what in ("channels", "skills", "health", "ui")]
        onboard += ["--gateway-port", "18805", "--workspace", str(self.folder / "work")]
        self.tool(*onboard, "--auth-choice", "apiKey", "--anthropic-api-key", ANTHROPIC_KEY)
        # This one becomes `anthropic:manual`.
        token = ["--auth-choice", "token", "--token-provider", "anthropic", "--token-expires-in", "365d"]
        if NEWEST:
            paste = ["models", "auth", "paste-token", "--provider", "anthropic", "--expires-in", "365d"]
            self.tool(*paste, stdin=ANTHROPIC_TOKEN + "\n")
        else:
            self.tool(*onboard, *token, "--token", ANTHROPIC_TOKEN, "--token-profile-id", "anthropic:manual")
        order = ["anthropic:manual", "anthropic:default"]
        self.tool("models", "auth", "order", "set", "--provider", "anthropic", *order)
        self.tool("models", "set", "anthropic/claude-sonnet-4-5")
        self.tool("models", "fallbacks", "add", "openai/gpt-5")
        self.tool("models", "aliases", "add", "fast", "anthropic/claude-haiku-4-5")
        work = ["--non-interactive", "--workspace", str(self.folder / "work-of-coder")]
        self.tool("agents", "add", "coder", *work, "--model", "openai/gpt-5")
        self.tool("config", "set", "env.vars.GROQ_API_KEY", GROQ_KEY)
        if NEWEST:
            paste = ["models", "auth", "--agent", "coder", "paste-api-key", "--provider", "openai"]
            self.tool(*paste, "--profile-id", "openai:coder", stdin=OPENAI_KEY + "\n")
        else:
            # The earlier version writes this one into its `.env` file.
            self.tool(*onboard, "--auth-choice", "openai-api-key", "--openai-api-key", OPENAI_KEY)
            self.tool("models", "set", "anthropic/claude-sonnet-4-5")

    def coderclaw(self, *arguments):
        environment = {"HOME": str(self.folder), "CODERCLAW_STATE_DIR": str(self.ours), "NO_COLOR": "1"}
        ran = subprocess.run(
            [BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=OURS_SECONDS_MAX
        )
        for secret in SECRETS:
            assert secret not in ran.stdout + ran.stderr, f"{arguments}: a secret is printed"
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def report(self, *arguments):
        return json.loads(self.coderclaw("import", "--json", *arguments))

    def digest(self):
        """Everything of the older tool's in which a change would show."""
        found = {}
        for path in sorted(self.theirs.rglob("*")):
            stat = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = (stat.st_mode, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, content)
        return found


class Import(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="older-tool-")
        cls.addClassCleanup(folder.cleanup)
        cls.home = Home(folder.name)
        cls.home.make()
        cls.before = cls.home.digest()
        assert len(cls.before) > 5

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="coderclaw-")
        self.addCleanup(folder.cleanup)
        self.home.ours = Path(folder.name) / "state"

    def tearDown(self):
        self.assertEqual(self.home.digest(), self.before)

    def verdict(self, report, what, name, agent=None):
        found = [
            entry
            for entry in report["entries"]
            if (entry["what"], entry["name"], entry.get("agent")) == (what, name, agent)
        ]
        self.assertEqual(len(found), 1, f"{what} {name} {agent}: {report}")
        return found[0]["verdict"]

    def store(self, agent):
        return json.loads((self.home.ours / f"agents/{agent}/agent/auth-profiles.json").read_text())

    def status(self):
        """The credentials that coderclaw uses, by fingerprint."""
        report = json.loads(self.home.coderclaw("models", "status", "--json"))
        return json.dumps(report)

    def test_a_dry_run_reads_everything_and_writes_nothing(self):
        report = self.home.report()
        self.assertEqual(report["source"]["tool"], "openclaw")
        self.assertFalse(report["applied"])
        shown = {entry.get("fingerprint") for entry in report["entries"]}
        self.assertLessEqual({fingerprint(ANTHROPIC_KEY), fingerprint(ANTHROPIC_TOKEN)}, shown)
        self.assertFalse(self.home.ours.exists())

    def test_models_agents_and_orders_are_taken(self):
        report = self.home.report("--apply", "--copy-secrets")
        self.assertEqual(self.verdict(report, "default model", "anthropic/claude-sonnet-4-5"), "taken")
        self.assertEqual(self.verdict(report, "fallbacks", "openai/gpt-5"), "taken")
        self.assertEqual(self.verdict(report, "alias", "fast"), "taken")
        self.assertEqual(self.verdict(report, "agent", "coder"), "taken")
        self.assertEqual(self.verdict(report, "order", "anthropic", "main"), "taken")
        self.assertEqual(self.verdict(report, "gateway", "port"), "taken")
        order = self.store("main")["order"]["anthropic"]
        self.assertEqual(order, ["anthropic:manual", "anthropic:default"])
        status = self.status()
        for secret in (ANTHROPIC_KEY, ANTHROPIC_TOKEN, GROQ_KEY):
            self.assertIn(fingerprint(secret), status)
        self.assertLess(status.index("anthropic:manual"), status.index("anthropic:default"))

    def test_secrets_stay_where_they_are(self):
        report = self.home.report("--apply")
        expected = "left" if NEWEST else "taken"
        self.assertEqual(self.verdict(report, "auth profile", "anthropic:default", "main"), expected)
        ours = "".join(path.read_text() for path in self.home.ours.rglob("*") if path.is_file())
        for secret in SECRETS:
            self.assertNotIn(secret, ours)
        status = self.status()
        referred = [GROQ_KEY] if NEWEST else [GROQ_KEY, ANTHROPIC_KEY, ANTHROPIC_TOKEN]
        for secret in referred:
            self.assertIn(fingerprint(secret), status)

    def test_what_only_a_copy_reaches(self):
        if NEWEST:
            report = self.home.report("--apply", "--copy-secrets")
            self.assertEqual(self.verdict(report, "auth profile", "openai:coder", "coder"), "taken")
            self.assertEqual(self.store("coder")["profiles"]["openai:coder"]["key"], OPENAI_KEY)
        else:
            dotenv = str(self.home.theirs / ".env")
            self.assertEqual(self.verdict(self.home.report(), "file", dotenv), "left")
            report = self.home.report("--apply", "--copy-secrets", "--from", dotenv)
            self.assertEqual(self.verdict(report, "variable", "OPENAI_API_KEY"), "taken")
            self.assertIn(fingerprint(OPENAI_KEY), self.status())

    def test_importing_again_does_nothing(self):
        for arguments in (["--apply"], ["--apply", "--copy-secrets"]):
            self.home.report(*arguments)
            again = self.home.report(*arguments)
            self.assertEqual((again["counts"]["taken"], again["counts"]["changed"]), (0, 0), again)


if __name__ == "__main__":
    unittest.main()
