#pragma once
/// What the values of options may be. Help and completion show it, and anything else ends the program with exit code 2
/// before a server is asked. Each function answers the option that it was given.

#include <CLI/App.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <cstdint>
#include <string>

namespace al::app {

/// "a|b|c": the values of an enumeration.
template <class E>
[[nodiscard]] std::string choices_of() {
  std::string out;
  boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>(
      [&](auto const& enumerator) { out.append(out.empty() ? "" : "|").append(enumerator.name); });
  return out;
}

/// One of `choices`, written as "a|b|c".
CLI::Option* take_choice(CLI::Option*, std::string const& choices);

CLI::Option* take_number(CLI::Option*, std::int64_t min, std::int64_t max);

/// A JSON object, as text.
CLI::Option* take_object(CLI::Option*);

/// A day, as 2026-01-31.
CLI::Option* take_day(CLI::Option*);

}  // namespace al::app
