//! What the plugin does because the evidence says so: the faults that only a process of its own survives.

use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use cc_core::Claims;

/// What the library's constructor could reach, before anybody asked the plugin anything.
static AT_LOADING: OnceLock<String> = OnceLock::new();

extern "C" fn constructor() {
    let _ = AT_LOADING.set(words(&files()));
}

#[expect(
    unsafe_code,
    reason = "the dynamic linker calls the functions of this section when it opens the library"
)]
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

/// Does what the evidence says: `hang`, `abort`, `overflow` (the stack), `exit`, `allocate` (4 GiB), `reach` (tries what
/// a process may reach and tells in the claim `reached`), `reached at loading` (tells what the constructor could reach);
/// anything else is a normal answer.
pub(crate) fn act(evidence: &[u8]) -> Claims {
    let mut claims = super::claims();
    match evidence {
        b"hang" => hang(),
        b"abort" => std::process::abort(),
        b"overflow" => claims.insert("depth", overflow(0)),
        b"exit" => std::process::exit(0),
        b"allocate" => claims.insert("length", allocate()),
        b"reached at loading" => {
            claims.insert("reached", AT_LOADING.get().map_or("nothing was tried", String::as_str));
        }
        b"reach" => claims.insert("reached", reach()),
        _ => {}
    }
    claims
}

/// Never returns, and keeps the processor busy: not even a signal handler ends it. Says so before on standard error.
pub(crate) fn hang() -> ! {
    eprintln!("hanging");
    loop {
        std::hint::spin_loop();
    }
}

fn overflow(depth: u64) -> u64 {
    if depth == u64::MAX {
        return 0;
    }
    let local = std::hint::black_box([depth; 1024]);
    std::hint::black_box(overflow(depth.wrapping_add(1)).wrapping_add(local.iter().sum()))
}

fn allocate() -> u64 {
    let bytes = std::hint::black_box(vec![1_u8; 4 * 1024 * 1024 * 1024]);
    u64::try_from(bytes.len()).unwrap_or_default()
}

/// One word for each thing that could be reached.
pub(crate) fn reach() -> String {
    let others = [
        ("environment", std::env::vars_os().next().is_some()),
        ("network", TcpStream::connect("127.0.0.1:9").is_err_and(|e| e.raw_os_error() == Some(111))),
        ("sockets", UnixStream::pair().is_ok()),
        ("programs", std::process::Command::new("/bin/true").status().is_ok()),
        ("host", std::fs::File::open(format!("/proc/{}/mem", std::os::unix::process::parent_id())).is_ok()),
        ("threads", std::thread::Builder::new().spawn(|| ()).is_ok()),
    ];
    words(&[files().as_slice(), &others].concat())
}

fn files() -> [(&'static str, bool); 4] {
    let mark = std::env::temp_dir().join(format!("misbehaver-{}", std::process::id()));
    let written = std::fs::write(&mark, b"x").is_ok();
    let _ = std::fs::remove_file(mark);
    [
        ("etc", std::fs::read("/etc/passwd").is_ok()),
        ("libraries", std::fs::read_dir("/usr/lib").is_ok()),
        ("itself", std::fs::read("/proc/self/maps").is_ok()),
        ("write", written),
    ]
}

fn words(tried: &[(&str, bool)]) -> String {
    let reached: Vec<&str> = tried.iter().filter(|(_, reached)| *reached).map(|(what, _)| *what).collect();
    reached.join(" ")
}
