PRAGMA journal_mode = wal;
CREATE TABLE config_machine_state (state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL, updated_at_ms INTEGER NOT NULL) STRICT;
INSERT INTO config_machine_state VALUES ('auth.sharedStore', '{"location":"state-db"}', 1);
INSERT INTO config_machine_state VALUES ('authProfiles.store', '{"version":1,"profiles":{"anthropic:default":{"type":"api_key","provider":"anthropic","key":"sk-ant-api03-Nw5Rq1Zt9Kx3Lv7Bm2Hd6Jf8Gs4Yc0PaAA"},"openai:home":{"type":"api_key","provider":"openai","key":"sk-proj-2Kw9Xs4Zq7Vd1Nb6Mt3Lr8Hf5Jg"}}}', 2);
