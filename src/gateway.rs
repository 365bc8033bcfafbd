//! The callers' side: routes, admission, the HTTP half of a dispatch, streams, drain.
