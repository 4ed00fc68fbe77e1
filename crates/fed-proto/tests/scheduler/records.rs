//! What is stored of a job.

use fed_proto::scheduler::{Exit, InvalidRecord, Process, Record, Status, history_line};
use proptest::prelude::*;

use super::*;

fn process() -> impl Strategy<Value = Process> {
    prop::sample::select(vec![
        Process::Waiting,
        Process::Running,
        Process::Ended(Exit::Completed),
        Process::Ended(Exit::Exception),
        Process::Ended(Exit::Abnormal),
        Process::Ended(Exit::NotStarted),
        Process::Ended(Exit::Stopped),
    ])
}

fn record() -> impl Strategy<Value = Record> {
    (
        (0_usize..1000, any::<u64>(), any::<u64>(), prop::sample::select(Status::ALL.to_vec())),
        (any::<u32>(), prop::option::of(any::<u64>()), prop::collection::vec(".{0,20}", 0..4)),
        prop::collection::btree_map("[a-z0-9][a-z0-9._-]{0,8}", process(), 0..5),
        prop::option::of(".{0,20}"),
    )
        .prop_map(
            |((number, submitted, sequence, status), (schedule_count, last, history), processes, reason)| {
                Record {
                    id: id(number),
                    submitted: at(submitted),
                    sequence,
                    status,
                    schedule_count,
                    last_schedule: last.map(at),
                    schedule_history: history,
                    processes: processes.into_iter().map(|(site, process)| (name(&site), process)).collect(),
                    reason,
                }
            },
        )
}

proptest! {
    #[test]
    fn a_record_comes_back_as_it_was(record in record()) {
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()), Ok(record));
    }

    #[test]
    fn no_other_bytes_are_that_record(record in record(), place: prop::sample::Index, flip in 1_u8..) {
        let mut bytes = record.to_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        if let Ok(other) = Record::from_bytes(&bytes) {
            prop_assert_ne!(&other, &record);
            prop_assert_eq!(other.to_bytes(), bytes);
        }
    }
}

#[test]
fn what_is_not_exactly_a_record_is_refused() {
    let mut world = World::new(quick(), &["site-1"]);
    world.submit(1, everywhere(""));
    world.run(1, &["site-1"]);
    let bytes = world.record(1).to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Record::from_bytes(&bytes[..length]), Err(InvalidRecord));
    }
    assert_eq!(Record::from_bytes(&[&bytes[..], &[0]].concat()), Err(InvalidRecord));
    let swap = |old: &[u8], new: &[u8]| {
        let start = bytes.windows(old.len()).position(|window| window == old).unwrap();
        let changed = [&bytes[..start], new, &bytes[start + old.len()..]].concat();
        assert_eq!(Record::from_bytes(&changed), Err(InvalidRecord), "{old:?} to {new:?}");
    };
    assert_eq!(bytes[1], 1, "the version");
    swap(&bytes[..2], &[bytes[0], 2]);
    swap(b"RUNNING", b"RUNNINg");
    swap(b"site-1", b"Site-1");
    swap(b"site-1\x01", b"site-1\x07");
    swap(b"000001", b"00000A");
    // One more element, and the same number in a longer spelling.
    swap(&bytes[..2], &[bytes[0] + 1, 1]);
    swap(&bytes[..2], &[bytes[0], 0x18, 1]);
}

#[test]
fn lines_of_history_are_in_utc() {
    assert_eq!(history_line(at(1_780_272_000), "scheduled"), "2026-06-01 00:00:00: scheduled");
    assert_eq!(history_line(at(0), "TZ"), "1970-01-01 00:00:00: TZ");
}
