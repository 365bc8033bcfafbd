// What a program does with the OpenAI SDK, through the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { OpenAi } from "./callers.mjs";
import { build } from "./house.mjs";
import { openai } from "./sdks.mjs";

const model = OpenAi.model;
const user = (content) => [{ role: "user", content }];
const words = (text) => text.trim().split(/\s+/).length;
const schema = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "integer" } },
  required: ["city", "days"],
  additionalProperties: false,
};
const tool = { name: "get_weather", description: "Weather of a city", parameters: schema };

function checkForecast(forecast) {
  assert.equal(typeof forecast.city, "string");
  assert.ok(Number.isInteger(forecast.days));
}

async function open(t, options) {
  const house = await build(t, "openai", options);
  return { house, client: new OpenAi(house.gateway).client };
}

test("openai: chat", async (t) => {
  const { house, client } = await open(t);
  const { data, response } = await client.chat.completions
    .create({ model: `openai/${model}`, messages: user("Say something") })
    .withResponse();
  assert.equal(words(data.choices[0].message.content), 32);
  assert.equal(data.choices[0].finish_reason, "stop");
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.ok(data._request_id);
  assert.equal(response.headers.get("x-coderclaw-provider"), "openai");
  assert.equal(response.headers.get("x-coderclaw-attempts"), "1");
  const [seen] = await house.seen();
  assert.equal(seen.path, "/v1/chat/completions");
  assert.equal(seen.model, model);
});

test("openai: chat stream with usage", async (t) => {
  const { client } = await open(t);
  const stream = await client.chat.completions.create({
    model,
    messages: user("Say something"),
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  assert.equal(words(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")), 32);
  assert.equal(chunks.at(-1).usage.completion_tokens, 32);
});

test("openai: tool call", async (t) => {
  const { client } = await open(t);
  const answer = await client.chat.completions.create({
    model,
    messages: user("Please call the tool"),
    tools: [{ type: "function", function: tool }],
  });
  assert.equal(answer.choices[0].finish_reason, "tool_calls");
  const [call] = answer.choices[0].message.tool_calls;
  assert.equal(call.function.name, "get_weather");
  checkForecast(JSON.parse(call.function.arguments));
});

test("openai: tool call in a stream", async (t) => {
  const { client } = await open(t);
  const stream = client.chat.completions.stream({
    model,
    messages: user("Please call the tool"),
    tools: [{ type: "function", function: tool }],
  });
  const answer = await stream.finalChatCompletion();
  checkForecast(JSON.parse(answer.choices[0].message.tool_calls[0].function.arguments));
});

test("openai: structured output", async (t) => {
  const { client } = await open(t);
  const answer = await client.chat.completions.create({
    model,
    messages: user("A forecast"),
    response_format: { type: "json_schema", json_schema: { name: "forecast", strict: true, schema } },
  });
  checkForecast(JSON.parse(answer.choices[0].message.content));
});

test("openai: embeddings as base64 and as floats", async (t) => {
  const { client } = await open(t);
  const request = { model: "text-embedding-3-small", input: ["one", "two"] };
  const usual = await client.embeddings.create(request);
  const floats = await client.embeddings.create({ ...request, encoding_format: "float" });
  const coded = await client.embeddings.create({ ...request, encoding_format: "base64" });
  assert.deepEqual(usual.data.map((item) => item.index), [0, 1]);
  assert.ok(usual.data[0].embedding.length > 1);
  assert.equal(usual.data[0].embedding.length, floats.data[0].embedding.length);
  usual.data[0].embedding.forEach((value, place) => {
    assert.ok(Math.abs(value - floats.data[0].embedding[place]) < 1e-6);
  });
  assert.equal(typeof coded.data[0].embedding, "string");
});

test("openai: models", async (t) => {
  const { client } = await open(t);
  const found = [];
  for await (const entry of await client.models.list()) found.push(entry.id);
  assert.ok(found.includes(model));
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("openai: responses", async (t) => {
  const { house, client } = await open(t);
  const answer = await client.responses.create({ model, input: "Say something" });
  assert.equal(answer.status, "completed");
  assert.equal(words(answer.output_text), 32);
  assert.equal((await house.seen())[0].path, "/v1/responses");
});

test("openai: responses stream", async (t) => {
  const { client } = await open(t);
  const stream = client.responses.stream({ model, input: "Say something" });
  const events = [];
  for await (const event of stream) events.push(event);
  assert.equal(events[0].type, "response.created");
  assert.equal(events.at(-1).type, "response.completed");
  const deltas = events.filter((event) => event.type === "response.output_text.delta");
  assert.equal(words(deltas.map((event) => event.delta).join("")), 32);
});

test("openai: responses tool call and structured output", async (t) => {
  const { client } = await open(t);
  const called = await client.responses.create({
    model,
    input: "Please call the tool",
    tools: [{ type: "function", strict: true, ...tool }],
  });
  checkForecast(JSON.parse(called.output.find((item) => item.type === "function_call").arguments));
  const shaped = await client.responses.create({
    model,
    input: "A forecast",
    text: { format: { type: "json_schema", name: "forecast", strict: true, schema } },
  });
  checkForecast(JSON.parse(shaped.output_text));
});

test("openai: a response stream rotates before its first word", async (t) => {
  const faults = [{ fault: "error_before_content", key: "first", error: "rate_limit" }];
  const { house, client } = await open(t, { keys: ["first", "second"], faults });
  const stream = client.responses.stream({ model, input: "Say something" });
  assert.equal(words((await stream.finalResponse()).output_text), 32);
  assert.deepEqual(await house.keysSeen(), ["first", "second"]);
});

test("openai: an unknown provider is a 404 with the nearest name", async (t) => {
  const { house, client } = await open(t);
  const call = client.chat.completions.create({ model: `opnai/${model}`, messages: user("Say something") });
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof openai.NotFoundError);
    return /openai/.test(error.message);
  });
  assert.deepEqual(await house.seen(), []);
});
