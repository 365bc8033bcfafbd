//! Lists of texts in the config, such as an order of profiles: comments between their elements stay.

use jsonc_parser::cst::{CstArray, CstInputValue};
use serde_json::Value;

use super::{ConfigEditor, EditError};

impl ConfigEditor {
    /// Puts `text` first in the list at a path of keys, where it then stands once.
    ///
    /// # Errors
    /// If there is no list.
    pub fn put_first(&mut self, keys: &[&str], text: &str) -> Result<(), EditError> {
        if self.places(keys, text) == [0] {
            return Ok(());
        }
        self.take_out(keys, text)?;
        self.list(keys)?.insert(0, CstInputValue::String(text.to_owned()));
        if let Some(meant) = self.meant_list(keys)? {
            meant.insert(0, Value::String(text.to_owned()));
        }
        Ok(())
    }

    /// Takes `text` out of the list at a path of keys, wherever it stands in it.
    ///
    /// # Errors
    /// If there is no list.
    pub fn take_out(&mut self, keys: &[&str], text: &str) -> Result<(), EditError> {
        for index in self.places(keys, text).into_iter().rev() {
            if let Some(element) = self.list(keys)?.elements().into_iter().nth(index) {
                element.remove();
            }
            if let Some(meant) = self.meant_list(keys)? {
                meant.remove(index);
            }
        }
        Ok(())
    }

    /// Where `text` stands in a list.
    fn places(&self, keys: &[&str], text: &str) -> Vec<usize> {
        let elements = self.get(keys).and_then(Value::as_array);
        let elements = elements.into_iter().flatten().enumerate();
        elements
            .filter(|(_, element)| element.as_str().map(str::trim) == Some(text))
            .map(|(index, _)| index)
            .collect()
    }

    fn list(&self, keys: &[&str]) -> Result<CstArray, EditError> {
        let (last, parents) = keys.split_last().ok_or_else(|| self.entangled())?;
        let array = self.object(parents)?.array_value(last);
        array.ok_or_else(|| self.misplaced(keys, "a list"))
    }

    fn meant_list(&mut self, keys: &[&str]) -> Result<Option<&mut Vec<Value>>, EditError> {
        let (last, parents) = keys.split_last().ok_or_else(|| self.entangled())?;
        let parent = self.meant_object(parents)?;
        Ok(parent.get_mut(*last).and_then(Value::as_array_mut))
    }
}
