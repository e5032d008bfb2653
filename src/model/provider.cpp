#include "model/provider.hpp"

namespace al::model {

namespace {

constexpr std::int64_t key_characters_max = 4096;

}  // namespace

// The fields reach their members from the address of a Provider, and that is also the address of the whole.
static_assert(std::is_standard_layout_v<ProviderInput>);

entity::Entity const& provider_input() {
  static entity::Entity const input = [] {
    using entity::detail::make_field;
    auto out = entity::entity<Provider>();
    out.name = "ProviderInput";
    entity::Note<&ProviderInput::key> const note{
        "The key that it is entered with. Kept sealed and never shown; null takes it away.",
        {.min = 1, .max = key_characters_max}};
    out.fields.push_back(make_field<ProviderInput>(note));
    return out;
  }();
  return input;
}

}  // namespace al::model
