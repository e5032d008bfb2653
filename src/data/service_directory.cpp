#include "data/service_directory.hpp"

#include "core/log.hpp"

namespace al::data {

namespace {

constexpr std::chrono::seconds age_max{1};

}  // namespace

ServiceDirectory::ServiceDirectory(ServiceStore& store, events::Bus& bus, Clock const& clock)
    : store_(store), clock_(clock), changes_(std::make_shared<std::atomic<std::uint64_t>>(1)) {
  bus.on("service:*", [changes = changes_](events::Announcement const&) { changes->fetch_add(1); });
}

ServiceDirectory::Pointer ServiceDirectory::take_turn() {
  std::scoped_lock const lock(mutex_);
  auto const now = clock_.steady();
  auto const changes = changes_->load();
  bool const is_fresh = known_ && changes == known_changes_ && now - known_at_ < age_max;
  if (is_fresh || (known_ && is_reading_))
    return known_;
  is_reading_ = true;
  // From before the reading: what is announced meanwhile is looked for once more.
  known_at_ = now;
  known_changes_ = changes;
  return nullptr;
}

void ServiceDirectory::put(Pointer snapshot) {
  std::scoped_lock const lock(mutex_);
  is_reading_ = false;
  if (snapshot)
    known_ = std::move(snapshot);
}

ServiceDirectory::Pointer ServiceDirectory::last_known(std::exception_ptr const& fault) {
  std::scoped_lock const lock(mutex_);
  try {
    std::rethrow_exception(fault);
  } catch (Fault const& why) {
    if (!known_)
      throw;
    log::warning("services could not be looked up; what is known of them may be old",
                 {{"reason", std::string_view(why.what())}});
    return known_;
  }
}

Task<std::shared_ptr<ServiceDirectory::Instances const>> ServiceDirectory::of(std::string service, Deadline deadline) {
  auto snapshot = take_turn();
  if (!snapshot) {
    std::exception_ptr fault;
    try {
      std::map<std::string, Instances> found;
      for (auto& instance : co_await store_.all({}, deadline))
        found[instance.name.value].push_back(std::move(instance));
      auto fresh = std::make_shared<Snapshot>();
      for (auto& [name, instances] : found)
        fresh->services.emplace(name, std::make_shared<Instances const>(std::move(instances)));
      snapshot = std::move(fresh);
    } catch (...) {
      fault = std::current_exception();
    }
    put(snapshot);
    if (fault)
      snapshot = last_known(fault);
  }
  auto const found = snapshot->services.find(service);
  co_return found == snapshot->services.end() ? nullptr : found->second;
}

}  // namespace al::data
