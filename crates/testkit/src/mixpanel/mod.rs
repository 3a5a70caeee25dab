//! A stand-in for Mixpanel's Raw Event Export API and engage API, as strict as the real ones, in the
//! process ([`StandIn`]) or as the binary `mixpanel-standin`.
//!
//! It owns what a client can see of the API (status, framing, encoding, filters, budget) for lines that
//! are given once. It sends lines byte for byte as it got them, except for the digits of `time`, whose
//! unit the client chooses.
//!
//! It refuses what the API would refuse, with a plain-text message. It also refuses any `where`
//! expression that it does not evaluate, so that no test passes because a filter was ignored.
//!
//! A session of the engage API has the profiles of the moment in which it began. Only its first page
//! counts as a query.
//!
//! [`FaultProxy`] stands between a client and a stand-in, and injects faults into the bytes of a
//! response.
//!
//! Lines that are not events (cut, without a time, or not JSON) are sent with the nearest line before
//! them that has a time. So slices that partition time contain each broken line exactly once.

mod auth;
mod body;
mod budget;
mod config;
mod data;
mod engage;
mod expression;
mod fault;
mod line;
mod params;
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a parser refuses all tokens but the one it needs"
)]
mod parse;
mod profiles;
mod proxy;
mod server;

pub use budget::Limits;
pub use config::{Framing, StandInConfig, Totals};
pub use data::Data;
pub use fault::{Fault, PageFault};
pub use profiles::Profiles;
pub use proxy::{FaultProxy, Mishap};
pub use server::StandIn;
