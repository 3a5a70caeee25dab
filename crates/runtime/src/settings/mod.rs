//! Settings: which there are, which were given, and what is wrong with them.
//!
//! Names are those of Mixpanel's create-pipeline call, and ours beside them in the same form. In
//! the functions they are environment variables of the same names in capitals, on the command line
//! `--set name=value`. Everything is checked before any work, and all problems are told at once.
//!
//! Each setting is one row of `table`. The row says what is accepted and what the default is, and
//! everything else reads it: the check of given values, the reference page, and its JSON form.

mod arn;
mod given;
mod problems;
mod reader;
mod reference;
mod row;
mod setting;
pub mod table;
mod values;

pub use arn::{KeyArn, RoleArn};
pub use given::Settings;
pub use problems::Problems;
pub(crate) use reader::Reader;
pub use reference::{document, names, page};
pub use row::{Kind, Row};
pub use setting::{Accepts, Preset, Scope, Setting};
pub use values::{
    CatalogBy, DataSource, DateZone, EventOrigin, Frequency, Group, LateData, PeopleFrequency,
    Place,
};
