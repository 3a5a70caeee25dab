//! The names of events as small numbers, in the order of their coming.

use foldhash::HashMap;

/// All event names seen in a slice.
#[derive(Debug, Default)]
pub(crate) struct EventNumbers {
    numbers: HashMap<Box<str>, usize>,
}

impl EventNumbers {
    /// The number of a name.
    pub(crate) fn of(&mut self, name: &str) -> usize {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = self.numbers.len();
        self.numbers.insert(name.into(), number);
        number
    }
}
