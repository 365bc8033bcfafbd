// The SDKs of the set under test (`CODERCLAW_SDK_SET` is the folder that they are installed in).

import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.CODERCLAW_SDK_SET, "package.json"));

export const openai = require("openai");
export const anthropic = require("@anthropic-ai/sdk");
export const google = require("@google/genai");
