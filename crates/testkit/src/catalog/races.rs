//! Concurrent writers of one table.

use super::tables::{column, new_table};
use futures::future::join_all;
use mixlake_app::ports::{Catalog, CatalogError};

const WRITERS: usize = 16;
const TURNS: usize = 4;

/// What must hold however many writers change a table at the same time.
///
/// Call it on a multi-threaded runtime.
pub async fn conformance_under_races<C: Catalog + Clone + 'static>(fresh: impl AsyncFn() -> C) {
    of_many_creators_one_wins(fresh().await).await;
    no_column_is_lost(fresh().await).await;
}

async fn of_many_creators_one_wins<C: Catalog + Clone + 'static>(catalog: C) {
    let creators = (0..WRITERS).map(|_| {
        let catalog = catalog.clone();
        tokio::spawn(async move { catalog.create_table(&new_table("signup")).await })
    });
    let ends = join_all(creators).await.into_iter().map(Result::unwrap);
    assert_eq!(ends.flatten().count(), 1);
}

/// Every writer adds its own columns; at the end all of them exist exactly once.
async fn no_column_is_lost<C: Catalog + Clone + 'static>(catalog: C) {
    catalog.create_table(&new_table("signup")).await.unwrap();
    let writers = (0..WRITERS).map(|i| {
        let catalog = catalog.clone();
        tokio::spawn(async move {
            for turn in 0..TURNS {
                add(&catalog, &format!("c{i}_{turn}")).await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let columns = catalog.table("signup").await.unwrap().unwrap().columns;
    let mut names: Vec<String> = columns.into_iter().map(|c| c.name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), new_table("signup").columns.len() + WRITERS * TURNS);
}

async fn add(catalog: &dyn Catalog, name: &str) {
    loop {
        let version = catalog.table("signup").await.unwrap().unwrap().version;
        match catalog
            .append_columns("signup", &version, &[column(name, "string", None)], "42:")
            .await
        {
            Ok(()) => return,
            Err(CatalogError::Conflict(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
