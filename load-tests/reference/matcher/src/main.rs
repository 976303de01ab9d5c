//! The matchers of the Rust ecosystem over the rules and texts of `load-tests/match.ts`, scanning only.
//!
//! One command a line on standard input, one answer a line on standard output:
//!   words NAME FILE         an Aho-Corasick DFA of the lines of FILE, any ASCII case  -> ok
//!   expressions NAME FILE   a lazy DFA of the lines of FILE together                  -> ok
//!   scan NAME FILE          FILE from front to end                    -> NANOSECONDS MATCHES
//! An answer that begins with `error` says what went wrong.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_automata::hybrid::dfa::{Cache, OverlappingState, DFA};
use regex_automata::{nfa::thompson, util::syntax, Input};
use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, Write};
use std::{fs, time::Duration};

/// Room for all states that any of the sets comes to: the cache is never dropped.
const CACHE_BYTES: usize = 512 * 1024 * 1024;

enum Scanner {
    Words(AhoCorasick),
    Expressions(DFA, Cache),
}

fn lines_of(path: &str) -> io::Result<Vec<String>> {
    Ok(fs::read_to_string(path)?.lines().map(str::to_owned).collect())
}

fn words(path: &str) -> Result<Scanner, Box<dyn Error>> {
    let automaton = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .match_kind(MatchKind::LeftmostLongest)
        .ascii_case_insensitive(true)
        .build(lines_of(path)?)?;
    Ok(Scanner::Words(automaton))
}

fn expressions(path: &str) -> Result<Scanner, Box<dyn Error>> {
    let patterns = lines_of(path)?;
    let dfa = DFA::builder()
        .configure(
            DFA::config()
                .match_kind(regex_automata::MatchKind::All)
                .cache_capacity(CACHE_BYTES),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(thompson::Config::new().utf8(false))
        .build_many(&patterns)?;
    let cache = dfa.create_cache();
    Ok(Scanner::Expressions(dfa, cache))
}

/// Places at which a match ends, once for each rule; for words, matches that do not overlap.
fn scan(scanner: &mut Scanner, text: &str) -> Result<usize, Box<dyn Error>> {
    match scanner {
        Scanner::Words(automaton) => Ok(automaton.find_iter(text).count()),
        Scanner::Expressions(dfa, cache) => {
            let input = Input::new(text);
            let mut state = OverlappingState::start();
            let mut ends = 0;
            loop {
                dfa.try_search_overlapping_fwd(cache, &input, &mut state)?;
                match state.get_match() {
                    Some(_) => ends += 1,
                    None => return Ok(ends),
                }
            }
        }
    }
}

/// Processor time of this thread where the system tells, else the clock: others may work on this machine.
#[cfg(target_os = "linux")]
fn now() -> Duration {
    #[repr(C)]
    struct Timespec {
        seconds: i64,
        nanoseconds: i64,
    }
    extern "C" {
        fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
    }
    const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    // Safety: the layout is that of 64-bit Linux, and the call writes nothing else.
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.seconds as u64, time.nanoseconds as u32)
}

#[cfg(not(target_os = "linux"))]
fn now() -> Duration {
    use std::{sync::OnceLock, time::Instant};
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed()
}

struct Bench {
    scanners: HashMap<String, Scanner>,
    texts: HashMap<String, String>,
}

impl Bench {
    fn answer(&mut self, line: &str) -> Result<String, Box<dyn Error>> {
        let parts: Vec<&str> = line.split('\t').collect();
        match parts[..] {
            ["words", name, path] => {
                self.scanners.insert(name.to_owned(), words(path)?);
                Ok("ok".to_owned())
            }
            ["expressions", name, path] => {
                self.scanners.insert(name.to_owned(), expressions(path)?);
                Ok("ok".to_owned())
            }
            ["scan", name, path] => {
                if !self.texts.contains_key(path) {
                    self.texts.insert(path.to_owned(), fs::read_to_string(path)?);
                }
                let scanner = self.scanners.get_mut(name).ok_or("no such scanner")?;
                let began = now();
                let matches = scan(scanner, &self.texts[path])?;
                Ok(format!("{} {matches}", (now() - began).as_nanos()))
            }
            _ => Err("no such command".into()),
        }
    }
}

fn main() -> io::Result<()> {
    let mut bench = Bench { scanners: HashMap::new(), texts: HashMap::new() };
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let answer = bench.answer(&line?).unwrap_or_else(|fault| format!("error {fault}"));
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}
