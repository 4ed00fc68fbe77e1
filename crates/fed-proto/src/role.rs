//! Roles of participants (*verification.md* 5.2, tag 4).

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a participant is in its federation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 1: coordinates, aggregates, and attests like everybody else.
    Server,
    /// 2: a site with data.
    Client,
    /// 3: passes messages on.
    Relay,
    /// 4: releases keys to members that it verified itself.
    KeyBroker,
}

/// A number or word is not a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a role: server (1), client (2), relay (3) or key-broker (4)")]
pub struct InvalidRole;

impl Role {
    /// Its number on the wire.
    pub const fn as_u8(self) -> u8 {
        match self {
            Self::Server => 1,
            Self::Client => 2,
            Self::Relay => 3,
            Self::KeyBroker => 4,
        }
    }

    /// Its word, as in `muster:<role>:<name>`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Relay => "relay",
            Self::KeyBroker => "key-broker",
        }
    }

    /// The role with this word.
    pub fn parse(word: &str) -> Result<Self, InvalidRole> {
        [Self::Server, Self::Client, Self::Relay, Self::KeyBroker]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or(InvalidRole)
    }
}

impl TryFrom<u8> for Role {
    type Error = InvalidRole;

    fn try_from(number: u8) -> Result<Self, InvalidRole> {
        match number {
            1 => Ok(Self::Server),
            2 => Ok(Self::Client),
            3 => Ok(Self::Relay),
            4 => Ok(Self::KeyBroker),
            _ => Err(InvalidRole),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
