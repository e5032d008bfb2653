/// The half of the dispatcher that turns outcomes into answers or further attempts.

#include <algorithm>
#include <iterator>

#include "core/fault.hpp"
#include "core/log.hpp"
#include "storage/postgres_dispatcher.hpp"

namespace al::storage::postgres {
namespace {

/// Times a transaction that certainly did nothing is sent again.
constexpr int attempts_max = 4;
/// Times a read is sent in all when its connection breaks: the second loss is no coincidence.
constexpr int read_attempts_max = 2;

std::string describe(Failure const& failure, Work const& work) {
  std::string text(failure.query ? work.queries[*failure.query].sql->name : "settings");
  text += ": " + failure.message + " (SQLSTATE " + failure.sqlstate;
  if (!failure.constraint.empty())
    text += ", constraint " + failure.constraint;
  return text + ")";
}

}  // namespace

void Dispatcher::on_answer(std::unique_ptr<Frame> frame, Outcome outcome) {
  std::unique_ptr<Work> work(static_cast<Work*>(frame.release()));
  if (auto* group = std::get_if<RowGroup>(&work->caller); group != nullptr && group->is_counted) {
    group->is_counted = false;
    --group->line->groups_in_flight;
  }
  if (auto* rows = std::get_if<std::vector<Rows>>(&outcome)) {
    succeed(*work, std::move(*rows));
  } else if (auto const* failure = std::get_if<Failure>(&outcome)) {
    fail(std::move(work), *failure);
  } else {
    lost(std::move(work), std::get<Lost>(outcome));
  }
}

void Dispatcher::succeed(Work& work, std::vector<Rows> rows) {
  if (auto* reader = std::get_if<Work::Reader>(&work.caller)) {
    (*reader)->set(std::move(rows.front()));
    wakeups_.add(std::move(*reader));
  } else if (auto* writer = std::get_if<Work::Writer>(&work.caller)) {
    (*writer)->set(std::move(rows));
    wakeups_.add(std::move(*writer));
  } else {
    auto& group = std::get<RowGroup>(work.caller);
    for (std::size_t i = 0; i < group.sections.size(); ++i) {
      succeed_section(*group.line, group.sections[i], std::move(rows[i]));
    }
  }
}

// Of several callers who mean the same row a statement serves one, so having no answer says something only to a caller
// who was alone in it. The others wait for another turn, like new calls: a tenant that writes one row a thousand times
// holds nobody up. Nothing was done for them, since a statement answers for every row that took effect.
void Dispatcher::succeed_section(RowLine& line, RowSection& section, Rows rows) {
  auto& calls = section.calls;
  bool const was_alone = calls.size() == 1;
  std::vector<std::optional<Row>> answers;
  std::exception_ptr defect;
  try {
    answers = rows_of_callers(std::move(rows), calls.size());
  } catch (Fault const&) {
    defect = std::current_exception();
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    if (!defect && !answers[i] && !was_alone) {
      submit_alone(line, section.tenant, std::move(calls[i]));
      continue;
    }
    auto& waiter = calls[i].waiter;
    if (defect) {
      waiter->set_exception(defect);
    } else if (answers[i]) {
      waiter->set(std::move(*answers[i]));
    } else {
      waiter->set(al::fail(error_of(FailureKind::conflict, line.sql->name)));
    }
    wakeups_.add(std::move(waiter));
  }
}

void Dispatcher::submit_alone(RowLine& line, std::string const& tenant, RowCall call) {
  ++gauges_.waiting;
  std::vector<RowSection> sections;
  sections.push_back({.tenant = tenant, .calls = {std::move(call)}});
  submit(make_group(line, std::move(sections)));
}

void Dispatcher::fail(std::unique_ptr<Work> work, Failure const& failure) {
  auto kind = classify(failure.sqlstate);
  auto const text = describe(failure, *work);
  if (kind == FailureKind::again && work->attempts < attempts_max) {
    retry(std::move(work));
    return;
  }
  if (kind == FailureKind::unavailable || failure.sqlstate.starts_with("40")) {
    fault(*work, std::make_exception_ptr(Unavailable(text)));
    return;
  }
  // A single caller's row made the whole group fail; it is looked for, so that the others get their answers.
  auto const* group = std::get_if<RowGroup>(&work->caller);
  if (group != nullptr && group->size() > 1) {
    isolate(*work, failure.query);
    return;
  }
  bool const is_expected = kind == FailureKind::conflict || kind == FailureKind::invalid;
  if (is_expected && failure.query && !std::holds_alternative<Work::Reader>(work->caller)) {
    log::debug("a statement was refused", {{"reason", text}});
    refuse(*work, error_of(kind, work->queries[*failure.query].sql->name));
  } else {
    fault(*work, std::make_exception_ptr(Fault(text)));
  }
}

void Dispatcher::lost(std::unique_ptr<Work> work, Lost const& lost) {
  if (lost.maybe_committed && !work->read_only) {
    fault(*work, std::make_exception_ptr(
                     OutcomeUnknown("the connection broke before the commit was confirmed: " + lost.reason)));
  } else if (work->attempts < (lost.maybe_committed ? read_attempts_max : attempts_max)) {
    retry(std::move(work));
  } else {
    fault(*work, std::make_exception_ptr(Unavailable("the database connection broke: " + lost.reason)));
  }
}

void Dispatcher::retry(std::unique_ptr<Work> work) {
  gauges_.waiting += work->callers();
  retries_.push_back(std::move(work));
}

// Several tenants: the guilty one goes alone, the others together. One tenant: two halves.
void Dispatcher::isolate(Work& work, std::optional<std::size_t> guilty) {
  auto& [line, sections, is_counted] = std::get<RowGroup>(work.caller);
  std::vector<RowSection> first;
  std::vector<RowSection> second;
  if (sections.size() > 1) {
    auto const at = std::min(guilty.value_or(0), sections.size() - 1);
    first.push_back(std::move(sections[at]));
    sections.erase(sections.begin() + static_cast<std::ptrdiff_t>(at));
    second = std::move(sections);
  } else {
    auto& [tenant, calls] = sections.front();
    auto const middle = calls.begin() + std::ssize(calls) / 2;
    first.push_back(
        {.tenant = tenant, .calls = {std::make_move_iterator(calls.begin()), std::make_move_iterator(middle)}});
    second.push_back(
        {.tenant = tenant, .calls = {std::make_move_iterator(middle), std::make_move_iterator(calls.end())}});
  }
  retry(make_group(*line, std::move(first)));
  retry(make_group(*line, std::move(second)));
}

void Dispatcher::refuse(Work& work, Error const& error) {
  if (auto* writer = std::get_if<Work::Writer>(&work.caller)) {
    (*writer)->set(al::fail(error));
    wakeups_.add(std::move(*writer));
  } else if (auto* group = std::get_if<RowGroup>(&work.caller)) {
    for (auto& section : group->sections) {
      for (auto& call : section.calls) {
        call.waiter->set(al::fail(error));
        wakeups_.add(std::move(call.waiter));
      }
    }
  }
}

void Dispatcher::fault(Work& work, std::exception_ptr const& error) {
  auto const wake = [&](auto& waiter) {
    waiter->set_exception(error);
    wakeups_.add(std::move(waiter));
  };
  if (auto* reader = std::get_if<Work::Reader>(&work.caller)) {
    wake(*reader);
  } else if (auto* writer = std::get_if<Work::Writer>(&work.caller)) {
    wake(*writer);
  } else {
    for (auto& section : std::get<RowGroup>(work.caller).sections) {
      for (auto& call : section.calls)
        wake(call.waiter);
    }
  }
}

}  // namespace al::storage::postgres
