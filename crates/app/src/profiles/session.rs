//! Checks whether the pages of a session are all profiles. No I/O.

use crate::ports::{NextPage, PageEnd};
use serde::{Deserialize, Serialize};

/// Why pages are not all profiles of a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagesProblem {
    /// Another page came.
    #[error("page {wanted} was requested, and page {got} came")]
    Order {
        /// The page that was requested.
        wanted: u64,
        /// The page that came.
        got: u64,
    },
    /// The page is of another session.
    #[error("page {0} is of another session")]
    OtherSession(u64),
    /// The size of a page is not what it was.
    #[error("a page has {now} profiles, by page {page}; it had {before} by the pages before")]
    PageSize {
        /// The page.
        page: u64,
        /// The size that it says.
        now: u64,
        /// The size that the first page said.
        before: u64,
    },
    /// A page has more profiles than a page can have.
    #[error("page {page} has {profiles} profiles, and its page_size is {page_size}")]
    TooMany {
        /// The page.
        page: u64,
        /// How many profiles it has.
        profiles: u64,
        /// How many it can have.
        page_size: u64,
    },
    /// Nothing says how many profiles there are.
    #[error("the first page does not say the total")]
    NoTotal,
    /// The total is not what it was.
    #[error("the total is {now} by page {page}, and was {before} by the pages before")]
    Total {
        /// The page.
        page: u64,
        /// The total that it says.
        now: u64,
        /// The total that the first page said.
        before: u64,
    },
    /// The same profiles came as two pages.
    #[error("page {page} has the same profiles as page {earlier}")]
    Repeated {
        /// The page.
        page: u64,
        /// The page that had them before.
        earlier: u64,
    },
    /// The pages have more or fewer profiles than the total.
    #[error("the total is {total}, and {pages} pages have {profiles} profiles")]
    Sum {
        /// The total.
        total: u64,
        /// How many pages came.
        pages: u64,
        /// How many profiles they have.
        profiles: u64,
    },
}

/// The pages of a session that are complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// What the source calls it.
    pub id: String,
    pub page_size: u64,
    pub total: u64,
    /// How many profiles the pages have.
    pub profiles: u64,
    /// The hash of the lines of each page, in order.
    pub pages: Vec<String>,
    /// Whether the last page came.
    pub is_complete: bool,
}

impl Session {
    /// The session that a first page begins.
    pub(super) fn begin(end: &PageEnd, hash: String) -> Result<Self, PagesProblem> {
        let session = Self {
            id: end.session.clone(),
            page_size: end.page_size,
            total: end.total.ok_or(PagesProblem::NoTotal)?,
            profiles: 0,
            pages: Vec::new(),
            is_complete: false,
        };
        session.with(end, hash)
    }

    /// The page to ask for next.
    pub(super) fn next(&self) -> NextPage {
        NextPage { session: self.id.clone(), page: self.pages.len() as u64 }
    }

    /// The session with its next page. `hash` is that of the page's lines.
    pub(super) fn with(mut self, end: &PageEnd, hash: String) -> Result<Self, PagesProblem> {
        let &PageEnd { page, page_size, profiles, .. } = end;
        let wanted = self.pages.len() as u64;
        if page != wanted {
            return Err(PagesProblem::Order { wanted, got: page });
        }
        if end.session != self.id {
            return Err(PagesProblem::OtherSession(page));
        }
        if page_size != self.page_size {
            return Err(PagesProblem::PageSize { page, now: page_size, before: self.page_size });
        }
        if profiles > page_size {
            return Err(PagesProblem::TooMany { page, profiles, page_size });
        }
        // Later pages need not say it.
        if let Some(now) = end.total.filter(|total| *total != self.total) {
            return Err(PagesProblem::Total { page, now, before: self.total });
        }
        let earlier = self.pages.iter().position(|known| *known == hash);
        if let Some(earlier) = earlier.filter(|_| profiles > 0) {
            return Err(PagesProblem::Repeated { page, earlier: earlier as u64 });
        }
        self.profiles += profiles;
        self.pages.push(hash);
        self.is_complete = profiles < page_size;
        let (pages, profiles, total) = (self.pages.len() as u64, self.profiles, self.total);
        if profiles > total || self.is_complete && profiles != total {
            return Err(PagesProblem::Sum { total, pages, profiles });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn end(page: u64, profiles: u64) -> PageEnd {
        PageEnd { page, page_size: 2, session: "s".to_owned(), total: Some(5), profiles }
    }

    fn session(ends: &[PageEnd]) -> Result<Session, PagesProblem> {
        let first = Session::begin(&ends[0], "0".to_owned())?;
        ends.iter()
            .enumerate()
            .skip(1)
            .try_fold(first, |session, (number, end)| session.with(end, number.to_string()))
    }

    #[test]
    fn the_first_page_that_is_not_full_is_the_last() {
        let part = session(&[end(0, 2), PageEnd { total: None, ..end(1, 2) }]).unwrap();
        assert_eq!((part.is_complete, part.next().page), (false, 2));
        let whole = session(&[end(0, 2), end(1, 2), end(2, 1)]).unwrap();
        assert!(whole.is_complete);
    }

    #[test]
    fn a_number_of_profiles_that_fills_its_pages_ends_with_an_empty_page() {
        let of = |page, profiles| PageEnd { total: Some(4), ..end(page, profiles) };
        assert!(!session(&[of(0, 2), of(1, 2)]).unwrap().is_complete);
        assert!(session(&[of(0, 2), of(1, 2), of(2, 0)]).unwrap().is_complete);
        let none = PageEnd { total: Some(0), ..end(0, 0) };
        assert!(session(&[none]).unwrap().is_complete);
    }

    #[rstest]
    #[case::not_the_first(&[end(1, 2)], "page 0 was requested, and page 1 came")]
    #[case::missing(&[end(0, 2), end(2, 1)], "page 1 was requested, and page 2 came")]
    #[case::again(&[end(0, 2), end(0, 2)], "page 1 was requested, and page 0 came")]
    #[case::short(&[end(0, 2), end(1, 1)], "the total is 5, and 2 pages have 3 profiles")]
    #[case::more(&[end(0, 2), end(1, 2), end(2, 2)], "the total is 5, and 3 pages have 6 profiles")]
    #[case::too_many(&[end(0, 3)], "page 0 has 3 profiles, and its page_size is 2")]
    #[case::other_session(
        &[end(0, 2), PageEnd { session: "t".to_owned(), ..end(1, 2) }],
        "page 1 is of another session"
    )]
    #[case::other_size(
        &[end(0, 2), PageEnd { page_size: 3, ..end(1, 2) }],
        "a page has 3 profiles, by page 1; it had 2 by the pages before"
    )]
    #[case::no_total(
        &[PageEnd { total: None, ..end(0, 2) }],
        "the first page does not say the total"
    )]
    #[case::other_total(
        &[end(0, 2), PageEnd { total: Some(6), ..end(1, 2) }],
        "the total is 6 by page 1, and was 5 by the pages before"
    )]
    fn pages_that_do_not_fit_together_are_refused(#[case] ends: &[PageEnd], #[case] text: &str) {
        assert_eq!(session(ends).unwrap_err().to_string(), text);
    }

    #[test]
    fn a_page_that_came_before_under_another_number_is_refused() {
        let first = Session::begin(&end(0, 2), "same".to_owned()).unwrap();
        let again = first.with(&end(1, 2), "same".to_owned()).unwrap_err();
        assert_eq!(again.to_string(), "page 1 has the same profiles as page 0");
    }
}
