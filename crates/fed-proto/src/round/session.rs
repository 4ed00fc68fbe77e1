//! This participant and the server, outside of rounds: hello and proof, registration, orders.

use cc_core::{Binding, Finding};

use crate::binding::{Purpose, pop};
use crate::crypto::sha512;
use crate::message::{Challenge, ChannelProof, Hello, Kind, Notice, Payload, Reserve, Reserved};
use crate::signed::Signed;

use super::{Env, Event, Output, Participant, garbage};

impl Participant {
    /// A connection to the server stands: who I am, and, if the server knows this instance, the proof that it is the one
    /// on this connection.
    pub fn connected(&mut self, env: &mut dyn Env, out: &mut Vec<Output>) {
        let hello = Hello { identity: self.me.identity.clone() };
        self.send(&hello, 0, "", Some(self.server()), out);
        if self.shown.is_none() {
            // The server's word that this instance is registered may have been lost with the connection.
            let mutual = self.rounds.values().rev().filter(|round| round.purpose == Purpose::Register);
            let mutual = mutual.filter(|round| round.accepts_server()).find_map(|r| r.published.as_ref());
            self.shown = mutual.map(|published| published.transcript.clone());
        }
        self.prove_channel(env, out);
    }

    /// *verification.md* 5.4 (a).
    fn prove_channel(&mut self, env: &mut dyn Env, out: &mut Vec<Output>) {
        let Some(transcript) = self.shown.clone() else { return };
        let Some(exporter) = env.exporter(&crate::crypto::sha256(&transcript).0) else { return };
        let report_data = Binding::new(sha512(&transcript));
        let pop = pop::sign_channel(&self.me.key, &report_data, &exporter);
        let proof = ChannelProof {
            transcript: transcript.into(),
            exporter: exporter.to_vec().into(),
            pop: pop.0.to_vec().into(),
        };
        self.send(&proof, 0, "", Some(self.server()), out);
    }

    /// A message from the server outside of any round: it must be signed by the instance of the last round.
    pub(super) fn order_of_server<P: Payload>(&mut self, message: &Signed) -> Result<P, Finding> {
        if message.header.sender != self.me.descriptor.server {
            return Err(garbage("an order from somebody who is not the server"));
        }
        let key = self
            .server_key
            .clone()
            .ok_or_else(|| garbage("an order from a server that opened no round yet"))?;
        message.verify(&self.federation_id, &key)?;
        self.received.admit(&key.digest(), &message.header)?;
        message.read().ok_or_else(|| garbage("an order that does not read"))
    }

    pub(super) fn challenge(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let challenge: Challenge = self.order_of_server(message)?;
        let server = self.server();
        let payload = challenge.to_bytes();
        let bytes = self.sign(Kind::Alive, 0, "", Some(server), payload);
        out.push(Output::Send(bytes));
        Ok(())
    }

    /// A notice may come before any round, from a server that cannot be verified yet: a refusal is believed, since who
    /// carries the connection can end it anyway, an admission is not.
    pub(super) fn notice(
        &mut self,
        message: &Signed,
        env: &mut dyn Env,
        out: &mut Vec<Output>,
    ) -> Result<(), Finding> {
        let unverified: Notice = message.read().ok_or_else(|| garbage("a notice that does not read"))?;
        match cc_core::Code::parse(&unverified.code) {
            Ok(code) => {
                out.push(Output::Event(Event::TurnedAway(Finding::new(code, unverified.text))));
                Ok(())
            }
            Err(_) => match self.order_of_server::<Notice>(message)?.code.as_str() {
                "registered" => {
                    let epoch = message.header.epoch;
                    let round = self.rounds.get_mut(&epoch);
                    let round = round.filter(|round| round.purpose == Purpose::Register);
                    round.ok_or_else(|| garbage("registered in a round that is none"))?.registered = true;
                    self.registered_if_mutual(epoch, env, out);
                    Ok(())
                }
                // The instance is known; the proof for this connection was accepted.
                "welcome" => {
                    out.push(Output::Event(Event::Welcome));
                    Ok(())
                }
                _ => Err(garbage("a notice with an unknown word")),
            },
        }
    }

    /// Registration is mutual: this instance is registered when the server says so and was itself accepted here.
    pub(super) fn registered_if_mutual(&mut self, epoch: u64, env: &mut dyn Env, out: &mut Vec<Output>) {
        let Some(round) = self.rounds.get_mut(&epoch) else { return };
        if !round.registered || !round.accepts_server() {
            return;
        }
        round.registered = false;
        self.shown = round.published.as_ref().map(|published| published.transcript.clone());
        self.prove_channel(env, out);
        out.push(Output::Event(Event::Registered));
    }

    pub(super) fn reserve(&mut self, message: &Signed, out: &mut Vec<Output>) -> Result<(), Finding> {
        let Reserve { epoch } = self.order_of_server(message)?;
        let round =
            self.rounds.get_mut(&epoch).ok_or_else(|| garbage("a reservation for an unknown round"))?;
        let job = round.job.as_mut().ok_or_else(|| garbage("a reservation for a round without job"))?;
        let asked = std::mem::replace(&mut job.asked, true);
        let (job_id, file, answer) = (round.job_id.clone(), job.file.clone(), job.answer.clone());
        if let Some(refusal) = answer {
            // The server asks again, after a reconnect.
            let server = self.server();
            self.send(&Reserved { epoch, refusal }, epoch, &job_id, Some(server), out);
        } else if !asked {
            out.push(Output::Event(Event::Reserve { epoch, job_id, file }));
        }
        Ok(())
    }
}
