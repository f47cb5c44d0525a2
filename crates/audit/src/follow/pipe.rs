//! What cannot be read twice: standard input. A thread waits for it, so that nobody else has to.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

use super::{Growing, Part};
use crate::input::Source;

/// How much is read at once, and how often before it is taken.
const PIECE: usize = 64 << 10;
const WAITING: usize = 64;

/// A stream, as one part.
#[derive(Debug)]
pub struct Pipe {
    name: String,
    pieces: Receiver<Result<Vec<u8>, String>>,
    /// What came and may be asked for again, and where it begins.
    held: Vec<u8>,
    begin: u64,
    over: bool,
    trouble: Option<String>,
}

impl Pipe {
    /// Standard input, without its compression.
    #[must_use]
    pub fn stdin() -> Self {
        Self::new(&Source::Stdin.name(), || Source::Stdin.open())
    }

    /// Reads to the end, whoever asks for it or not.
    fn new(
        name: &str,
        open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static,
    ) -> Self {
        let (send, pieces) = sync_channel(WAITING);
        thread::spawn(move || {
            let mut reader = match open() {
                Ok(reader) => reader,
                Err(error) => {
                    let _ = send.send(Err(error.to_string()));
                    return;
                }
            };
            loop {
                let mut piece = vec![0; PIECE];
                let read = match reader.read(&mut piece) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    read => read.map_err(|error| error.to_string()),
                };
                let ended = !matches!(read, Ok(1..));
                let piece = read.map(|count| {
                    piece.truncate(count);
                    piece
                });
                if send.send(piece).is_err() || ended {
                    return;
                }
            }
        });
        Self {
            name: name.to_owned(),
            pieces,
            held: Vec::new(),
            begin: 0,
            over: false,
            trouble: None,
        }
    }
}

impl Growing for Pipe {
    fn parts(&mut self) -> Result<Vec<Part>, String> {
        for _ in 0..WAITING {
            match self.pieces.try_recv() {
                Ok(Ok(piece)) if piece.is_empty() => self.over = true,
                Ok(Ok(piece)) => self.held.extend_from_slice(&piece),
                Ok(Err(why)) => {
                    self.trouble = Some(why);
                    self.over = true;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.over = true;
                    break;
                }
            }
        }
        if let Some(why) = self.trouble.take() {
            return Err(why);
        }
        Ok(vec![Part {
            id: "-".to_owned(),
            name: self.name.clone(),
            length: self.begin + self.held.len() as u64,
            grows_only: true,
            over: self.over,
            lines: true,
            messages: false,
        }])
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn read(&mut self, _: &Part, from: u64, most: u64) -> Result<Vec<u8>, String> {
        let start = usize::try_from(from.saturating_sub(self.begin)).unwrap_or(usize::MAX);
        let rest = self.held.get(start..).unwrap_or_default();
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(rest.len());
        let bytes = rest.get(..most).unwrap_or_default().to_vec();
        // What lies before has been taken.
        let gone = start.min(self.held.len());
        self.held.drain(..gone);
        self.begin += gone as u64;
        Ok(bytes)
    }
}
