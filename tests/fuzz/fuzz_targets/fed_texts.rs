//! Any text as descriptor, bundle and job file: what is read as one of the first two is the same after writing and
//! reading again.

#![no_main]

use fed_proto::bundle::Bundle;
use fed_proto::descriptor::Descriptor;
use fed_proto::job::JobFile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(descriptor) = Descriptor::parse(text) {
        assert_eq!(Descriptor::parse(&descriptor.to_text()), Ok(descriptor));
    }
    if let Ok(bundle) = Bundle::parse(text) {
        assert_eq!(Bundle::parse(&bundle.to_text()), Ok(bundle));
    }
    let _ = JobFile::parse(text);
});
