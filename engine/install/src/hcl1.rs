//! The dialect of the command-line configuration: HCL's first version, of which these files use a part.
//!
//! It differs from the language of `.tf` files in that keys may be quoted and that a block may follow `=`. Neither
//! expressions nor interpolation exist.

use serde_json::{Map, Value as Json};

/// A key with its labels and what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) labels: Vec<String>,
    pub(crate) value: Value,
    pub(crate) line: usize,
}

/// What stands after a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Bool(bool),
    Number(String),
    List(Vec<Value>),
    Block(Vec<Item>),
}

/// More than any such file needs; deeper ones are refused before the stack feels them.
const MAX_DEPTH: usize = 16;

/// Reads a file. The error names its line.
pub(crate) fn parse(text: &str) -> Result<Vec<Item>, String> {
    let mut reader = Reader { text: text.trim_start_matches('\u{feff}'), at: 0, line: 1 };
    let items = reader.items(0)?;
    reader.skip();
    match reader.peek() {
        None => Ok(items),
        Some(found) => Err(reader.wrong(&format!("unexpected `{found}`"))),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl Reader<'_> {
    fn wrong(&self, what: &str) -> String {
        format!("line {}: {what}", self.line)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn take(&mut self, wanted: char) -> bool {
        self.skip();
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    /// White space and comments.
    fn skip(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            if rest.starts_with("/*") {
                let end = rest.find("*/").map_or(rest.len(), |end| end + 2);
                self.line += rest[..end].matches('\n').count();
                self.at += end;
            } else if rest.starts_with('#') || rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if self.peek().is_some_and(char::is_whitespace) {
                self.bump();
            } else {
                return;
            }
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Item>, String> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("blocks are nested too deeply"));
        }
        let mut items = Vec::new();
        loop {
            self.take(',');
            self.skip();
            match self.peek() {
                None | Some('}') => return Ok(items),
                Some(_) => items.push(self.item(depth)?),
            }
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item, String> {
        let line = self.line;
        let key = self.word()?;
        let mut labels = Vec::new();
        loop {
            self.skip();
            match self.peek() {
                Some('=') => {
                    self.bump();
                    return Ok(Item { key, labels, value: self.value(depth)?, line });
                }
                Some('{') => return Ok(Item { key, labels, value: self.value(depth)?, line }),
                Some('"') => labels.push(self.string()?),
                _ => return Err(self.wrong(&format!("after `{key}` comes `=` or `{{`"))),
            }
        }
    }

    fn word(&mut self) -> Result<String, String> {
        if self.peek() == Some('"') {
            return self.string();
        }
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(self.wrong("a name was expected"));
        }
        self.at += end;
        Ok(rest[..end].to_owned())
    }

    fn string(&mut self) -> Result<String, String> {
        let line = self.line;
        self.bump();
        let mut text = String::new();
        loop {
            match self.bump() {
                Some('"') => return Ok(text),
                Some('\\') => match self.bump() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some(other) => text.push(other),
                    None => return Err(format!("line {line}: the string has no end")),
                },
                Some('\n') | None => return Err(format!("line {line}: the string has no end")),
                Some(other) => text.push(other),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        self.skip();
        match self.peek() {
            Some('"') => self.string().map(Value::Text),
            Some('{') => {
                self.bump();
                let items = self.items(depth + 1)?;
                if self.take('}') {
                    Ok(Value::Block(items))
                } else {
                    Err(self.wrong("`}` is missing"))
                }
            }
            Some('[') if depth < MAX_DEPTH => {
                self.bump();
                let mut items = Vec::new();
                loop {
                    if self.take(']') {
                        break;
                    }
                    items.push(self.value(depth + 1)?);
                    if !self.take(',') {
                        if self.take(']') {
                            break;
                        }
                        return Err(self.wrong("`]` is missing"));
                    }
                }
                Ok(Value::List(items))
            }
            Some(c) if c.is_alphanumeric() || c == '-' => match self.word()?.as_str() {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                number if number.parse::<f64>().is_ok() => Ok(Value::Number(number.to_owned())),
                other => Err(self.wrong(&format!("`{other}` is not a value"))),
            },
            _ => Err(self.wrong("a value was expected")),
        }
    }
}

/// The same from the JSON spelling of such a file.
pub(crate) fn from_json(object: &Map<String, Json>) -> Vec<Item> {
    object.iter().map(|(key, value)| json_item(key, value)).collect()
}

fn json_item(key: &str, value: &Json) -> Item {
    Item { key: key.to_owned(), labels: Vec::new(), value: json_value(value), line: 0 }
}

fn json_value(value: &Json) -> Value {
    match value {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(set) => Value::Bool(*set),
        Json::Array(items) => Value::List(items.iter().map(json_value).collect()),
        Json::Object(object) => Value::Block(from_json(object)),
        Json::Number(number) => Value::Number(number.to_string()),
        Json::Null => Value::List(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_keys_labels_lists_and_comments_are_read() {
        let text = "# one\nplugin_cache_dir = \"/c\" // two\ndisable_checkpoint = true\n/* three\n*/\n\
            host \"a.b\" { services = { \"x.v1\" = \"u\" } }\n\
            provider_installation {\n  dev_overrides { \"a/b\" = \"/p\" }\n  direct { include = [\"*/*\", \"c/*\",] }\n}\n";
        let items = parse(text).expect("a file");
        let keys: Vec<(&str, usize)> = items.iter().map(|i| (i.key.as_str(), i.line)).collect();
        assert_eq!(
            keys,
            [
                ("plugin_cache_dir", 2),
                ("disable_checkpoint", 3),
                ("host", 6),
                ("provider_installation", 7)
            ]
        );
        assert_eq!(items[2].labels, ["a.b"]);
        let Value::Block(methods) = &items[3].value else { panic!("a block") };
        let Value::Block(direct) = &methods[1].value else { panic!("a block") };
        assert_eq!(
            direct[0].value,
            Value::List(vec![Value::Text("*/*".to_owned()), Value::Text("c/*".to_owned())])
        );
    }

    #[test]
    fn faults_name_their_line() {
        let deep = format!("a = {}", "[".repeat(100_000));
        for text in ["a = ", "a \"b", "\n\na = [1", "a {", "a = b", "}", "= 1", &deep, "a = [1 2]"]
        {
            let error = parse(text).expect_err("a fault");
            assert!(error.starts_with("line "), "{error}");
        }
    }
}
