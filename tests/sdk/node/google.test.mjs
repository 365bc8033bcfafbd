// What a program does with the Google GenAI SDK, through the gateway.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Google } from "./callers.mjs";
import { build } from "./house.mjs";
import { google } from "./sdks.mjs";

const model = Google.model;
const { Type } = google;
const words = (text) => text.trim().split(/\s+/).length;
const schema = {
  type: Type.OBJECT,
  properties: { city: { type: Type.STRING }, days: { type: Type.INTEGER } },
  required: ["city", "days"],
};
const tools = [
  { functionDeclarations: [{ name: "get_weather", description: "Weather of a city", parameters: schema }] },
];

function checkForecast(forecast) {
  assert.equal(typeof forecast.city, "string");
  assert.ok(Number.isInteger(forecast.days));
}

async function open(t, options) {
  const house = await build(t, "google", options);
  return { house, models: new Google(house.gateway).client.models };
}

test("google: generate", async (t) => {
  const { house, models } = await open(t);
  const answer = await models.generateContent({ model, contents: "Say something" });
  assert.equal(words(answer.text), 32);
  assert.equal(answer.candidates[0].finishReason, "STOP");
  assert.equal(answer.usageMetadata.candidatesTokenCount, 32);
  const [seen] = await house.seen();
  assert.ok(seen.path.endsWith(`/models/${model}:generateContent`));
});

test("google: stream", async (t) => {
  const { house, models } = await open(t);
  const chunks = [];
  for await (const chunk of await models.generateContentStream({ model, contents: "Say something" })) {
    chunks.push(chunk);
  }
  assert.ok(chunks.length > 1);
  assert.equal(words(chunks.map((chunk) => chunk.text ?? "").join("")), 32);
  assert.equal(chunks.at(-1).candidates[0].finishReason, "STOP");
  assert.match((await house.seen())[0].query, /alt=sse/);
});

test("google: tool call", async (t) => {
  const { models } = await open(t);
  const answer = await models.generateContent({ model, contents: "Please call the tool", config: { tools } });
  const [call] = answer.functionCalls;
  assert.equal(call.name, "get_weather");
  checkForecast(call.args);
});

test("google: structured output", async (t) => {
  const { models } = await open(t);
  const config = { responseMimeType: "application/json", responseSchema: schema };
  const answer = await models.generateContent({ model, contents: "A forecast", config });
  checkForecast(JSON.parse(answer.text));
});

test("google: embeddings", async (t) => {
  const { models } = await open(t);
  const answer = await models.embedContent({ model: "gemini-embedding-001", contents: ["one", "two"] });
  assert.equal(answer.embeddings.length, 2);
  assert.ok(answer.embeddings.every((embedding) => embedding.values.length > 1));
});

test("google: count tokens", async (t) => {
  const { models } = await open(t);
  assert.ok((await models.countTokens({ model, contents: "How many are these?" })).totalTokens > 0);
});

test("google: models", async (t) => {
  const { models } = await open(t);
  const found = [];
  for await (const entry of await models.list()) found.push(entry.name);
  assert.ok(found.includes(`models/${model}`));
  assert.equal((await models.get({ model })).name, `models/${model}`);
});
