#include "storage/postgres_connection.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/failpoint.hpp"
#include "core/fault.hpp"

namespace al::storage::postgres {
namespace {

/// A program has some hundred statements; what is beyond this is sent unnamed.
constexpr std::size_t prepared_max = 1000;
/// How much longer than its statement timeout a frame may take before the connection counts as dead.
constexpr std::chrono::seconds answer_grace{5};

struct ClearResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPointer = std::unique_ptr<PGresult, ClearResult>;

std::string text_or_empty(char const* text) { return text == nullptr ? std::string() : std::string(text); }

bool is_fatal(PGresult const* result) {
  auto const severity = text_or_empty(PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED));
  return severity == "FATAL" || severity == "PANIC";
}

std::string system_setting(std::string const& tenant) { return tenant.empty() ? "on" : ""; }

void ignore_notice(void* /*unused*/, PGresult const* /*unused*/) {}

}  // namespace

void Connection::Finisher::operator()(pg_conn* connection) const { PQfinish(connection); }

Connection::Connection(asio::io_context& io, ConnectInfo const& info, Owner owner)
    : io_(io), info_(info), owner_(std::move(owner)) {
  view_.opened_at = std::chrono::steady_clock::now();
}

Connection::~Connection() {
  if (socket_)
    socket_->release();
}

std::string Connection::error_text() const {
  auto text = text_or_empty(PQerrorMessage(pg_.get()));
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

// ---- opening ----

Task<void> Connection::open() {
  auto const self = shared_from_this();
  auto const endpoints = co_await resolve(info_);
  std::string reasons;
  for (auto const& endpoint : endpoints) {
    if (closed_)
      break;
    try {
      co_await open_endpoint(endpoint);
      co_return;
    } catch (Unavailable const& fault) {
      reasons += (reasons.empty() ? "" : "; ") + std::string(fault.what());
    }
    if (socket_)
      socket_->release();
    socket_.reset();
    pg_.reset();
  }
  throw Unavailable("cannot connect to PostgreSQL: " + reasons);
}

void Connection::watch_time(asio::steady_timer& timer) {
  timed_out_ = false;
  timer.expires_after(info_.connect_timeout);
  timer.async_wait([weak = weak_from_this(), attempt = ++attempt_](boost::system::error_code error) {
    auto const self = weak.lock();
    if (error || !self || self->attempt_ != attempt)
      return;
    self->timed_out_ = true;
    if (self->socket_)
      self->socket_->cancel();
  });
}

Task<void> Connection::open_endpoint(Endpoint const& endpoint) {
  asio::steady_timer timer(io_);
  watch_time(timer);
  start(endpoint);
  co_await shake_hands();
  PQsetNoticeReceiver(pg_.get(), ignore_notice, nullptr);
  co_await find_out_role();
  ++attempt_;  // the timer may have fired already, without its handler having run
  if (PQenterPipelineMode(pg_.get()) != 1)
    throw Unavailable(error_text());
  view_.state = ConnectionState::ready;
  view_.idle_since = std::chrono::steady_clock::now();
  socket_.emplace(io_, PQsocket(pg_.get()));
  watch_readable();
}

void Connection::start(Endpoint const& endpoint) {
  std::vector<char const*> names;
  std::vector<char const*> values;
  auto const add = [&](char const* name, std::string const& value) {
    if (value.empty())
      return;
    names.push_back(name);
    values.push_back(value.c_str());
  };
  for (auto const& [name, value] : info_.parameters)
    add(name.c_str(), value);
  add("host", endpoint.host);
  add("hostaddr", endpoint.address);
  add("port", endpoint.port);
  names.push_back(nullptr);
  values.push_back(nullptr);
  pg_.reset(PQconnectStartParams(names.data(), values.data(), 0));
  if (!pg_ || PQstatus(pg_.get()) == CONNECTION_BAD)
    throw Unavailable(error_text());
}

Task<void> Connection::wait(asio::posix::descriptor_base::wait_type direction) {
  // libpq may replace its socket between two steps (next address, TLS refused), so Asio holds it for one wait only.
  socket_.emplace(io_, PQsocket(pg_.get()));
  co_await socket_->async_wait(direction, asio::as_tuple(asio::use_awaitable));
  if (socket_)
    socket_->release();
  socket_.reset();
  if (timed_out_)
    throw Unavailable("the server did not answer within the connect timeout");
  if (closed_)
    throw Unavailable("closed while connecting");
}

Task<void> Connection::shake_hands() {
  auto direction = asio::posix::descriptor_base::wait_write;
  while (true) {
    co_await wait(direction);
    switch (PQconnectPoll(pg_.get())) {
      case PGRES_POLLING_OK:
        co_return;
      case PGRES_POLLING_READING:
        direction = asio::posix::descriptor_base::wait_read;
        break;
      case PGRES_POLLING_WRITING:
        direction = asio::posix::descriptor_base::wait_write;
        break;
      default:
        throw Unavailable(error_text());
    }
  }
}

// Superusers and roles with BYPASSRLS are not bound by row-level security, so their transactions change to al_app.
Task<void> Connection::find_out_role() {
  PQsetnonblocking(pg_.get(), 1);
  constexpr auto question = "SELECT rolsuper OR rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = current_user";
  if (PQsendQuery(pg_.get(), question) != 1)
    throw Unavailable(error_text());
  bool bypasses = false;
  while (true) {
    if (PQflush(pg_.get()) == 1)
      co_await wait(asio::posix::descriptor_base::wait_write);
    while (PQisBusy(pg_.get()) == 1) {
      co_await wait(asio::posix::descriptor_base::wait_read);
      if (PQconsumeInput(pg_.get()) != 1)
        throw Unavailable(error_text());
    }
    ResultPointer const result(PQgetResult(pg_.get()));
    if (!result)
      break;
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) != 1)
      throw Unavailable(error_text());
    bypasses = std::string_view(PQgetvalue(result.get(), 0, 0)) == "t";
  }
  auto const settings = [](char const* name, std::string text) {
    return std::make_shared<Sql const>(Sql{.name = name, .text = std::move(text), .prepared_name = name});
  };
  FrameSettings const write{.by_key = true, .as_al_app = bypasses, .names_options = !info_.prepared};
  FrameSettings const read{.read_only = true, .as_al_app = bypasses, .names_options = !info_.prepared};
  write_settings_ = settings("al_write", settings_sql(write));
  read_settings_ = settings("al_read", settings_sql(read));
  tenant_settings_ = settings("al_tenant", std::string(tenant_sql));
}

// ---- sending ----

void Connection::send(std::unique_ptr<Frame>& frame) {
  if (!frame->read_only)
    AL_FAILPOINT("storage.commit.before");
  InFlight flight;
  flight.read_only = frame->read_only;
  flight.timeout = frame->timeout;
  flight.rows.resize(frame->queries.size());
  bool sent = send_settings(flight, *frame);
  for (std::size_t i = 0; sent && i < frame->queries.size(); ++i) {
    auto const& query = frame->queries[i];
    if (i > 0 && query.tenant != frame->queries[i - 1].tenant)
      sent = send_tenant(flight, query.tenant);
    sent = sent && send_statement(flight, StepKind::query, i, *query.sql, query.parameters);
  }
  flight.frame = std::move(frame);
  if (!sent) {
    // Without its sync the server rolls back what it has of this frame when the connection closes.
    owner_.on_answer(std::move(flight.frame), Lost{.maybe_committed = false, .reason = error_text()});
    lose(error_text());
    return;
  }
  if (!send_sync(std::move(flight)))
    lose(error_text());
}

bool Connection::send_settings(InFlight& flight, Frame const& frame) {
  auto const& tenant = frame.queries.front().tenant;
  Parameters const parameters{tenant, system_setting(tenant), std::to_string(frame.timeout.count())};
  auto const& sql = frame.read_only ? *read_settings_ : *write_settings_;
  return send_statement(flight, StepKind::settings, 0, sql, parameters);
}

bool Connection::send_tenant(InFlight& flight, std::string const& tenant) {
  return send_statement(flight, StepKind::settings, 0, *tenant_settings_, {tenant, system_setting(tenant)});
}

bool Connection::send_statement(InFlight& flight, StepKind kind, std::size_t query, Sql const& sql,
                                Parameters const& parameters) {
  std::vector<char const*> values;
  values.reserve(parameters.size());
  for (auto const& parameter : parameters)
    values.push_back(parameter ? parameter->c_str() : nullptr);
  auto const count = static_cast<int>(values.size());
  auto const known = info_.prepared ? prepared_.find(sql.prepared_name) : prepared_.end();
  bool named = known != prepared_.end() && known->second;
  if (known == prepared_.end() && info_.prepared && prepared_.size() < prepared_max) {
    if (PQsendPrepare(pg_.get(), sql.prepared_name.c_str(), sql.text.c_str(), count, nullptr) != 1)
      return false;
    prepared_.emplace(sql.prepared_name, false);
    flight.steps.push_back({.kind = StepKind::prepare, .prepares = sql.prepared_name});
    named = true;
  }
  flight.steps.push_back({.kind = kind, .query = query});
  if (named) {
    return PQsendQueryPrepared(pg_.get(), sql.prepared_name.c_str(), count, values.data(), nullptr, nullptr, 0) == 1;
  }
  return PQsendQueryParams(pg_.get(), sql.text.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0) == 1;
}

bool Connection::send_sync(InFlight flight) {
  flight.steps.push_back({.kind = StepKind::sync});
  if (flights_.empty())
    view_.busy_since = std::chrono::steady_clock::now();
  flights_.push_back(std::move(flight));
  view_.in_flight = flights_.size();
  if (PQpipelineSync(pg_.get()) != 1)
    return false;
  auto const left = PQflush(pg_.get());
  if (left == 1)
    watch_writable();
  return left >= 0;
}

void Connection::check() {
  view_.state = ConnectionState::checking;
  if (!send_sync({}))
    lose(error_text());
}

void Connection::leave() {
  view_.state = ConnectionState::leaving;
  if (flights_.empty())
    lose("closed");
}

void Connection::lose(std::string const& reason) {
  if (closed_)
    return;
  closed_ = true;
  auto const self = shared_from_this();
  bool const was_open = view_.state != ConnectionState::opening;
  if (socket_) {
    socket_->cancel();
    // While it opens, the coroutine that waits on the socket releases it.
    if (was_open) {
      socket_->release();
      socket_.reset();
    }
  }
  if (was_open)
    pg_.reset();
  auto flights = std::move(flights_);
  flights_.clear();
  view_.in_flight = 0;
  view_.state = ConnectionState::leaving;
  bool front = true;
  for (auto& flight : flights) {
    // The server works at one frame after the other. When it said that it gives up, it had not reached the later ones,
    // and not committed the front one unless the message came in place of the answer to its sync.
    bool const at_sync = flight.steps.empty() || flight.steps.front().kind == StepKind::sync;
    bool const maybe_committed = server_gave_up_ ? front && at_sync : true;
    front = false;
    if (!flight.frame)
      continue;
    if (flight.failure) {
      owner_.on_answer(std::move(flight.frame), std::move(*flight.failure));
    } else {
      owner_.on_answer(std::move(flight.frame), Lost{.maybe_committed = maybe_committed, .reason = reason});
    }
  }
  if (was_open)
    owner_.on_change(*this);
}

bool Connection::is_overdue(SteadyTime now) const {
  return !flights_.empty() && now - view_.busy_since > flights_.front().timeout + answer_grace;
}

void Connection::watch_writable() {
  if (writing_)
    return;
  writing_ = true;
  socket_->async_wait(asio::posix::descriptor_base::wait_write,
                      [self = shared_from_this()](boost::system::error_code error) {
                        self->writing_ = false;
                        if (error || self->closed_)
                          return;
                        auto const left = PQflush(self->pg_.get());
                        if (left == 1)
                          self->watch_writable();
                        if (left < 0)
                          self->lose(self->error_text());
                      });
}

// ---- receiving ----

// Always armed, so that an idle connection notices at once when its server goes away.
void Connection::watch_readable() {
  socket_->async_wait(asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                        if (error || self->closed_)
                          return;
                        self->on_readable();
                      });
}

void Connection::on_readable() {
  bool const alive = PQconsumeInput(pg_.get()) == 1;
  drain();
  if (!closed_ && (!alive || PQstatus(pg_.get()) == CONNECTION_BAD))
    lose(error_text());
  if (closed_)
    return;
  if (view_.state == ConnectionState::leaving && flights_.empty()) {
    lose("closed");
    return;
  }
  watch_readable();
  owner_.on_change(*this);
}

void Connection::drain() {
  while (!closed_ && !flights_.empty() && PQisBusy(pg_.get()) == 0) {
    ResultPointer const result(PQgetResult(pg_.get()));
    if (!result) {
      take_end_of_step();
    } else if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) {
      finish_front();
    } else {
      take_result(result.get());
    }
  }
}

// libpq marks the end of each statement's results by a null. An error at the sync itself has one too, but the sync is
// over only with its own result.
void Connection::take_end_of_step() {
  auto& steps = flights_.front().steps;
  if (steps.empty() || !steps.front().answered) {
    lose("libpq answered out of step");
    return;
  }
  if (steps.front().kind == StepKind::sync) {
    steps.front().answered = false;
  } else {
    steps.pop_front();
  }
}

void Connection::take_result(pg_result const* result) {
  auto& flight = flights_.front();
  auto& step = flight.steps.front();
  step.answered = true;
  switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
      if (step.kind == StepKind::query)
        take_rows(flight, step.query, result);
      break;
    case PGRES_COMMAND_OK:
      if (step.kind == StepKind::prepare)
        prepared_[step.prepares] = true;
      break;
    case PGRES_EMPTY_QUERY:
      break;
    case PGRES_FATAL_ERROR:
      take_failure(flight, result);
      [[fallthrough]];
    case PGRES_PIPELINE_ABORTED:
      if (step.kind == StepKind::prepare)
        prepared_.erase(step.prepares);
      break;
    default:
      lose("the server answered with a kind of result that is not used here");
      break;
  }
}

void Connection::take_rows(InFlight& flight, std::size_t query, pg_result const* result) {
  if (!flight.frame || flight.frame->queries[query].sql->discards_rows)
    return;
  int const columns = PQnfields(result);
  int const count = PQntuples(result);
  auto& rows = flight.rows[query];
  rows.reserve(static_cast<std::size_t>(count));
  try {
    for (int i = 0; i < count; ++i) {
      auto& row = rows.emplace_back();
      row.reserve(static_cast<std::size_t>(columns));
      for (int j = 0; j < columns; ++j) {
        if (PQgetisnull(result, i, j) == 1) {
          row.emplace_back();
        } else {
          std::string_view const text(PQgetvalue(result, i, j), static_cast<std::size_t>(PQgetlength(result, i, j)));
          row.push_back(decode(PQftype(result, j), text));
        }
      }
    }
  } catch (Fault const& fault) {
    flight.failure = Failure{.sqlstate = "XX000", .message = fault.what(), .constraint = {}, .query = query};
  }
}

void Connection::take_failure(InFlight& flight, pg_result const* result) {
  auto sqlstate = text_or_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  // Without a SQLSTATE it is libpq that complains, about a connection that is about to be found broken.
  if (sqlstate.empty())
    return;
  if (is_fatal(result)) {
    server_gave_up_ = true;
    return;
  }
  if (flight.failure)
    return;
  auto const& step = flight.steps.front();
  flight.failure = Failure{.sqlstate = std::move(sqlstate),
                           .message = text_or_empty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
                           .constraint = text_or_empty(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME)),
                           .query = {}};
  auto const next = std::ranges::find_if(flight.steps, [](Step const& s) { return s.kind != StepKind::prepare; });
  if (next != flight.steps.end() && next->kind == StepKind::query)
    flight.failure->query = next->query;
  if (step.kind == StepKind::sync && flight.frame && !flight.frame->queries.empty()) {
    // A deferred constraint; the last statement stands for the commit.
    flight.failure->query = flight.frame->queries.size() - 1;
  }
}

void Connection::finish_front() {
  auto flight = std::move(flights_.front());
  flights_.pop_front();
  auto const now = std::chrono::steady_clock::now();
  view_.in_flight = flights_.size();
  view_.busy_since = now;
  view_.idle_since = now;
  if (!flight.frame) {
    if (view_.state == ConnectionState::checking)
      view_.state = ConnectionState::ready;
    return;
  }
  Outcome outcome = std::move(flight.rows);
  if (flight.failure) {
    if (spoils_connection(flight.failure->sqlstate))
      view_.state = ConnectionState::leaving;
    outcome = std::move(*flight.failure);
  } else if (!flight.read_only) {
    try {
      AL_FAILPOINT("storage.commit.after");
    } catch (Unavailable const& fault) {
      outcome = Lost{.maybe_committed = true, .reason = fault.what()};
    }
  }
  owner_.on_answer(std::move(flight.frame), std::move(outcome));
}

}  // namespace al::storage::postgres
