//! The fields of a page, beside its profiles.

use super::page::PageFlaw;
use mixlake_app::ports::PageEnd;
use serde_json::Value;
use std::collections::BTreeMap;

/// A field of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Known(Known),
    /// The profiles.
    Results,
    /// A field that this version does not know.
    Other,
}

/// A field that says something about the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    Page,
    PageSize,
    Session,
    Status,
    Total,
    Error,
}

const RESULTS: &str = "results";

pub(super) const RESULTS_MISTYPED: PageFlaw =
    PageFlaw::Mistyped { name: RESULTS, accepted: "a list" };

impl Field {
    pub(super) fn named(name: &str) -> Self {
        let known = [
            Known::Page,
            Known::PageSize,
            Known::Session,
            Known::Status,
            Known::Total,
            Known::Error,
        ];
        match known.into_iter().find(|known| known.name() == name) {
            Some(known) => Self::Known(known),
            None if name == RESULTS => Self::Results,
            None => Self::Other,
        }
    }
}

impl Known {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::PageSize => "page_size",
            Self::Session => "session_id",
            Self::Status => "status",
            Self::Total => "total",
            Self::Error => "error",
        }
    }
}

/// The fields that have been read.
#[derive(Debug, Default)]
pub(super) struct Fields {
    known: BTreeMap<Known, Value>,
    has_results: bool,
}

impl Fields {
    /// Notes that a field begins. Each may be there once.
    pub(super) fn begin(&mut self, field: Field) -> Result<(), PageFlaw> {
        match field {
            Field::Known(known) if self.known.contains_key(&known) => {
                Err(PageFlaw::Repeated(known.name()))
            }
            Field::Results if std::mem::replace(&mut self.has_results, true) => {
                Err(PageFlaw::Repeated(RESULTS))
            }
            Field::Known(_) | Field::Results | Field::Other => Ok(()),
        }
    }

    pub(super) fn set(&mut self, known: Known, value: Value) {
        self.known.insert(known, value);
    }

    /// What a complete page with this many profiles says about itself.
    pub(super) fn end(self, profiles: u64) -> Result<PageEnd, PageFlaw> {
        if let Some(error) = self.get(Known::Error) {
            return Err(PageFlaw::Error(text(error)));
        }
        let status = self.required(Known::Status)?;
        if status != "ok" {
            return Err(PageFlaw::Status(status.to_string()));
        }
        if !self.has_results {
            return Err(PageFlaw::Missing(RESULTS));
        }
        let page = number(Known::Page, self.required(Known::Page)?)?;
        let total = match self.get(Known::Total) {
            // Mixpanel may give it on the first page only.
            None if page > 0 => None,
            None => return Err(PageFlaw::Missing(Known::Total.name())),
            Some(total) => Some(number(Known::Total, total)?),
        };
        let page_size = number(Known::PageSize, self.required(Known::PageSize)?)?;
        if page_size == 0 {
            return Err(mistyped(Known::PageSize, "a whole number above 0"));
        }
        let session = self.required(Known::Session)?.as_str().filter(|text| !text.is_empty());
        let session = session.ok_or(mistyped(Known::Session, "a text"))?.to_owned();
        Ok(PageEnd { page, page_size, session, total, profiles })
    }

    /// A field; null says nothing.
    fn get(&self, known: Known) -> Option<&Value> {
        self.known.get(&known).filter(|value| !value.is_null())
    }

    fn required(&self, known: Known) -> Result<&Value, PageFlaw> {
        self.get(known).ok_or(PageFlaw::Missing(known.name()))
    }
}

fn number(known: Known, value: &Value) -> Result<u64, PageFlaw> {
    value.as_u64().ok_or(mistyped(known, "a whole number"))
}

fn mistyped(known: Known, accepted: &'static str) -> PageFlaw {
    PageFlaw::Mistyped { name: known.name(), accepted }
}

/// A text without its quotation marks.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
