//! Faults of a fake's calls, and the log of the calls.

use std::fmt;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
    /// The call fails and has no effect.
    Before,
    /// The call takes effect, then fails: the response was lost, or the process died.
    After,
    /// Another writer was faster: no effect, and a write is refused or conflicts. A read fails.
    Overtaken,
    /// The call takes effect but is refused or conflicts. A client sees this when its own retry of a
    /// conditional write meets the first attempt, whose response was lost.
    Echo,
}

/// One call to a fake, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<O> {
    /// The number of calls before it.
    pub number: usize,
    /// What was called.
    pub operation: O,
    /// The key, prefix or table.
    pub subject: String,
}

/// The error of an injected fault.
#[derive(Debug, thiserror::Error)]
#[error("injected: call {number} was to fail")]
pub struct Injected {
    number: usize,
}

type Hook<O> = Box<dyn FnMut(&Call<O>) -> Fault + Send>;

/// The log of the calls, and the hook that decides the fault of each.
pub(crate) struct Script<O> {
    calls: Vec<Call<O>>,
    hook: Hook<O>,
}

impl<O> Default for Script<O> {
    fn default() -> Self {
        Self { calls: Vec::new(), hook: Box::new(|_| Fault::None) }
    }
}

impl<O: fmt::Debug> fmt::Debug for Script<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl<O: Clone> Script<O> {
    pub(crate) fn set_hook(&mut self, hook: impl FnMut(&Call<O>) -> Fault + Send + 'static) {
        self.hook = Box::new(hook);
    }

    pub(crate) fn calls(&self) -> Vec<Call<O>> {
        self.calls.clone()
    }

    /// Logs a call and returns its fault.
    pub(crate) fn next(&mut self, operation: O, subject: &str) -> Verdict {
        let number = self.calls.len();
        let call = Call { number, operation, subject: subject.to_owned() };
        let fault = (self.hook)(&call);
        self.calls.push(call);
        Verdict { number, fault }
    }
}

/// The fault of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    number: usize,
    pub(crate) fault: Fault,
}

impl Verdict {
    pub(crate) fn error(self) -> Injected {
        Injected { number: self.number }
    }

    /// A read has no effect, so every fault is a failure.
    pub(crate) fn read(self) -> Result<(), Injected> {
        match self.fault {
            Fault::None => Ok(()),
            Fault::Before | Fault::After | Fault::Overtaken | Fault::Echo => Err(self.error()),
        }
    }
}
