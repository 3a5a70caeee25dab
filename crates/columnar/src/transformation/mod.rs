//! The transformation of one slice: bytes in, files out. It joins the other rooms, and says whether the stream
//! was complete.

pub(crate) mod completeness;
pub(crate) mod outcome;
pub(crate) mod subject;
pub(crate) mod tables;
pub(crate) mod transform;
