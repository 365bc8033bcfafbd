// What a program does with the Anthropic SDK, through the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Anthropic } from "./callers.mjs";
import { build } from "./house.mjs";

const model = Anthropic.model;
const words = (text) => text.trim().split(/\s+/).length;
const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const tool = { name: "get_weather", description: "Weather of a city", input_schema: schema };
const asked = (content, more) => ({ model, max_tokens: 1024, messages: [{ role: "user", content }], ...more });
const calls = (message) => message.content.filter((block) => block.type === "tool_use");

function checkForecast(forecast) {
  assert.equal(typeof forecast.city, "string");
  assert.ok(Number.isInteger(forecast.days));
}

async function open(t, options) {
  const house = await build(t, "anthropic", options);
  return { house, client: new Anthropic(house.gateway).client };
}

test("anthropic: message", async (t) => {
  const { house, client } = await open(t);
  const answer = await client.messages.create(asked("Say something"));
  assert.equal(words(answer.content[0].text), 32);
  assert.equal(answer.stop_reason, "end_turn");
  assert.equal(answer.usage.output_tokens, 32);
  assert.ok(answer._request_id);
  const [seen] = await house.seen();
  assert.equal(seen.path, "/v1/messages");
  assert.equal(seen.model, model);
});

test("anthropic: versions and betas pass through", async (t) => {
  const { house, client } = await open(t);
  await client.beta.messages.create(asked("Say something", { betas: ["a-beta-nobody-knows-2026-11-01"] }));
  const headers = Object.fromEntries((await house.seen())[0].headers);
  assert.match(headers["anthropic-beta"], /a-beta-nobody-knows-2026-11-01/);
  assert.ok(headers["anthropic-version"]);
});

test("anthropic: stream", async (t) => {
  const { client } = await open(t);
  const stream = client.messages.stream(asked("Say something"));
  const kinds = [];
  for await (const event of stream) kinds.push(event.type);
  const answer = await stream.finalMessage();
  assert.equal(kinds[0], "message_start");
  assert.deepEqual(kinds.slice(-3), ["content_block_stop", "message_delta", "message_stop"]);
  assert.equal(words(answer.content[0].text), 32);
  assert.equal(answer.usage.output_tokens, 32);
});

test("anthropic: tool call", async (t) => {
  const { client } = await open(t);
  const answer = await client.messages.create(asked("Please call the tool", { tools: [tool] }));
  assert.equal(answer.stop_reason, "tool_use");
  const [call] = calls(answer);
  assert.equal(call.name, "get_weather");
  checkForecast(call.input);
});

test("anthropic: tool call in a stream", async (t) => {
  const { client } = await open(t);
  const answer = await client.messages.stream(asked("Please call the tool", { tools: [tool] })).finalMessage();
  checkForecast(calls(answer)[0].input);
});

test("anthropic: structured output by a forced tool", async (t) => {
  const { client } = await open(t);
  const choice = { type: "tool", name: "get_weather" };
  const answer = await client.messages.create(asked("A forecast", { tools: [tool], tool_choice: choice }));
  checkForecast(calls(answer)[0].input);
});

test("anthropic: structured output", async (t) => {
  const { client } = await open(t);
  const format = { type: "json_schema", schema };
  const answer = await client.messages.create(asked("A forecast", { output_config: { format } }));
  checkForecast(JSON.parse(answer.content[0].text));
});

test("anthropic: count tokens", async (t) => {
  const { house, client } = await open(t);
  const messages = [{ role: "user", content: "How many are these?" }];
  assert.ok((await client.messages.countTokens({ model, messages })).input_tokens > 0);
  assert.equal((await house.seen())[0].path, "/v1/messages/count_tokens");
});

test("anthropic: models", async (t) => {
  const { client } = await open(t);
  const found = [];
  for await (const entry of client.models.list()) found.push(entry.id);
  assert.ok(found.includes(model));
  assert.equal((await client.models.retrieve(model)).id, model);
});
