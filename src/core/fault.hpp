#pragma once
#include <stdexcept>
#include <string>

namespace al {

/// A fault: nothing the caller did. Caught once a request or background loop, logged, counted, answered 503.
/// `what()` is for the log and may name hosts or files; it is never shown to a client.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A dependency (database, Redis, a model provider) cannot be reached or is overloaded.
class Unavailable : public Fault {
 public:
  using Fault::Fault;
};

/// The connection broke after a write was sent: it may have been committed. The caller, who made the row's id before
/// the first attempt, reads by that id before it tries again.
class OutcomeUnknown : public Fault {
 public:
  using Fault::Fault;
};

}  // namespace al
