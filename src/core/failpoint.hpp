#pragma once
/// Named places where a test makes the process fail. They stand before and after each durable write and each send.
/// Compiled out unless AL_FAILPOINTS is defined (debug, tsan and torture builds).
///
/// Armed by the variable AL_FAILPOINTS: "storage.commit.before=crash@3;bus.announce=error" means: the third time the
/// first is reached, die at once as by kill -9; each time the second is reached, throw al::Unavailable.
/// Actions: crash, error, delay:MILLISECONDS; `@N` the N-th time only, `%N` every N-th time.

///
/// A planted bug is the other way round: a wrong behaviour that a test switches on to prove that another test would
/// notice it. Named in the variable AL_PLANTED_BUG, one at a time.

#include <string_view>

namespace al::failpoint {

#ifdef AL_FAILPOINTS
void reach(std::string_view name);
/// Replaces what is armed; the text is as in the variable. For tests.
void arm(std::string_view text);
/// Whether AL_PLANTED_BUG names this one.
[[nodiscard]] bool planted(std::string_view bug);
#endif

}  // namespace al::failpoint

#ifdef AL_FAILPOINTS
#define AL_FAILPOINT(name) ::al::failpoint::reach(name)
#define AL_PLANTED_BUG(name) ::al::failpoint::planted(name)
#else
#define AL_FAILPOINT(name) static_cast<void>(0)
#define AL_PLANTED_BUG(name) false
#endif
