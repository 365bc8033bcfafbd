// The real binary under test: an emulator as the provider, a gateway in front of it.
//
// Every test builds a house of its own, so that no cooldown of one test reaches another. What a test knows about
// rotation it knows from the emulator, never from the gateway alone.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash, randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 15_000;
const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const PREFIXES = { openai: "sk-proj-", anthropic: "sk-ant-api03-", google: "AIzaSy" };
const VARIABLES = { openai: "OPENAI_API_KEYS", anthropic: "ANTHROPIC_API_KEYS", google: "GEMINI_API_KEYS" };

/** What callers send as their own key. It must never reach a provider. */
export const CALLER_KEY = "caller-own-key-5f3c9a7e1b2d4860";

const madeUpKey = (provider) =>
  PREFIXES[provider] + Array.from({ length: 48 }, () => LETTERS[randomInt(LETTERS.length)]).join("");

const fingerprint = (secret) => createHash("sha256").update(secret).digest("hex").slice(0, 8);

/** Waits until `state()` is true. */
export async function waitFor(state, ms, what) {
  const deadline = performance.now() + ms;
  while (!(await state())) {
    assert.ok(performance.now() < deadline, `not within ${ms} ms: ${what}`);
    await pause(10);
  }
}

/** One run of the binary, from its address to its end. */
class Program {
  constructor(name, folder, args, environment) {
    this.name = name;
    this.output = join(folder, `${name}.out`);
    this.errors = join(folder, `${name}.err`);
    const files = [openSync(this.output, "w"), openSync(this.errors, "w")];
    this.process = spawn(process.env.CODERCLAW_BINARY, args, {
      stdio: ["ignore", ...files],
      env: environment,
      cwd: folder,
    });
    files.forEach(closeSync);
    this.ended = new Promise((resolve) => {
      this.process.on("exit", (code, signal) => resolve(code ?? signal));
      this.process.on("error", resolve);
    });
  }

  text() {
    return readFileSync(this.output, "utf8") + readFileSync(this.errors, "utf8");
  }

  async address() {
    let found;
    let over = false;
    this.ended.then(() => (over = true));
    const seen = () => over || (found = ADDRESS.exec(readFileSync(this.output, "utf8")));
    await waitFor(seen, START_MS_MAX, `${this.name} prints its address:\n${this.text()}`);
    assert.ok(found, `${this.name} ended before it printed an address:\n${this.text()}`);
    return found[0];
  }

  /** Asks it to end; says how it ended. */
  async stop() {
    this.process.kill("SIGTERM");
    const timer = setTimeout(() => this.process.kill("SIGKILL"), STOP_MS_MAX);
    const code = await this.ended;
    clearTimeout(timer);
    return code;
  }
}

/** An emulator with named keys of one provider, and a gateway that holds the same keys. */
class House {
  constructor(provider, { keys = ["only"] } = {}) {
    this.provider = provider;
    this.secrets = Object.fromEntries(keys.map((name) => [name, madeUpKey(provider)]));
    this.folder = mkdtempSync(join(tmpdir(), "coderclaw-sdk-"));
    this.programs = [];
  }

  async start({ faults = [], behaviour = {}, dead = [], allowUnknownModels = true }) {
    const models = { "gpt-5-mini": {}, "claude-sonnet-4-5": {}, "gemini-2.5-flash": {} };
    const config = {
      keys: Object.entries(this.secrets).map(([name, key]) => ({ name, key, dead: dead.includes(name) })),
      allowUnknownKeys: false,
      allowUnknownModels,
      faults,
      behaviour,
      ...(allowUnknownModels ? {} : { models }),
    };
    const path = join(this.folder, "emulator.json");
    writeFileSync(path, JSON.stringify(config));
    const bare = { HOME: this.folder, PATH: process.env.PATH };
    this.emulator = await this.run("emulator", ["emulator", "--port", "0", "--config", path], bare);

    const state = join(this.folder, "state");
    mkdirSync(state, { mode: 0o700 });
    const roots = { openai: `${this.emulator}/v1`, anthropic: this.emulator, google: this.emulator };
    const providers = Object.fromEntries(Object.entries(roots).map(([name, baseUrl]) => [name, { baseUrl }]));
    writeFileSync(join(state, "coderclaw.json"), JSON.stringify({ models: { providers } }));
    this.gateway = await this.run("gateway", ["gateway", "--port", "0"], {
      ...bare,
      CODERCLAW_STATE_DIR: state,
      [VARIABLES[this.provider]]: Object.values(this.secrets).join(","),
    });
    return this;
  }

  async run(name, args, environment) {
    const program = new Program(name, this.folder, args, environment);
    this.programs.push(program);
    return program.address();
  }

  async control(path) {
    const answer = await fetch(`${this.emulator}/__emulator/${path}`);
    assert.equal(answer.status, 200);
    return answer.json();
  }

  /** The requests that came to the provider, oldest first. */
  seen() {
    return this.control("log?limit=2000");
  }

  /** Which key each request came with, oldest first. */
  async keysSeen() {
    return (await this.seen()).map((entry) => entry.key);
  }

  /** What each key did, by its name. */
  async stats() {
    const { keys } = await this.control("stats");
    return Object.fromEntries(keys.map((key) => [key.name, key]));
  }

  /** One count over all keys. */
  async total(field) {
    return Object.values(await this.stats()).reduce((sum, key) => sum + key[field], 0);
  }

  /** Every credential that reached the provider is the pool's; the caller's own never is. */
  async checkCredentials() {
    const pool = new Set(Object.values(this.secrets).map(fingerprint));
    for (const entry of await this.seen()) {
      assert.equal(entry.credentials.length, 1, `not exactly one credential: ${JSON.stringify(entry)}`);
      assert.ok(pool.has(entry.credentials[0].fingerprint), `not the pool's: ${JSON.stringify(entry)}`);
    }
  }

  /** Nothing that was printed holds a secret, or a part of one. */
  checkOutput() {
    for (const program of this.programs) {
      for (const [name, secret] of Object.entries(this.secrets)) {
        assert.ok(!program.text().includes(secret.slice(-16)), `${program.name} printed a part of key ${name}`);
      }
    }
  }

  /** Stops both, the gateway first. */
  async stop() {
    try {
      for (const program of this.programs.toReversed()) {
        assert.equal(await program.stop(), 0, `${program.name} did not end well:\n${program.text()}`);
      }
    } finally {
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

/** Builds a house for a test; when the test is over, checks what every house must keep, and stops it. */
export async function build(test, provider, options = {}) {
  const house = new House(provider, options);
  let started = false;
  test.after(async () => {
    try {
      if (started) {
        await house.checkCredentials();
        house.checkOutput();
      }
    } finally {
      await house.stop();
    }
  });
  await house.start(options);
  started = true;
  return house;
}
