PRAGMA journal_mode = wal;
CREATE TABLE auth_profile_store (store_key TEXT NOT NULL PRIMARY KEY, store_json TEXT NOT NULL, updated_at INTEGER NOT NULL) STRICT;
CREATE TABLE auth_profile_state (state_key TEXT NOT NULL PRIMARY KEY, state_json TEXT NOT NULL, updated_at INTEGER NOT NULL) STRICT;
INSERT INTO auth_profile_store VALUES ('primary', '{"version":1,"profiles":{"openai:coder":{"type":"api_key","provider":"openai","key":"sk-proj-6Yt1Hn8Bg3Vf5Cd9Xs2Zw7Qm4Lk"}}}', 3);
INSERT INTO auth_profile_state VALUES ('primary', '{"version":1,"order":{"openai":["openai:coder","openai:home"]}}', 4);
