#![doc = include_str!("../README.md")]

pub mod aws;
mod backfill;
mod error;
#[cfg(test)]
mod fake;
mod schedules;
mod services;
mod stack;

pub use backfill::{Begun, backfill, cancel, watch};
pub use error::{CallError, StackError};
pub use schedules::{Power, Switched, switch};
pub use services::{Execution, Items, Outcome, Request, Services};
pub use stack::{ScheduleId, Stack, find};
