//! Good answers: admitted, charged, built; and the faults that spoil them on the way.

use actix_http::header::HeaderMap;

use super::allowance::Meter;
use super::answer::{Answer, EVENT_STREAM, JSON};
use super::asked::{Asked, Want};
use super::body::{Body, CutBody, Ending, StreamBody};
use super::clock::wall_now;
use super::exchange::{Call, Exchange};
use super::fault::{Fault, FaultKind};
use super::profile::Dialect;
use super::rate_headers;
use super::reply::{self, Reply, Script, anthropic, catalogue, google, openai, responses};
use super::route::Endpoint;
use super::spoil;
use super::stats::Flight;
use super::text;

impl Exchange<'_> {
    /// The good answer, if the key's allowance admits the request.
    pub(super) fn serve(&self, call: &Call<'_>, fault: Option<&Fault>, mut flight: Flight) -> Answer {
        if let Some(body) = self.unmetered(call) {
            flight.finish();
            return Answer::new(200, JSON, body).identified(call.profile);
        }
        let reply_tokens = if call.makes_text() {
            Reply::size(&call.asked, &call.behaviour).0
        } else {
            0
        };
        let now = self.shared.clock.now();
        let tokens = call.asked.prompt_tokens.saturating_add(reply_tokens);
        let (admitted, meter) = call.key.allowance.admit(tokens, now);
        match admitted {
            Ok(permit) => flight.hold(permit),
            Err(refusal) => {
                flight.finish();
                let mut facts = call.facts();
                let cause = refusal.explain(&mut facts, |wait| self.shared.clock.real(wait));
                let headers = self.meter_headers(call, &meter, true);
                return self.refuse(call.profile, Some(&call.key), cause, &facts, headers);
            }
        }
        {
            let mut counters = call.key.counters.lock();
            counters.stats.prompt_tokens += call.asked.prompt_tokens;
            counters.stats.completion_tokens += reply_tokens;
        }
        let mut answer = self.build(call, fault, flight);
        let headers = self.meter_headers(call, &meter, false);
        answer.delay = call.latency();
        if let Some(fault) = fault {
            answer.fault = Some(fault.fault.as_str());
            answer.reset = fault.reset;
            answer = answer.with_headers(spoil::extra_headers(fault));
            if fault.fault == FaultKind::SlowDrip {
                answer.sabotage = spoil::drip(fault);
            }
        }
        answer.with_headers(headers).identified(call.profile)
    }

    fn meter_headers(&self, call: &Call<'_>, meter: &Meter, refused: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        rate_headers::meter(&mut headers, call.profile, meter, refused, |wait| {
            self.shared.clock.real(wait)
        });
        headers
    }

    /// Answers that cost nothing: lists and counts.
    fn unmetered(&self, call: &Call<'_>) -> Option<String> {
        match call.route.endpoint {
            Endpoint::Models => Some(catalogue::list(
                call.route.dialect,
                &self.world.models(),
                self.request.uri().query(),
            )),
            Endpoint::Model => Some(catalogue::one(call.route.dialect, &call.asked.model)),
            Endpoint::MessageTokens => Some(anthropic::token_count(call.asked.prompt_tokens)),
            Endpoint::GoogleTokens => Some(google::token_count(call.asked.prompt_tokens)),
            _ => None,
        }
    }

    fn build(&self, call: &Call<'_>, fault: Option<&Fault>, flight: Flight) -> Answer {
        let seed = self.world.config.seed;
        let embedded = match call.route.endpoint {
            Endpoint::Embeddings => Some(openai::embeddings(&call.asked, seed)),
            Endpoint::GoogleEmbed => Some(google::embeddings(&call.asked, seed, false)),
            Endpoint::GoogleEmbedBatch => Some(google::embeddings(&call.asked, seed, true)),
            _ => None,
        };
        let text = if let Some(text) = embedded {
            text
        } else {
            let echo = (call.behaviour.echo == Some(true) && call.asked.want == Want::Text)
                .then(|| Asked::last_words(self.body));
            let reply = Reply::new(&call.asked, &call.behaviour, seed, wall_now().as_secs(), echo);
            if call.asked.stream {
                return self.stream(call, &reply, fault, flight);
            }
            match call.route.endpoint {
                Endpoint::Completions => openai::completion(&reply),
                Endpoint::Responses => responses::whole(&reply),
                Endpoint::Messages => anthropic::whole(&reply),
                Endpoint::Generate => google::whole(&reply),
                _ => openai::chat(&reply),
            }
        };
        if fault.is_some_and(|fault| fault.fault == FaultKind::CutMidStream) {
            return Answer::with_body(200, JSON, Body::Cut(CutBody::half(text.into(), flight)));
        }
        Answer {
            flight: Some(flight),
            ..Answer::new(200, JSON, text)
        }
    }

    fn stream(&self, call: &Call<'_>, reply: &Reply, fault: Option<&Fault>, flight: Flight) -> Answer {
        let whole = reply.streamed();
        let google_call =
            call.route.dialect == Dialect::Google && matches!(reply.content, reply::Content::Tool { .. });
        let pieces = match call.behaviour.chunks {
            _ if google_call => Vec::new(),
            Some(count) => text::cut(whole, count),
            None => text::by_words(whole),
        };
        let mut script = script(call, reply, pieces.len());
        if let Some(comment) = comment(call.profile.id) {
            script.lead.insert(0, comment.to_owned());
        }
        let ending = fault.map_or(Ending::Good, |fault| {
            self.ending(call, reply, &script, fault, pieces.len())
        });
        let delay = call.pace(reply.completion_tokens, pieces.len());
        let content_type = if call.is_sse_array() { JSON } else { EVENT_STREAM };
        let body = StreamBody::new(script, &pieces, ending, delay, flight);
        Answer::with_body(200, content_type, Body::Stream(Box::new(body)))
    }

    fn ending(
        &self,
        call: &Call<'_>,
        reply: &Reply,
        script: &Script,
        fault: &Fault,
        pieces: usize,
    ) -> Ending {
        let after = usize::try_from(fault.after_chunks.unwrap_or(2)).unwrap_or(usize::MAX);
        match fault.fault {
            FaultKind::HangMidStream => Ending::Hang { after },
            FaultKind::CutMidStream => Ending::Cut { after },
            FaultKind::ErrorBeforeContent => Ending::Error {
                after: 0,
                frame: self.error_frame(call, reply, script, fault, 0),
            },
            FaultKind::ErrorAfterContent => {
                let after = after.max(1).min(pieces);
                Ending::Error {
                    after,
                    frame: self.error_frame(call, reply, script, fault, after),
                }
            }
            _ => Ending::Good,
        }
    }

    fn error_frame(
        &self,
        call: &Call<'_>,
        reply: &Reply,
        script: &Script,
        fault: &Fault,
        after: usize,
    ) -> String {
        let body = self.words_of(call, fault);
        match call.route.endpoint {
            Endpoint::Responses => {
                let (code, message) = spoil::code_and_message(&body);
                let number = script.form.number.unwrap_or(0) + after;
                responses::error_frame(reply, &code, &message, number, after > 0)
            }
            Endpoint::Messages => anthropic::error_frame(&body),
            Endpoint::GenerateStream { sse } => google::error_frame(&body, sse, after > 0),
            _ => openai::error_frame(&body, call.profile.id == "openrouter", &call.asked.model),
        }
    }
}

impl Call<'_> {
    const fn makes_text(&self) -> bool {
        !matches!(
            self.route.endpoint,
            Endpoint::Embeddings | Endpoint::GoogleEmbed | Endpoint::GoogleEmbedBatch
        )
    }
}

fn script(call: &Call<'_>, reply: &Reply, pieces: usize) -> Script {
    match call.route.endpoint {
        Endpoint::Completions => openai::completion_stream(reply),
        Endpoint::Responses => responses::stream(reply, pieces),
        Endpoint::Messages => anthropic::stream(reply),
        Endpoint::GenerateStream { sse } => google::stream(reply, sse),
        _ => openai::chat_stream(reply),
    }
}

/// The comment that some providers begin their streams with.
fn comment(provider: &str) -> Option<&'static str> {
    match provider {
        "openrouter" => Some(": OPENROUTER PROCESSING\n\n"),
        "deepseek" => Some(": keep-alive\n\n"),
        _ => None,
    }
}
