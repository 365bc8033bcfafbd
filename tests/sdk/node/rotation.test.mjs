// A rate limit never reaches a caller while another key could serve; what the emulator saw is the proof.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CALLERS } from "./callers.mjs";
import { build } from "./house.mjs";

const THREE = ["first", "second", "third"];
const AT_ONCE = 50;

const throttled = (key, retryAfterMs = 30_000, more = {}) => ({ fault: "rate_limit", key, retryAfterMs, ...more });

async function collect(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return pieces.join("");
}

for (const Caller of CALLERS) {
  const { provider } = Caller;
  const raises = (status) => (error) => {
    assert.ok(error instanceof Caller.errors[status], `${error?.constructor?.name}: ${error}`);
    assert.equal(error.status, status);
    return true;
  };

  test(`${provider}: the first call finds the healthy key and the next starts there`, async (t) => {
    const faults = [throttled("first"), { fault: "quota", key: "second" }];
    const house = await build(t, provider, { keys: THREE, faults });
    const sdk = new Caller(house.gateway);
    assert.ok(await sdk.ask());
    assert.deepEqual(await house.keysSeen(), THREE);
    assert.ok(await sdk.ask());
    assert.deepEqual(await house.keysSeen(), [...THREE, "third"]);
    assert.equal(await house.total("early"), 0);
  });

  test(`${provider}: a stream rotates before its first word`, async (t) => {
    const early = { fault: "error_before_content", key: "second", error: "rate_limit" };
    const house = await build(t, provider, { keys: THREE, faults: [throttled("first"), early] });
    const text = await collect(new Caller(house.gateway).stream());
    assert.equal(text.trim().split(/\s+/).length, 32);
    assert.deepEqual(await house.keysSeen(), THREE);
  });

  for (const status of [400, 404, 500]) {
    test(`${provider}: a ${status} is not rotated`, async (t) => {
      const house = await build(t, provider, { keys: THREE, faults: [{ fault: "status", status }] });
      await assert.rejects(new Caller(house.gateway).ask(), raises(status));
      assert.deepEqual(await house.keysSeen(), ["first"]);
    });
  }

  test(`${provider}: an overloaded provider is not rotated`, async (t) => {
    const house = await build(t, provider, { keys: THREE, faults: [{ fault: "overloaded" }] });
    await assert.rejects(new Caller(house.gateway).ask(), raises(Caller.overloadedStatus));
    assert.deepEqual(await house.keysSeen(), ["first"]);
  });

  test(`${provider}: dead keys are told as the provider tells it and are not asked again`, async (t) => {
    const keys = ["first", "second"];
    const house = await build(t, provider, { keys, dead: keys });
    const sdk = new Caller(house.gateway);
    for (const key of keys) {
      await assert.rejects(sdk.ask(), (error) => {
        assert.ok(!error.message.includes(house.secrets[key].slice(0, 16)));
        return raises(Caller.deadStatus)(error);
      });
    }
    assert.deepEqual(await house.keysSeen(), keys);
    await assert.rejects(sdk.ask());
    assert.deepEqual(await house.keysSeen(), keys);
  });

  test(`${provider}: when every key is throttled the caller learns when to come back`, async (t) => {
    const faults = [throttled("first"), throttled("second", 9_000), throttled("third")];
    const house = await build(t, provider, { keys: THREE, faults });
    const sdk = new Caller(house.gateway);
    for (let call = 0; call < 2; call += 1) {
      await assert.rejects(sdk.ask(), (error) => {
        // The Google SDK keeps no headers.
        if (error.headers) {
          const seconds = Number(error.headers.get("retry-after"));
          assert.ok(seconds >= 1 && seconds <= 9, `retry-after: ${seconds}`);
        }
        return raises(429)(error);
      });
    }
    assert.deepEqual(await house.keysSeen(), THREE);
  });

  test(`${provider}: when every key is out of money the provider says so and is left alone`, async (t) => {
    const keys = ["first", "second"];
    const house = await build(t, provider, { keys, faults: [{ fault: "quota" }] });
    const sdk = new Caller(house.gateway);
    for (let call = 0; call < 2; call += 1) {
      await assert.rejects(sdk.ask(), (error) => {
        assert.ok(error instanceof Caller.streamError, `${error}`);
        if (error.headers) assert.equal(error.headers.get("x-should-retry"), "false");
        return true;
      });
    }
    assert.deepEqual(await house.keysSeen(), keys);
  });

  test(`${provider}: a long wait is told as one that is not worth a retry`, async (t) => {
    const keys = ["first", "second"];
    const faults = keys.map((key) => throttled(key, 300_000));
    const house = await build(t, provider, { keys, faults });
    const began = performance.now();
    const sdk = new Caller(house.gateway, { retries: Caller.obeysRetryAfter ? 2 : 0 });
    await assert.rejects(sdk.ask(), (error) => {
      if (error.headers) {
        assert.equal(error.headers.get("retry-after"), "60");
        assert.equal(error.headers.get("x-should-retry"), "false");
        assert.ok(error.headers.get("x-coderclaw-retry-at"));
      }
      return raises(429)(error);
    });
    assert.ok(performance.now() - began < 10_000);
    assert.deepEqual(await house.keysSeen(), keys);
  });

  test(`${provider}: the retry of the SDK comes when a key is free again`, async (t) => {
    const faults = THREE.map((key) => throttled(key, 2_000, { first: 1 }));
    const house = await build(t, provider, { keys: THREE, faults });
    const began = performance.now();
    assert.ok(await new Caller(house.gateway, { retries: 4 }).ask());
    if (Caller.obeysRetryAfter) assert.ok(performance.now() - began >= 1_500);
    const seen = await house.keysSeen();
    assert.deepEqual(seen.slice(0, 3), THREE);
    assert.equal(seen.length, 4);
    assert.equal(await house.total("early"), 0);
  });

  test(`${provider}: fifty at once all succeed while a key is throttled`, async (t) => {
    const faults = [throttled("first", 30_000, { skip: 10 })];
    const house = await build(t, provider, { keys: THREE, faults, behaviour: { latencyMs: 20 } });
    const sdk = new Caller(house.gateway);
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => sdk.ask()));
    assert.ok(answers.every(Boolean));
    const stats = await house.stats();
    assert.equal(await house.total("succeeded"), AT_ONCE);
    assert.equal(stats.first.succeeded, 10);
    assert.equal(stats.third.requests, 0);
  });

  test(`${provider}: a proxied call uses the pool too`, async (t) => {
    const keys = ["first", "second"];
    const house = await build(t, provider, { keys, faults: [throttled("first")] });
    assert.ok(await new Caller(house.gateway, { path: Caller.proxyPath }).ask());
    assert.deepEqual(await house.keysSeen(), keys);
  });
}
