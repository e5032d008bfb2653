#include "http/faults.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <string>

#include "core/async.hpp"
#include "core/fault.hpp"
#include "core/log.hpp"

namespace al::http {

bool is_cancellation(std::exception_ptr const& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (boost::system::system_error const& error) {
    return error.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

Error describe_fault(std::exception_ptr const& thrown, std::string_view request_id, std::string_view target) {
  Error error{.code = Code::internal, .message = "Something went wrong here. The log has it under this request id."};
  std::string what = "an exception of unknown type";
  try {
    std::rethrow_exception(thrown);
  } catch (OutcomeUnknown const& fault) {
    error = {.code = Code::unavailable,
             .message =
                 "A part of the system went away before it said whether this was done. Repeat it under the "
                 "same Idempotency-Key, or look before you repeat it."};
    what = fault.what();
  } catch (Unavailable const& fault) {
    error = {.code = Code::unavailable, .message = "A part of the system cannot be reached. Try again."};
    what = fault.what();
  } catch (std::exception const& fault) {
    what = fault.what();
  } catch (...) {
    error.where = "unknown exception";
  }
  auto const path = target.substr(0, target.find('?'));
  log::error("request failed", {{"request_id", request_id}, {"path", path}, {"error", std::string_view(what)}});
  return error;
}

}  // namespace al::http
