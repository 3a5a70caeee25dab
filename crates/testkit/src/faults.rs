//! What goes wrong with the calls of a fake, and what was called.

use std::fmt;

/// What happens to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing goes wrong.
    #[default]
    None,
    /// The call fails and has no effect.
    Before,
    /// The call has its effect, then fails: the answer was lost, or the process died.
    After,
    /// Somebody else was faster: no effect, and a write is refused or conflicts. A read fails.
    Overtaken,
    /// The call has its effect and yet is refused or conflicts. This is what a client sees whose
    /// own retry of a conditional write meets the first attempt, whose answer was lost.
    Echo,
}

/// One call to a fake, in the order in which the calls arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<O> {
    /// How many calls came before it.
    pub number: usize,
    /// What was called.
    pub operation: O,
    /// The key, prefix or table.
    pub subject: String,
}

/// The error that an injected fault ends in.
#[derive(Debug, thiserror::Error)]
#[error("injected: call {number} was to fail")]
pub struct Injected {
    number: usize,
}

type Hook<O> = Box<dyn FnMut(&Call<O>) -> Fault + Send>;

/// The log of the calls, and the hook that decides how each ends.
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

    /// Logs a call and says how it is to end.
    pub(crate) fn next(&mut self, operation: O, subject: &str) -> Verdict {
        let number = self.calls.len();
        let call = Call { number, operation, subject: subject.to_owned() };
        let fault = (self.hook)(&call);
        self.calls.push(call);
        Verdict { number, fault }
    }
}

/// How one call is to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Verdict {
    number: usize,
    pub(crate) fault: Fault,
}

impl Verdict {
    pub(crate) fn error(self) -> Injected {
        Injected { number: self.number }
    }

    /// A read: it has no effect, so that every fault is a failure.
    pub(crate) fn read(self) -> Result<(), Injected> {
        match self.fault {
            Fault::None => Ok(()),
            Fault::Before | Fault::After | Fault::Overtaken | Fault::Echo => Err(self.error()),
        }
    }
}
