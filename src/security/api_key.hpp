#pragma once
#include <string>
#include <string_view>

#include "core/random.hpp"
#include "data/api_key_store.hpp"

namespace al::security {

/// "al_" and 256 random bits: the prefix lets scanners of leaked secrets recognise it.
[[nodiscard]] std::string new_api_key(Random&);

/// What is kept of a key. A plain SHA-256 is enough for what cannot be guessed. Of a key that a person chose nothing is
/// shown, for it may be short.
[[nodiscard]] data::NewKey stored_form(std::string_view key);

}  // namespace al::security
