//! A source of profiles in memory, with faults for its answers.

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use mixlake_app::ports::{
    NextPage, PageEnd, PageError, PagePiece, PagePieces, ProfileSource, SourceError,
};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What happens to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageFault {
    /// Nothing.
    None,
    /// The stream breaks off after some lines.
    Breaks,
    /// The stream ends after some lines, without an error and without the end of the page.
    NoEnd,
    /// The source is down.
    Down,
    /// The source accepts no more queries for now.
    Limited,
    /// The source refuses the query.
    Refused,
    /// The source has forgotten the session.
    Forgotten,
    /// The page says that it is the one after it.
    OtherNumber,
    /// The profiles of the page before come again, as the page that was requested.
    Repeated,
    /// The page says another total than the others.
    OtherTotal,
    /// The page says that it belongs to another session.
    OtherSession,
    /// The page lacks its last profile.
    Short,
    /// The page has a profile more than a page can have.
    Long,
}

impl PageFault {
    /// Faults of pages that are complete, but do not fit the others.
    pub const MISFITS: [Self; 6] = [
        Self::OtherNumber,
        Self::Repeated,
        Self::OtherTotal,
        Self::OtherSession,
        Self::Short,
        Self::Long,
    ];
}

/// Profiles in memory. A clone is the same source.
#[derive(Debug, Clone)]
pub struct MemoryProfiles(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    lines: Vec<String>,
    page_size: usize,
    /// The lines of the sessions: a session does not change.
    snapshots: Vec<Vec<String>>,
    faults: VecDeque<PageFault>,
    requests: Vec<Option<NextPage>>,
}

impl MemoryProfiles {
    /// A source without profiles.
    #[must_use]
    pub fn new(page_size: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            lines: Vec::new(),
            page_size,
            snapshots: Vec::new(),
            faults: VecDeque::new(),
            requests: Vec::new(),
        })))
    }

    /// Makes the source hold exactly these lines.
    pub fn hold(&self, lines: impl IntoIterator<Item = String>) {
        self.with(|state| state.lines = lines.into_iter().collect());
    }

    /// The faults of the next answers, in their order.
    pub fn script(&self, faults: impl IntoIterator<Item = PageFault>) {
        self.with(|state| state.faults = faults.into_iter().collect());
    }

    /// The pages that were requested so far; none is the first of a session.
    #[must_use]
    pub fn requests(&self) -> Vec<Option<NextPage>> {
        self.with(|state| state.requests.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn answer(&mut self, next: Option<&NextPage>) -> Result<PagePieces, PageError> {
        self.requests.push(next.cloned());
        let fault = self.faults.pop_front().unwrap_or(PageFault::None);
        match fault {
            PageFault::Down => {
                let reason = "503".to_owned();
                return Err(SourceError::Unavailable { reason, cause: None }.into());
            }
            PageFault::Limited => {
                let retry_after = Duration::from_mins(1);
                return Err(SourceError::RateLimited { retry_after }.into());
            }
            PageFault::Refused => return Err(SourceError::Refused("401".to_owned()).into()),
            PageFault::Forgotten => {
                return Err(PageError::SessionEnded("uncached query".to_owned()));
            }
            PageFault::None
            | PageFault::Breaks
            | PageFault::NoEnd
            | PageFault::OtherNumber
            | PageFault::Repeated
            | PageFault::OtherTotal
            | PageFault::OtherSession
            | PageFault::Short
            | PageFault::Long => {}
        }
        let (session, page) = self.session(next)?;
        Ok(self.page(session, page, fault))
    }

    /// The number of the session, and of the page.
    fn session(&mut self, next: Option<&NextPage>) -> Result<(usize, usize), PageError> {
        let Some(next) = next else {
            self.snapshots.push(self.lines.clone());
            return Ok((self.snapshots.len() - 1, 0));
        };
        let known = next.session.parse().ok().filter(|session| *session < self.snapshots.len());
        let unknown = || PageError::SessionEnded("uncached query".to_owned());
        Ok((known.ok_or_else(unknown)?, usize::try_from(next.page).unwrap_or(usize::MAX)))
    }

    fn page(&self, session: usize, page: usize, fault: PageFault) -> PagePieces {
        let all = &self.snapshots[session];
        let of = |page: usize| {
            let pages = all.chunks(self.page_size);
            pages.skip(page).take(1).flatten().cloned().collect::<Vec<String>>()
        };
        let mut lines = of(page);
        let mut end = PageEnd {
            page: page as u64,
            page_size: self.page_size as u64,
            session: session.to_string(),
            total: Some(all.len() as u64),
            profiles: 0,
        };
        match fault {
            PageFault::OtherNumber => end.page += 1,
            PageFault::Repeated => lines = of(page.saturating_sub(1)),
            PageFault::OtherTotal => end.total = end.total.map(|total| total + 1),
            PageFault::OtherSession => end.session.push('x'),
            PageFault::Short => drop(lines.pop()),
            PageFault::Long => lines.resize(self.page_size + 1, "{}".to_owned()),
            PageFault::None
            | PageFault::Breaks
            | PageFault::NoEnd
            | PageFault::Down
            | PageFault::Limited
            | PageFault::Refused
            | PageFault::Forgotten => {}
        }
        end.profiles = lines.len() as u64;
        let mut pieces: Vec<Result<PagePiece, PageError>> = lines
            .iter()
            .map(|line| Ok(PagePiece::Lines(Bytes::from(format!("{line}\n")))))
            .collect();
        match fault {
            PageFault::Breaks => {
                pieces.truncate(lines.len() / 2);
                let reason = "the connection broke".to_owned();
                pieces.push(Err(SourceError::Incomplete { reason, cause: None }.into()));
            }
            PageFault::NoEnd => pieces.truncate(lines.len() / 2),
            PageFault::None
            | PageFault::Down
            | PageFault::Limited
            | PageFault::Refused
            | PageFault::Forgotten
            | PageFault::OtherNumber
            | PageFault::Repeated
            | PageFault::OtherTotal
            | PageFault::OtherSession
            | PageFault::Short
            | PageFault::Long => pieces.push(Ok(PagePiece::End(end))),
        }
        stream::iter(pieces).boxed()
    }
}

#[async_trait::async_trait]
impl ProfileSource for MemoryProfiles {
    async fn page(&self, next: Option<&NextPage>, _attempt: u32) -> Result<PagePieces, PageError> {
        self.with(|state| state.answer(next))
    }

    fn query(&self) -> Option<String> {
        Some("all profiles".to_owned())
    }

    fn queries(&self) -> u64 {
        self.with(|state| state.requests.iter().filter(|next| next.is_none()).count() as u64)
    }
}
