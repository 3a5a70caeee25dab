//! Concurrent writers: for backends that check conditions atomically.

use bytes::Bytes;
use futures::future::join_all;
use mixlake_app::ports::{ObjectStore, Precondition, Put};

const WRITERS: u8 = 16;
const TURNS: usize = 5;

/// What must hold however many writers there are at the same time.
///
/// Call it on a multi-threaded runtime. It requires nothing that S3 does not guarantee. The stand-in
/// that checks and writes in two steps does not pass it.
pub async fn conformance_under_races<S: ObjectStore + Clone + 'static>(fresh: impl AsyncFn() -> S) {
    of_many_creators_one_wins(fresh().await).await;
    no_swap_is_lost(fresh().await).await;
}

async fn of_many_creators_one_wins<S: ObjectStore + Clone + 'static>(store: S) {
    let creators = (0..WRITERS).map(|i| {
        let store = store.clone();
        tokio::spawn(async move {
            let body = Bytes::from(vec![i; 1000]);
            (i, store.put("deep/er/key", body, Precondition::Absent).await.unwrap())
        })
    });
    let puts: Vec<(u8, Put)> = join_all(creators).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<u8> =
        puts.into_iter().filter(|(_, put)| *put == Put::Done).map(|(i, _)| i).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let body = store.get("deep/er/key").await.unwrap().unwrap().body;
    assert_eq!(body, vec![winners[0]; 1000]);
}

/// Every writer adds several lines by conditional writes; at the end all lines exist.
async fn no_swap_is_lost<S: ObjectStore + Clone + 'static>(store: S) {
    store.put("lines", Bytes::new(), Precondition::Absent).await.unwrap();
    let writers = (0..WRITERS).map(|i| {
        let store = store.clone();
        tokio::spawn(async move {
            for turn in 0..TURNS {
                add_line(&store, &format!("{i}.{turn}\n")).await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let body = store.get("lines").await.unwrap().unwrap().body;
    let lines: std::collections::BTreeSet<&[u8]> = body.split(|b| *b == b'\n').collect();
    assert_eq!(lines.len(), usize::from(WRITERS) * TURNS + 1);
}

async fn add_line(store: &dyn ObjectStore, line: &str) {
    loop {
        let object = store.get("lines").await.unwrap().unwrap();
        let body = Bytes::from([&object.body, line.as_bytes()].concat());
        let when = Precondition::Matches(object.etag);
        if store.put("lines", body, when).await.unwrap() == Put::Done {
            return;
        }
    }
}
