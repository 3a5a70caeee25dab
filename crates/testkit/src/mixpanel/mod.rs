//! A stand-in of Mixpanel's Raw Event Export API, strict where the real one is, in the process
//! ([`StandIn`]) or as the binary `mixpanel-standin`.
//!
//! It owns: what a client can see of the API (status, framing, encoding, filters, budget) over
//! lines that are given once. Lines leave it byte for byte as they came in, except for the digits
//! of `time`, whose unit the client chooses.
//!
//! It refuses: anything that the API would refuse, with a plain-text message; and any `where`
//! expression that it does not evaluate, so that a test never passes because a filter was ignored.
//!
//! Beside it stands [`FaultProxy`], between a client and a stand-in: what happens to an answer on its
//! way, byte for byte.
//!
//! Lines that are no event (cut, without time, not even JSON) travel with the nearest line before
//! them that has a time: slices that partition time then see each broken line exactly once.

mod auth;
mod body;
mod budget;
mod config;
mod data;
mod expression;
mod fault;
mod line;
mod params;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a parser refuses all tokens but the one it needs"
)]
mod parse;
mod proxy;
mod server;

pub use budget::Limits;
pub use config::{Framing, StandInConfig};
pub use data::Data;
pub use fault::Fault;
pub use proxy::{FaultProxy, Mishap};
pub use server::StandIn;
