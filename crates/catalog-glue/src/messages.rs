//! Every message of this crate, as a user reads it. A new variant does not compile until its `match` has it.

use crate::batch::{ItemError, Undone};
use crate::failure::{
    BATCH_CREATE, BATCH_DELETE, BATCH_GET, BATCH_UPDATE, CREATE_TABLE, DELETE_PARTITION,
    DELETE_TABLE, GET_PARTITION, GET_PARTITIONS, GET_TABLE, GET_TABLES, Hint, UPDATE_TABLE,
};
use aws_sdk_glue::types::ErrorDetail;

#[test]
fn hints() {
    let hints = [
        Hint::NoResponse,
        Hint::Limit,
        Hint::Input,
        Hint::Credentials,
        Hint::NoCredentials,
        Hint::Denied(GET_TABLES),
        Hint::Denied(GET_TABLE),
        Hint::Denied(CREATE_TABLE),
        Hint::Denied(UPDATE_TABLE),
        Hint::Denied(DELETE_TABLE),
        Hint::Denied(GET_PARTITIONS),
        Hint::Denied(GET_PARTITION),
        Hint::Denied(BATCH_GET),
        Hint::Denied(BATCH_CREATE),
        Hint::Denied(BATCH_UPDATE),
        Hint::Denied(BATCH_DELETE),
        Hint::Denied(DELETE_PARTITION),
    ];
    let hints = hints.map(|hint| {
        let name = match hint {
            Hint::NoResponse => "NoResponse",
            Hint::Limit => "Limit",
            Hint::Input => "Input",
            Hint::Credentials => "Credentials",
            Hint::NoCredentials => "NoCredentials",
            Hint::Denied(_) => "Denied",
        };
        format!("{name}: {hint}\n")
    });
    insta::assert_snapshot!(hints.concat());
}

#[test]
fn failed_partitions() {
    let item = |day: usize| {
        let detail = ErrorDetail::builder().error_code("InternalServiceException");
        let detail = detail.error_message("words of Glue").build();
        ItemError::new(Some(vec![format!("2026-11-{day:02}")]), Some(detail))
    };
    let few = Undone(vec![
        item(10),
        ItemError::gone("2026-11-11"),
        ItemError::new(Some(vec!["2026-11-12".to_owned()]), None),
    ]);
    let many = Undone((1..=12).map(item).collect());
    insta::assert_snapshot!(format!("{few}\n{many}\n"));
}
