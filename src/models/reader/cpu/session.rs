//! Inference with KV caches, several inputs at once.

use super::buffer::Buffer;
use super::layer::{LayerCache, Pass};
use super::matmul::Threads;
use super::matrix::Purpose;
use super::span::Span;
use super::{CpuReader, PlacedContext, rms_norm, tokens};
use crate::models::ModelError;
use crate::models::reader::{Feed, Output, Session};

/// KV caches of all members and layers.
pub struct CpuSession<'a> {
    reader: &'a CpuReader,
    members: Vec<Member>,
    reuses_beginnings: bool,
}

#[derive(Clone)]
struct Member {
    /// One a layer. What stands apart comes first in it, whatever its position: the order of keys does not matter.
    caches: Vec<LayerCache>,
    position: usize,
    /// End of what stands apart: the positions before it cannot be cut off one by one.
    apart: usize,
}

impl<'a> CpuSession<'a> {
    /// Empty members.
    pub fn new(reader: &'a CpuReader, members: usize) -> Self {
        let member = Member {
            caches: vec![LayerCache::default(); reader.layers.len()],
            position: 0,
            apart: 0,
        };
        Self {
            reader,
            members: vec![member; members],
            reuses_beginnings: false,
        }
    }
}

fn unknown(member: usize, members: usize) -> ModelError {
    ModelError::Prompt(format!("a session of {members} has no free member {member}"))
}

impl CpuSession<'_> {
    fn feed_here(&mut self, feeds: &[Feed<'_>], soft: &[f32]) -> Result<Vec<Output>, ModelError> {
        let (reader, count) = (self.reader, self.members.len());
        // Members in the order of the feeds, each once.
        let mut free: Vec<Option<&mut Member>> = self.members.iter_mut().map(Some).collect();
        let mut members = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let member = free.get_mut(feed.member).and_then(Option::take);
            let member = member.ok_or_else(|| unknown(feed.member, count))?;
            feed.check(soft, member.position, &reader.config)?;
            members.push(member);
        }
        let apart = feeds
            .iter()
            .filter_map(|feed| Some(tokens(&feed.slots[feed.apart.clone()?])));
        let apart: Vec<Vec<u32>> = apart.collect();
        let contexts = if self.reuses_beginnings {
            apart.iter().map(|tokens| reader.continued_context(tokens)).collect()
        } else {
            reader.contexts(&apart)
        };
        let mut contexts = contexts.into_iter();
        let (mut spans, mut positions, mut rows_in) = (Vec::with_capacity(feeds.len()), Vec::new(), Vec::new());
        for (feed, member) in feeds.iter().zip(&mut members) {
            let apart = feed.apart.clone().unwrap_or(0..0);
            let rows = (0..feed.slots.len()).filter(|row| !apart.contains(row));
            reader.embed(rows.clone().map(|row| feed.slots[row]), soft, &mut rows_in);
            positions.extend(rows.map(|row| member.position + row));
            let front = feed.apart.as_ref().map(|apart| apart.start);
            spans.push(Span::new(feed.slots.len() - apart.len(), front, &[], feed.outputs));
            if let Some((context, front)) = front.and_then(|front| Some((contexts.next()?, front))) {
                let context = PlacedContext::new(context, front);
                for (layer, cache) in member.caches.iter_mut().enumerate() {
                    cache.rows = vec![0.0; context.tokens() * 2 * reader.sizes.key_width()];
                    context.rows(layer, &mut cache.rows);
                }
                member.apart = apart.end;
            }
            member.position += feed.slots.len();
        }
        let mut x = Buffer::copy_of(&rows_in);
        let rotation = reader.rotation(positions.into_iter());
        let pass = Pass {
            sizes: reader.sizes,
            spans: &spans,
            rotation: &rotation,
            purpose: Purpose::Inference,
            threads: Threads::All,
        };
        for (index, layer) in reader.layers.iter().enumerate() {
            let caches = members
                .iter_mut()
                .filter_map(|member| member.caches.get_mut(index))
                .collect();
            let last = reader.is_last(index);
            x = layer.forward(&pass, x, index, last, Some(caches), None);
        }
        let mut hidden = Buffer::stale(x.len());
        rms_norm(&x, &reader.norm, reader.config.rms_eps, &mut hidden);
        let logits = reader.head().product(&hidden, Purpose::Inference, Threads::All);
        let (mut hidden, mut logits) = (&hidden[..], &logits[..]);
        let mut outputs = Vec::with_capacity(feeds.len());
        for feed in feeds {
            let (mine, rest) = hidden.split_at(feed.outputs * reader.config.hidden);
            hidden = rest;
            let (my_logits, rest) = logits.split_at(feed.outputs * reader.config.vocab_size);
            logits = rest;
            outputs.push(Output {
                hidden: mine.to_vec(),
                logits: my_logits.to_vec(),
            });
        }
        Ok(outputs)
    }
}

impl Session for CpuSession<'_> {
    fn feed(&mut self, feeds: &[Feed<'_>], soft: &[f32]) -> Result<Vec<Output>, ModelError> {
        // Inside the pool, where handing out a part of a product does not wake a thread.
        rayon::scope(|_| self.feed_here(feeds, soft))
    }

    fn reuse_beginnings(&mut self) {
        self.reuses_beginnings = true;
    }

    fn position(&self, member: usize) -> usize {
        self.members.get(member).map_or(0, |member| member.position)
    }

    fn truncate(&mut self, member: usize, length: usize) -> Result<(), ModelError> {
        let width = 2 * self.reader.sizes.key_width();
        let count = self.members.len();
        let member = self.members.get_mut(member).ok_or_else(|| unknown(member, count))?;
        let length = if length < member.apart { 0 } else { length };
        for cache in &mut member.caches {
            cache.rows.truncate(length * width);
        }
        member.position = member.position.min(length);
        if member.position == 0 {
            member.apart = 0;
        }
        Ok(())
    }

    fn copy(&mut self, from: usize, to: usize) -> Result<(), ModelError> {
        let count = self.members.len();
        let held = self.members.get(from).cloned().ok_or_else(|| unknown(from, count))?;
        *self.members.get_mut(to).ok_or_else(|| unknown(to, count))? = held;
        Ok(())
    }
}
