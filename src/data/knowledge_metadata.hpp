#pragma once
/// The metadata of knowledge: an object that clients write as they like, in which some members are ours.

#include <string>
#include <string_view>

#include "model/knowledge.hpp"

namespace al::data {

/// The text of `in` as it was written, where there is one.
[[nodiscard]] std::string text_of(json::Input in);

/// Appends to members that stand one after another, as between an object's braces.
void append_member(std::string& members, std::string_view key, std::string_view value);

/// `metadata` with the member `key`, put at the end; the values of the others stay as they were written.
[[nodiscard]] std::string with_member(std::string const& metadata, std::string_view key, std::string_view value);

[[nodiscard]] std::size_t metadata_bytes_max();

/// Tags are kept in `metadata.tags`, where the prototype had them. What stands there and is no text is none.
void read_tags(model::Knowledge&);
/// Errors: invalid, when a tag is empty or too long, or metadata becomes too large.
[[nodiscard]] Result<void> write_tags(model::Knowledge&);

}  // namespace al::data
