//! Rows of CSV as the portal of Log Analytics exports them (RFC 4180): written down again as JSON objects, which
//! the reader of rows takes.

/// The cells of a row.
pub(crate) fn cells(row: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(row);
    let text = text.trim_end_matches('\r').trim_start_matches('\u{feff}');
    let mut cells = vec![String::new()];
    let mut letters = text.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        let Some(cell) = cells.last_mut() else { break };
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cell.push('"');
                letters.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    cells
}

/// A row as a JSON object.
pub(crate) fn object(columns: &[String], row: &[u8]) -> Vec<u8> {
    // Exports add to a time column the zone that it is in.
    let name = |column: &String| column.split(" [").next().unwrap_or_default().to_owned();
    let object: serde_json::Map<String, serde_json::Value> = columns
        .iter()
        .map(name)
        .zip(cells(row).into_iter().map(serde_json::Value::String))
        .collect();
    serde_json::Value::Object(object).to_string().into_bytes()
}
