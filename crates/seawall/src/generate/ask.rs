//! The talk that ends in an intent: what is to be set up, then the guide's questions in its order. A line at a
//! time, in a terminal or from a pipe.

use std::io::{self, BufRead, IsTerminal as _, Write};

use ::guide::Guide;
use generate::{Intent, Plan, Question, Questions};

use super::Charges;
use crate::failure::Failure;
use crate::output;

/// Lines that somebody types.
struct Talk<'t> {
    input: &'t mut dyn BufRead,
    out: &'t mut dyn Write,
    width: usize,
}

/// The talk was ended.
struct Ended;

type Said<T> = Result<T, anyhow::Error>;

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ended")
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the answers ended before the questions did")
    }
}

impl std::error::Error for Ended {}

impl Talk<'_> {
    /// A line, trimmed.
    fn line(&mut self, prompt: &str) -> Said<String> {
        write!(self.out, "{prompt}")?;
        self.out.flush()?;
        let mut line = String::new();
        let read = self.input.read_line(&mut line)?;
        if !io::stdin().is_terminal() {
            writeln!(self.out)?;
        }
        if read == 0 {
            return Err(Ended.into());
        }
        Ok(line.trim().to_owned())
    }

    fn say(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in output::folded(text, self.width.saturating_sub(indent).max(20)) {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// A line that holds, with what is taken where it is empty.
    fn value(&mut self, question: &str, usual: Option<&str>) -> Said<String> {
        let prompt = match usual {
            Some("") => format!("{question} [none]: "),
            Some(usual) => format!("{question} [{usual}]: "),
            None => format!("{question}: "),
        };
        loop {
            let line = self.line(&prompt)?;
            match usual {
                _ if !line.is_empty() => return Ok(line),
                Some(usual) => return Ok(usual.to_owned()),
                None => self.say(0, "an answer is needed here")?,
            }
        }
    }
}

/// A key of the intent, how it is asked for, and what an empty line takes; nothing: an answer is needed.
type First = (&'static str, &'static str, Option<&'static str>);

const WHAT: [First; 8] = [
    (
        "name",
        "Its name, part of every other (2 to 10 letters, digits, hyphens)",
        None,
    ),
    ("region", "Azure region", Some("westeurope")),
    ("owner", "Who answers for it, a team or a person", None),
    ("mail", "Mail address that hears of attacks", None),
    (
        "infrastructure",
        "Language of templates: bicep, terraform, or both with a comma",
        Some("bicep"),
    ),
    (
        "pipeline",
        "Pipeline: github, azure-devops or none",
        Some("github"),
    ),
    (
        "compliance",
        "Rules that an auditor asks about, with commas (PCI-DSS, …)",
        Some(""),
    ),
    ("budget", "EUR a month at most", Some("")),
];

const WHO: [First; 4] = [
    (
        "access.administrators",
        "Object id of the Entra group of administrators",
        None,
    ),
    ("access.deployers", "  of those who deploy", None),
    ("access.readers", "  of those who read logs", None),
    (
        "access.ranges",
        "Addresses that people and pipelines come from, with commas",
        Some(""),
    ),
];

/// Asks for what the questions are about, and returns the text of an intent without decisions.
pub(crate) fn basics(
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    newest: &str,
) -> anyhow::Result<Intent> {
    let mut talk = Talk {
        input,
        out,
        width: output::width(),
    };
    talk.say(
        0,
        "What is to be set up. An empty line takes what stands in brackets.",
    )?;
    // Each answer is read as the file would be, so that a wrong one is said at once.
    let mut lines: Vec<String> = Vec::new();
    for (key, question, usual) in WHAT {
        keyed(&mut talk, &mut lines, newest, key, question, usual)?;
    }
    environments(&mut talk, &mut lines, newest)?;
    for (key, question, usual) in WHO {
        keyed(&mut talk, &mut lines, newest, key, question, usual)?;
    }
    workloads(&mut talk, &mut lines, newest)?;
    Ok(Intent::parse(&text_of(&lines), newest).map_err(|error| Failure::new(error.message))?)
}

/// The lines as a file; what is not asked yet is filled in, so that it can be read.
fn text_of(lines: &[String]) -> String {
    let mut text = String::new();
    let mut access = String::new();
    for group in ["administrators", "deployers", "readers"] {
        if !lines
            .iter()
            .any(|line| line.starts_with(&format!("access.{group}:")))
        {
            access.push_str(&format!(
                "  {group}: 00000000-0000-0000-0000-000000000000\n"
            ));
        }
    }
    for line in lines {
        match line.strip_prefix("access.") {
            Some(line) => access.push_str(&format!("  {line}\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text.push_str(&format!("access:\n{access}"));
    for (key, line) in [
        ("name:", "name: aa"),
        ("region:", "region: westeurope"),
        ("owner:", "owner: a"),
        ("mail:", "mail: a@example.com"),
        (
            "environments:",
            "environments: [{ name: aa, range: 10.0.0.0/16 }]",
        ),
    ] {
        if !lines.iter().any(|line| line.starts_with(key)) {
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// Takes lines if the file reads with them, else says what is wrong.
fn taken(
    talk: &mut Talk<'_>,
    lines: &mut Vec<String>,
    newest: &str,
    more: &[String],
) -> Said<bool> {
    let mut with = lines.clone();
    with.extend(more.iter().cloned());
    match Intent::parse(&text_of(&with), newest) {
        Ok(_) => {
            *lines = with;
            Ok(true)
        }
        Err(error) => {
            talk.say(0, &error.message)?;
            Ok(false)
        }
    }
}

fn keyed(
    talk: &mut Talk<'_>,
    lines: &mut Vec<String>,
    newest: &str,
    key: &str,
    question: &str,
    usual: Option<&str>,
) -> Said<()> {
    loop {
        let value = talk.value(question, usual)?;
        if value.is_empty() {
            return Ok(());
        }
        let value = match key {
            "infrastructure" | "compliance" | "access.ranges" => listed(&value),
            "budget" => value,
            _ => quoted(&value),
        };
        if taken(talk, lines, newest, &[format!("{key}: {value}")])? {
            return Ok(());
        }
    }
}

fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn listed(value: &str) -> String {
    let items = value.split([',', ' ']).filter(|item| !item.is_empty());
    let items: Vec<String> = items.map(quoted).collect();
    format!("[{}]", items.join(", "))
}

fn environments(talk: &mut Talk<'_>, lines: &mut Vec<String>, newest: &str) -> Said<()> {
    talk.say(0, "Environments, one a line: NAME PROFILE RANGE, where the profile is development, production or regulated. An empty line ends.")?;
    let usual = [
        ("dev", "development", "10.10.0.0/16"),
        ("prod", "production", "10.20.0.0/16"),
    ];
    let mut given: Vec<String> = Vec::new();
    loop {
        let prompt = if given.is_empty() {
            "Environment [dev development 10.10.0.0/16, prod production 10.20.0.0/16]: "
        } else {
            "Environment [no more]: "
        };
        let line = talk.line(prompt)?;
        let one = |(name, profile, range): (&str, &str, &str)| {
            format!(
                "{{ name: {}, profile: {}, range: {} }}",
                quoted(name),
                quoted(profile),
                quoted(range)
            )
        };
        if line.is_empty() {
            if given.is_empty() {
                given.extend(usual.map(one));
            }
            if taken(
                talk,
                lines,
                newest,
                &[format!("environments: [{}]", given.join(", "))],
            )? {
                return Ok(());
            }
            given.clear();
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, profile, range] = words.as_slice() else {
            talk.say(
                0,
                "three words are needed, such as: prod production 10.20.0.0/16",
            )?;
            continue;
        };
        given.push(one((name, profile, range)));
        let mut with = lines.clone();
        if !taken(
            talk,
            &mut with,
            newest,
            &[format!("environments: [{}]", given.join(", "))],
        )? {
            given.pop();
        }
    }
}

fn workloads(talk: &mut Talk<'_>, lines: &mut Vec<String>, newest: &str) -> Said<()> {
    talk.say(0, "What runs: web (people reach it), internal (others in the cluster do), batch (runs and ends), untrusted (code of others). An empty name ends.")?;
    let mut given: Vec<String> = Vec::new();
    loop {
        let name = talk.value("Workload", Some(""))?;
        if name.is_empty() {
            break;
        }
        let class = talk.value(
            "  Class: web, internal, batch or untrusted",
            Some("internal"),
        )?;
        let mut one = format!("{{ name: {}, class: {}", quoted(&name), quoted(&class));
        if class == "web" {
            let hosts = talk.value("  Names under which people reach it, with commas", None)?;
            one.push_str(&format!(", hosts: {}", listed(&hosts)));
        }
        if class == "web" || class == "internal" {
            let port = talk.value("  Port", Some("8080"))?;
            one.push_str(&format!(", port: {port}"));
        }
        for (key, question) in [
            ("uses", "  Azure services it uses: vault, storage"),
            ("calls", "  Workloads above that it calls"),
            ("egress", "  Names outside that it calls over HTTPS"),
        ] {
            let value = talk.value(question, Some(""))?;
            if !value.is_empty() {
                one.push_str(&format!(", {key}: {}", listed(&value)));
            }
        }
        one.push_str(" }");
        given.push(one);
        let mut with = lines.clone();
        if !taken(
            talk,
            &mut with,
            newest,
            &[format!("workloads: [{}]", given.join(", "))],
        )? {
            given.pop();
        }
    }
    if !given.is_empty() {
        lines.push(format!("workloads: [{}]", given.join(", ")));
    }
    Ok(())
}

/// What is asked with.
pub(crate) struct Asked<'a> {
    pub(crate) guide: &'a Guide,
    pub(crate) questions: &'a Questions,
    pub(crate) charges: &'a Charges<'a>,
    pub(crate) year: i16,
}

/// Asks the guide's questions and writes the answers into the intent. False: it was broken off.
pub(crate) fn ask(
    asked: &Asked<'_>,
    intent: &mut Intent,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut talk = Talk {
        input,
        out,
        width: output::width(),
    };
    writeln!(talk.out)?;
    talk.say(0, "The guide's questions. A number or a name answers, several with commas; an empty line takes what is marked with *; `?` says more, `b` goes back, `rest` takes what is marked for all that follow, `q` ends without writing.")?;
    let all: Vec<&Question> = asked.questions.questions.iter().collect();
    let mut at = 0;
    while let Some(question) = all.get(at) {
        if !question.is_asked(intent) {
            at += 1;
            continue;
        }
        let offers = offers(asked, intent, question)?;
        show(asked, &mut talk, question, (at + 1, all.len()), &offers)?;
        match answer(asked, &mut talk, question, &offers)? {
            Answer::Options(options) => {
                let mut with = intent.clone();
                with.decisions.insert(question.id.clone(), options);
                match Plan::of(with.clone(), asked.guide, asked.questions, asked.year) {
                    Ok(_) => {
                        *intent = with;
                        at += 1;
                    }
                    Err(error) => talk.say(0, &error.message)?,
                }
            }
            Answer::Back => {
                at = at.saturating_sub(1);
                // One that is not asked is no place to go back to.
                while at > 0
                    && all
                        .get(at)
                        .is_some_and(|question| !question.is_asked(intent))
                {
                    at -= 1;
                }
            }
            Answer::Rest => {
                // Nothing is written for them: the guide's answer may become another with the next version.
                break;
            }
            Answer::Quit => return Ok(false),
        }
    }
    Ok(true)
}

enum Answer {
    Options(Vec<Box<str>>),
    Back,
    Rest,
    Quit,
}

/// An option as it is offered.
struct Offer<'q> {
    id: &'q str,
    /// What is taken when nothing is said.
    usual: bool,
    /// Why it cannot be taken now.
    trouble: Option<String>,
}

/// The options of a question, with what earlier answers leave of them.
fn offers<'q>(
    asked: &Asked<'_>,
    intent: &Intent,
    question: &'q Question,
) -> anyhow::Result<Vec<Offer<'q>>> {
    // Answers to the questions that follow may change still.
    let plan_of = |options: Option<Vec<Box<str>>>| {
        let mut with = intent.clone();
        let mut later = false;
        for other in &asked.questions.questions {
            if other.id == question.id {
                later = true;
            } else if later {
                with.decisions.remove(&other.id);
            }
        }
        if let Some(options) = options {
            with.decisions.insert(question.id.clone(), options);
        }
        Plan::of(with, asked.guide, asked.questions, asked.year)
    };
    let usual = plan_of(None).map_err(|error| Failure::new(error.message))?;
    let chosen = usual
        .answers
        .iter()
        .find(|answer| answer.question == question.id);
    Ok(question
        .options
        .iter()
        .map(|id| Offer {
            id,
            usual: chosen.is_some_and(|answer| {
                answer.options.iter().any(|choice| choice.id == *id)
                    || (answer.options.is_empty() && **id == *"none")
            }),
            trouble: plan_of(Some(vec![id.clone()]))
                .err()
                .map(|error| error.message),
        })
        .collect())
}

fn show(
    asked: &Asked<'_>,
    talk: &mut Talk<'_>,
    question: &Question,
    (at, of): (usize, usize),
    offers: &[Offer<'_>],
) -> io::Result<()> {
    writeln!(talk.out)?;
    talk.say(0, &format!("{at}/{of} {}: {}", question.id, question.asks))?;
    for (number, offer) in offers.iter().enumerate() {
        let mark = if offer.usual { "*" } else { " " };
        let Some((_, option)) = asked.guide.option(&question.full(offer.id)) else {
            writeln!(talk.out, "{mark} {}  none", number + 1)?;
            continue;
        };
        let preview = if option.preview { " (preview)" } else { "" };
        let head = format!("{mark} {}  {}{preview}", number + 1, offer.id);
        writeln!(talk.out, "{head}")?;
        talk.say(5, &format!("{}. {}", option.title, option.trade_off))?;
        talk.say(5, &asked.charges.line(option))?;
        if let Some(trouble) = &offer.trouble {
            talk.say(5, &format!("Not now: {trouble}"))?;
        }
    }
    if question.any && !offers.iter().any(|offer| offer.usual) {
        writeln!(talk.out, "*    none")?;
    }
    Ok(())
}

fn answer(
    asked: &Asked<'_>,
    talk: &mut Talk<'_>,
    question: &Question,
    offers: &[Offer<'_>],
) -> anyhow::Result<Answer> {
    let prompt = if question.any {
        "Which, or none? "
    } else {
        "Which? "
    };
    loop {
        let line = talk.line(prompt)?;
        match line.as_str() {
            "" => {
                let usual: Vec<Box<str>> = offers
                    .iter()
                    .filter(|offer| offer.usual)
                    .map(|offer| offer.id.into())
                    .collect();
                return Ok(Answer::Options(usual));
            }
            "?" | "help" => more(asked, talk, question)?,
            "b" | "back" => return Ok(Answer::Back),
            "rest" => return Ok(Answer::Rest),
            "q" | "quit" => return Ok(Answer::Quit),
            "none" if question.any => return Ok(Answer::Options(Vec::new())),
            line => match chosen(line, offers) {
                Ok(options) if options.len() == 1 || question.any => {
                    return Ok(Answer::Options(options));
                }
                Ok(_) => talk.say(0, "one of them, please")?,
                Err(word) => talk.say(0, &format!("`{word}` is none of these"))?,
            },
        }
    }
}

fn chosen(line: &str, offers: &[Offer<'_>]) -> Result<Vec<Box<str>>, String> {
    line.split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| {
            let by_number = word
                .parse::<usize>()
                .ok()
                .and_then(|number| offers.get(number.checked_sub(1)?));
            by_number
                .or_else(|| offers.iter().find(|offer| offer.id == word))
                .map(|offer| offer.id.into())
                .ok_or_else(|| word.to_owned())
        })
        .collect()
}

/// How the guide says to choose.
fn more(asked: &Asked<'_>, talk: &mut Talk<'_>, question: &Question) -> io::Result<()> {
    let Some(topic) = asked
        .guide
        .topics
        .iter()
        .find(|topic| topic.id == question.topic)
    else {
        return Ok(());
    };
    let part = topic
        .prose
        .split("\n## ")
        .find_map(|part| part.strip_prefix("How to choose"));
    for paragraph in part.unwrap_or(&topic.prose).trim().split("\n\n") {
        talk.say(2, &paragraph.replace('\n', " "))?;
        writeln!(talk.out)?;
    }
    talk.say(
        2,
        &format!("`seawall explain {}` has the whole page.", topic.id),
    )
}
