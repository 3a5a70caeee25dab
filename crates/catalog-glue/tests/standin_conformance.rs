//! The adapter, over the strict stand-in, passes the same suite as the fakes and the folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod standin;

use mixlake_testkit::catalog;
use mixlake_testkit::glue::Glue;
use standin::{DATABASE, Wire};

#[tokio::test(start_paused = true)]
async fn glue_behaves_as_every_catalog_must() {
    catalog::conformance(async || standin::catalog(0, Wire::quiet(&Glue::new(DATABASE)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn glue_decides_the_races_of_writers() {
    let fresh = async || standin::catalog(0, Wire::quiet(&Glue::new(DATABASE)));
    catalog::conformance_under_races(fresh).await;
}
