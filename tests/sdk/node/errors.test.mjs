// Errors arrive as the SDK's own exceptions, with the provider's words; streams that break are seen to break.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CALLERS } from "./callers.mjs";
import { build, waitFor } from "./house.mjs";

const GONE_MS_MAX = 1_000;
const TWO = ["first", "second"];

for (const Caller of CALLERS) {
  const { provider } = Caller;
  const raises = (status) => (error) => {
    assert.ok(error instanceof Caller.errors[status], `${error?.constructor?.name}: ${error}`);
    assert.equal(error.status, status);
    return true;
  };

  /** Reads to the end or the error; gives both. */
  async function read(stream) {
    const pieces = [];
    try {
      for await (const piece of stream) pieces.push(piece);
      return { pieces };
    } catch (error) {
      return { pieces, error };
    }
  }

  test(`${provider}: an error body arrives whole`, async (t) => {
    const faults = [{ fault: "status", status: 400, body: Caller.oddError }];
    const house = await build(t, provider, { faults });
    await assert.rejects(new Caller(house.gateway).ask(), (error) => {
      assert.deepEqual(Caller.told(error), Caller.oddError);
      return raises(400)(error);
    });
  });

  test(`${provider}: an unknown model is the provider's 404`, async (t) => {
    const house = await build(t, provider, { allowUnknownModels: false });
    await assert.rejects(new Caller(house.gateway).ask({ model: "no-such-model" }), (error) => {
      assert.match(error.message, /no-such-model/);
      return raises(404)(error);
    });
  });

  test(`${provider}: without keys a 401 says where they are looked for`, async (t) => {
    const other = { openai: "anthropic", anthropic: "google", google: "openai" }[provider];
    const house = await build(t, other);
    const variable = { openai: "OPENAI", anthropic: "ANTHROPIC", google: "GEMINI" }[provider];
    await assert.rejects(new Caller(house.gateway).ask(), (error) => {
      assert.ok(error.message.includes(`${variable}_API_KEY`), error.message);
      return raises(401)(error);
    });
    assert.deepEqual(await house.keysSeen(), []);
  });

  test(`${provider}: an error before the content of a stream is raised`, async (t) => {
    const faults = [{ fault: "error_before_content", error: "overloaded" }];
    const house = await build(t, provider, { keys: TWO, faults });
    const { pieces, error } = await read(new Caller(house.gateway).stream());
    assert.ok(error instanceof Caller.streamError, `${error}`);
    assert.deepEqual(pieces, []);
    assert.deepEqual(await house.keysSeen(), ["first"]);
  });

  test(`${provider}: an error after content is raised and is never replayed`, async (t) => {
    const faults = [{ fault: "error_after_content", error: "rate_limit", afterChunks: 3 }];
    const house = await build(t, provider, { keys: TWO, faults });
    const { pieces, error } = await read(new Caller(house.gateway).stream());
    assert.ok(error instanceof Caller.streamError, `${error}`);
    assert.equal(pieces.length, 3);
    assert.deepEqual(await house.keysSeen(), ["first"]);
  });

  test(`${provider}: a stream that is cut raises`, async (t) => {
    const faults = [{ fault: "cut_mid_stream", afterChunks: 3 }];
    const house = await build(t, provider, { keys: TWO, faults });
    const { pieces, error } = await read(new Caller(house.gateway).stream());
    assert.match(`${error} ${error?.cause}`, /terminated|other side closed|socket|Connection error/i);
    assert.equal(pieces.length, 3);
    assert.deepEqual(await house.keysSeen(), ["first"]);
  });

  test(`${provider}: a caller that leaves mid-stream is followed within a second`, async (t) => {
    const house = await build(t, provider, { behaviour: { chunkDelayMs: 30, replyTokens: 2_000 } });
    let pieces = 0;
    for await (const piece of new Caller(house.gateway).stream()) {
      assert.ok(piece);
      pieces += 1;
      if (pieces === 3) break;
    }
    const gone = async () => (await house.total("streamsAborted")) === 1;
    await waitFor(gone, GONE_MS_MAX, "the provider sees the caller leave");
    assert.equal(await house.total("inFlight"), 0);
  });

  test(`${provider}: a caller that leaves before the answer is followed within a second`, async (t) => {
    const house = await build(t, provider, { behaviour: { latencyMs: 20_000 } });
    const leaving = new AbortController();
    const call = assert.rejects(new Caller(house.gateway).ask({ signal: leaving.signal }));
    await waitFor(async () => (await house.total("inFlight")) === 1, 10_000, "the request is at the provider");
    leaving.abort();
    await call;
    const gone = async () => (await house.total("requestsAborted")) === 1;
    await waitFor(gone, GONE_MS_MAX, "the provider sees the caller leave");
  });
}
