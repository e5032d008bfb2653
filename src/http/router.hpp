#pragma once
/// The route table. `dispatch` is the only entry, for sockets and for the gateway alike: authentication, permission,
/// body limits, JSON parsing and idempotency run here once. OpenAPI is generated from the same table.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/entity.hpp"
#include "http/context.hpp"
#include "http/dispatcher.hpp"
#include "http/message.hpp"

namespace al::http {

/// One request on its way through a handler.
class Call {
 public:
  Call(Context& context, Request& request) : context(context), request(request) {}

  Context& context;
  Request& request;
  /// A UUIDv7 for what a call with an Idempotency-Key makes: a repeat gets the same, so that nothing is made twice when
  /// nobody knows what became of the first. Empty without a key.
  std::string made_id;

  /// The decoded path parameter `{name}` of the route. The router has checked its length and characters.
  [[nodiscard]] std::string const& path(std::string_view name) const;
  /// A query parameter; the last one wins. Parameters that the route does not declare were refused before (invalid).
  [[nodiscard]] std::optional<std::string_view> query(std::string_view name) const;
  /// As an integer within bounds. Errors: invalid, naming the parameter.
  [[nodiscard]] Result<std::int64_t> query_int(std::string_view name, std::int64_t fallback, std::int64_t min,
                                               std::int64_t max) const;
  /// The parsed JSON body; a null Input when the route takes none. Its text moved here from `request.body`.
  [[nodiscard]] json::Input body() const;
  /// The version in `If-Match: "7"`, when sent. Errors: bad_request when it is no ETag of ours.
  [[nodiscard]] Result<std::optional<std::int64_t>> if_match() const;

 private:
  friend class Router;
  friend class CallReader;
  std::vector<std::pair<std::string_view, std::string>> path_;
  std::optional<json::Source> body_;
};

using Handler = std::function<Task<Result<Response>>(Call&)>;

enum class Body { none, json, any };

struct Parameter {
  std::string_view name;
  std::string_view doc;
  std::string_view type = "string";         ///< JSON Schema type; integer, number and boolean are checked
  std::vector<std::string_view> choices{};  ///< when not empty, other values are refused
  bool required = false;                    ///< a request without it is refused (invalid)
  bool several = false;                     ///< of the choices, with commas between them
};

/// Which routes are served without /api/v1 as well.
enum class Bare {
  all,
  of_process,  ///< only those about the process itself: on this port other bare paths are pages
};

/// What the table knows of a route. Every route names a permission or says that it is open.
struct Route {
  Method method;
  std::string_view path;         ///< "/agents/{agent_id}"; served under /api/v1 and bare, see Bare
  std::string_view permission;   ///< "agents:read"; empty: open to everyone
  bool of_installation = false;  ///< about all organisations: only for the people of the tenant `default`
  std::string_view summary;
  std::vector<Parameter> query{};
  Body takes = Body::none;
  entity::Entity const* request = nullptr;   ///< for OpenAPI
  entity::Entity const* response = nullptr;  ///< for OpenAPI; of one element when `list` names the key
  std::string_view list{};                   ///< "agents": the response is {agents: [...], count, next_cursor}
  entity::Entity const* head = nullptr;      ///< for OpenAPI; of what stands before the list in such a response
  int success = 200;
  std::vector<Code> errors{};  ///< beyond those that every route can answer
  std::size_t body_max = 1 << 20;
  bool idempotent_key = true;  ///< POST honours Idempotency-Key; off for routes that return secrets
  /// A call whose outcome nobody knows may run again under its key: the state that it changes, the client's own name or
  /// Call::made_id keeps it from being done twice.
  bool repeatable = true;
  bool of_process = false;      ///< about the process itself: served bare on every port
  bool passes_through = false;  ///< query and Idempotency-Key are for someone behind the handler: not looked at here
  ErrorFormat error_format = problem;
  std::chrono::seconds time_max{0};  ///< for the handler; 0: the server's limit
  /// For requests with a body that work for their client only: the handler is cancelled when the client leaves, also
  /// when it only half closes. A stream of it has an end, for which a server that drains waits.
  bool ends_with_client = false;
  /// For WebSockets alone: a GET, whose handler sees only requests with a valid handshake (else 426 or 400) and agrees
  /// with a WebSocketSession. Whose pages may connect (Origin) is for the handler to say.
  bool websocket = false;
  Handler handler;
};

/// Finds the principal of a request. Errors: unauthenticated.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  [[nodiscard]] virtual Task<Result<Principal>> authenticate(Request const&, Deadline) = 0;
};

/// Remembers answers by Idempotency-Key. See DESIGN "HTTP conventions".
class Idempotency {
 public:
  struct Stored {
    int status;
    std::string location;
    std::string body;
  };
  struct Use {
    std::string_view route;
    std::string_view key;
    std::string_view body_hash;
    bool is_repeatable;
  };
  struct Begun {
    std::optional<Stored> answer;
    std::string made_id;
  };
  virtual ~Idempotency() = default;
  /// The stored answer; without one the caller owns the key until `store`, `release` or `abandon`.
  /// Errors: idempotency_mismatch (another body), conflict (the first call is still running, or nobody knows what
  /// became of it and it may not run again).
  [[nodiscard]] virtual Task<Result<Begun>> begin(Actor const&, Use, Deadline) = 0;
  [[nodiscard]] virtual Task<void> store(Actor const&, std::string_view route, std::string_view key, Stored,
                                         Deadline) = 0;
  /// Nothing was done: the key is as new.
  [[nodiscard]] virtual Task<void> release(Actor const&, std::string_view route, std::string_view key, Deadline) = 0;
  /// Nobody knows what was done: the next call with this key and body may go on in place of this one.
  [[nodiscard]] virtual Task<void> abandon(Actor const&, std::string_view route, std::string_view key, Deadline) = 0;
};

/// All routes are added before the first dispatch; after that any thread may use it.
class Router final : public Dispatcher {
 public:
  /// Both may be null in tests. Without an authenticator the principal is the one that the Context brings, and routes
  /// with a permission refuse a Context without one. Without Idempotency keys are checked and then ignored.
  Router(Authenticator*, Idempotency*, Random&, Bare = Bare::all);
  ~Router() override;
  Router(Router const&) = delete;
  Router& operator=(Router const&) = delete;

  /// Two routes of one method and path, and a path that does not begin with '/', are errors of ours (assert).
  void add(Route);
  [[nodiscard]] std::vector<Route> const& routes() const;

  [[nodiscard]] Task<Response> dispatch(Context, Request) override;
  [[nodiscard]] std::optional<RouteLimits> limits(Method, std::string_view path) const override;

  /// The OpenAPI 3.1 document of this table, as JSON text.
  [[nodiscard]] std::string openapi(std::string_view title, std::string_view version) const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

/// The one map from error to status.
[[nodiscard]] int status_of(Code);
/// A body of one described object with its ETag (`"version"`), and Location when created.
[[nodiscard]] Response entity_response(int status, std::string json, std::int64_t version, std::string location = {});

}  // namespace al::http
