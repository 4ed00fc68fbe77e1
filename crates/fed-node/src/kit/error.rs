//! Why a kit is not usable, with the file and what to do.

use std::io;
use std::path::PathBuf;

use fed_proto::descriptor::DescriptorError;
use fed_proto::enrol::Subject;
use fed_proto::name::Name;

use crate::tls::subject_words;

/// Why a kit is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KitError {
    /// The enrolment certificate's file has none, too many, or one that cannot be used.
    #[error("{}: {problem}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The bundle's file is not a signed bundle.
    #[error("{}: not a signed bundle", path.display())]
    Bundle {
        /// The file.
        path: PathBuf,
    },
    /// A key of the configuration.
    #[error("{}: `{key}`: {problem}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// The key's path.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The federation's descriptor.
    #[error("{}: {source}", path.display())]
    Descriptor {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<DescriptorError>,
    },
    /// The enrolment key.
    #[error("{}: {problem}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Others may write to the file.
    #[error("{}: mode {mode:04o}, others may write to it", path.display())]
    Mode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not UTF-8.
    #[error("{}: not UTF-8", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The kit of a server that is not the federation's.
    #[error("{}: enrols the server {name}, the descriptor names {server}", path.display())]
    OtherServer {
        /// The certificate's file.
        path: PathBuf,
        /// Whom it enrols.
        name: Name,
        /// The descriptor's server.
        server: Name,
    },
    /// The file is somebody else's.
    #[error("{}: belongs to user {owner}, not to root or user {user}", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who reads it.
        user: u32,
    },
    /// Not there, or not readable.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may use the secret file.
    #[error("{}: mode {mode:04o}, 0600 or stricter is needed", path.display())]
    SecretMode {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The certificate names somebody else than the configuration.
    #[error(
        "{}: enrols {}, muster.toml says {}", path.display(), subject_words(found), subject_words(expected)
    )]
    Subject {
        /// The certificate's file.
        path: PathBuf,
        /// Whom it enrols.
        found: Subject,
        /// Who the configuration says this is.
        expected: Subject,
    },
    /// Larger than such a file can be.
    #[error("{}: more than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The largest size.
        limit: usize,
    },
}

impl KitError {
    /// What the reader can do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Config { .. } => "correct muster.toml; docs/OPERATIONS.md lists its keys",
            Self::Mode { .. } => "chmod o-w, and compare the file with the original",
            Self::Owner { .. } => "run as the owner of the kit, or chown the kit",
            Self::Read { .. } => "name the directory that `muster provision` made for this participant",
            Self::SecretMode { .. } => "chmod 600, and consider whether others know the key by now",
            Self::Bundle { .. }
            | Self::Certificate { .. }
            | Self::Descriptor { .. }
            | Self::Key { .. }
            | Self::NotText { .. }
            | Self::OtherServer { .. }
            | Self::Subject { .. }
            | Self::TooLarge { .. } => "copy the file again from the kit that `muster provision` made",
        }
    }
}
