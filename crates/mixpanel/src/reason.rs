//! Why a query or a stream of events failed. The errors of the port `EventSource` carry these texts.

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("cannot connect to {0}")]
    NoConnection(String),
    #[error("{endpoint} sent no response within {seconds} s")]
    NoResponseInTime { endpoint: String, seconds: u64 },
    #[error("no response from {0}")]
    NoResponse(String),
    #[error("the query budget in the lake cannot be read or written")]
    NoBudget,
    #[error("the response does not say where it ends")]
    NoEnd,
    #[error(
        "the response has the encoding {0}, but only gzip was requested; check the proxies between \
         here and Mixpanel"
    )]
    Encoding(String),
    #[error("the body is gzip, but the response header does not say so")]
    UndeclaredGzip,
    #[error("the connection broke")]
    Broken,
    #[error("no more data arrived in time")]
    Stalled,
    #[error("the gzip data is truncated or damaged")]
    Corrupt,
    #[error("decompression stopped unexpectedly")]
    Unpacking,
    #[error(
        "the pipeline may still be writing {slice}; it is read {hours} h after its end \
         (raw_pipeline_delay_hours)"
    )]
    PipelineTooEarly { slice: String, hours: u64 },
    #[error("neither {0} nor a later folder exists")]
    NoPipelineFolder(String),
    #[error("the pipeline's files cannot be read")]
    PipelineUnreadable,
    #[error("the pipeline's files cannot be read to their end")]
    PipelineBroken,
    #[error("the pipeline changed its files while they were read")]
    PipelineChanged,
    #[error("{0}: the file no longer exists")]
    FileGone(String),
    #[error("{0}: the file ends in the middle of a line")]
    FileCut(String),
    #[error("{0}: the gzip data is truncated or damaged")]
    FileCorrupt(String),
}
