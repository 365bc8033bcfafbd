//! `coderclaw.json`: what was written, checked, and built into what runs.
