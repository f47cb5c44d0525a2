//! Bytes that a thread fetches ahead of whoever reads them.

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Pieces that are fetched ahead.
const AHEAD: usize = 2;

/// Some bytes, or why there are none.
pub(super) type Piece = Result<Vec<u8>, String>;

/// What a thread fetches, in its order.
pub(super) struct Pieces {
    pieces: Receiver<Piece>,
    ready: Cursor<Vec<u8>>,
}

impl Pieces {
    /// `fetch` ends when there is no more, or nobody takes it.
    pub(super) fn reader(
        fetch: impl FnOnce(&SyncSender<Piece>) + Send + 'static,
    ) -> io::Result<Box<dyn Read + Send>> {
        let (send, pieces) = sync_channel(AHEAD);
        thread::Builder::new().spawn(move || fetch(&send))?;
        Ok(Box::new(Self {
            pieces,
            ready: Cursor::default(),
        }))
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.ready.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.pieces.recv() {
                Ok(Ok(bytes)) => self.ready = Cursor::new(bytes),
                Ok(Err(why)) => return Err(io::Error::other(why)),
                Err(_) => return Ok(0),
            }
        }
    }
}
