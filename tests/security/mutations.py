"""Planted bugs: one change for each guard, and the test that must turn red with it.

    AL_MUTATION_BUILD=COMMAND PYTHONPATH=tests:tests/security python3 tests/security/mutations.py [NUMBER|TEST ...]

`AL_MUTATION_BUILD` is run by a shell in the root of a copy of the checkout, AL_MUTATION_COPY, after one change; it has
to leave the program at the path in AL_MUTATION_PROGRAM. With `--check` nothing is built: it is only made sure that each
text stands once in its file, that each test is there, and that README.md has each.
"""

import importlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST_TIMEOUT_S = 300


@dataclass(frozen=True)
class Mutation:
    guard: str
    file: str  # under src/
    text: str
    replacement: str
    test: str  # module.class.test


RIGHTS, KEYS, ROLES = "test_rights.DenyByDefault", "test_rights.Keys", "test_rights.Roles"
GUESSING, ACCOUNTS = "test_sign_in_attacks.Guessing", "test_sign_in_attacks.WhoHasAnAccount"
REFRESHING, COOKIES, TOKENS = "test_sessions.Refreshing", "test_sessions.Cookies", "test_forged_tokens.ForgedTokens"
TENANTS, SMUGGLING = "test_tenants.Tenants", "test_request_smuggling.RequestSmuggling.test_in_one_piece"
URLS, ASSIGNMENT = "test_outgoing_urls.OutgoingUrls", "test_mass_assignment.MassAssignment"
ON_SQLITE = '" expires_at = MIN(al_after($4), created_at + $5)"\n       '
LOCKED = "if (auto const left = co_await identity.failures.locked_for"

MUTATIONS = [
    # ---- who may do what ----
    Mutation(
        "a route asks for its permission",
        "http/router.cpp",
        "if (!context.principal.may(route.permission)) {",
        "if (false) {",
        f"{RIGHTS}.test_a_permission_opens_its_routes_and_no_others",
    ),
    Mutation(
        "and for a credential",
        "http/router.cpp",
        "if (checked && !route->permission.empty())",
        'if (checked && !route->permission.empty() && request.headers.find("Authorization"))',
        f"{RIGHTS}.test_the_permission_is_asked_for_before_the_body_is_read",
    ),
    Mutation(
        "a wildcard is that of one resource",
        "http/context.cpp",
        'return held.size() == resource.size() + 2 && held.ends_with(":*") && held.starts_with(resource);',
        'return !resource.empty() && held.ends_with(":*");',
        f"{RIGHTS}.test_only_whole_words_are_wild",
    ),
    Mutation(
        "nobody gives what he has not",
        "services/auth/identity.cpp",
        "if (!principal.may(permission))",
        "if (permission.empty() && !principal.may(permission))",
        f"{ROLES}.test_no_way_leads_to_more",
    ),
    Mutation(
        "a link for a password is no way to more",
        "services/auth/recovery.cpp",
        "if (auto const user = co_await require_may_act_for(identity, call, *id); !user)",
        "if (auto const user = co_await identity.users.get(call.context.principal.tenant, *id, deadline); !user)",
        f"{ROLES}.test_no_way_leads_to_more",
    ),
    Mutation(
        "nobody ends logins of who may do more",
        "services/auth/account.cpp",
        "if (auto const user = co_await require_may_act_for(identity, call, login->user_id); !user)",
        "if (auto const user = co_await identity.users.get(principal.tenant, login->user_id, call.context.deadline); "
        "!user)",
        f"{ROLES}.test_nobody_ends_logins_of_who_may_do_more",
    ),
    Mutation(
        "a role that is gone hides none behind it",
        "services/auth/identity.cpp",
        'gone.push_back({"roles[" + std::to_string(i) + "]", role.error().message});',
        'gone.push_back({"roles[" + std::to_string(i) + "]", role.error().message}); break;',
        f"{ROLES}.test_a_role_that_is_gone_hides_none_behind_it",
    ),
    Mutation(
        "a key makes no wider one",
        "services/auth/api_keys.cpp",
        "key->permissions); !is_limited_by_user && !ok)",
        "key->permissions); is_limited_by_user && !ok)",
        f"{KEYS}.test_a_key_makes_no_wider_one",
    ),
    Mutation(
        "a key does no more than its user",
        "security/token_authenticator.cpp",
        "is_login ? std::move(held) : common(access.key_permissions, held);",
        "is_login ? std::move(held) : common(access.key_permissions, access.key_permissions);",
        f"{KEYS}.test_a_key_ends_with_its_user",
    ),
    Mutation(
        "who is not active does not get in",
        "data/access_store.cpp",
        "std::string const is_active = \"u.status = 'active' AND u.deleted_at IS NULL\";",
        'std::string const is_active = "u.deleted_at IS NULL";',
        f"{KEYS}.test_a_key_ends_with_its_user",
    ),
    Mutation(
        "a key is no sign-in",
        "services/auth/identity.cpp",
        'return fail(Code::forbidden, "This is for a signed-in user; an API key has no account.");',
        "return model::UserId{principal.user_id};",
        f"{KEYS}.test_a_key_is_no_sign_in",
    ),
    Mutation(
        "a password that was printed opens only its change",
        "security/token_authenticator.cpp",
        "} else if (!access.must_change_password) {",
        "} else if (!access.must_change_password || is_login) {",
        "test_rights.FirstSignIn.test_a_password_that_was_made_up_opens_only_its_own_change",
    ),
    Mutation(
        "organisations are the operators'",
        "services/auth/organisations.cpp",
        "if (call.context.principal.tenant == default_tenant)",
        "if (!call.context.principal.tenant.value.empty())",
        "test_rights.Operators.test_an_organisations_administrator_runs_no_installation",
    ),
    # ---- signing in ----
    Mutation(
        "failures lock an address",
        "data/sign_in_failures.cpp",
        "f.failures + 1 >= $3 THEN al_after($4) ELSE NULL END",
        "f.failures + 1 >= $3 + 1000 THEN al_after($4) ELSE NULL END",
        f"{GUESSING}.test_five_failures_lock_whether_there_is_a_user_or_not",
    ),
    Mutation(
        "however it is written",
        "services/auth/sign_in.cpp",
        'return sha256_hex("account:" + data::normal_email(email));',
        'return sha256_hex("account:" + email);',
        f"{GUESSING}.test_a_lock_is_that_of_one_address_however_it_is_written",
    ),
    Mutation(
        "a machine has so many attempts",
        "services/auth/sign_in.cpp",
        "identity.limits.admit(login_limit, call.context.address, deadline); !ok)",
        "identity.limits.admit(login_limit, call.context.address, deadline); !ok && call.context.address.empty())",
        f"{GUESSING}.test_one_machine_has_so_many_attempts_whatever_it_says_of_itself",
    ),
    Mutation(
        "links are not guessed",
        "services/auth/recovery.cpp",
        'constexpr security::AddressLimit reset_limit{.kind = "reset", .calls = 10,',
        'constexpr security::AddressLimit reset_limit{.kind = "reset", .calls = 10000,',
        f"{GUESSING}.test_links_and_registrations_are_limited",
    ),
    Mutation(
        "codes are counted as passwords are",
        "services/auth/sign_in.cpp",
        'co_return fail(co_await refuse(identity, call, credentials->email, user, "code", wrong));',
        "co_return fail(wrong);",
        f"{GUESSING}.test_codes_are_guesses_too",
    ),
    Mutation(
        "so are those who are signed in",
        "services/auth/identity.cpp",
        'auto const account = "confirm:" + user.user.id.value;',
        'auto const account = "confirm:" + password;',
        f"{GUESSING}.test_a_stolen_token_does_not_guess_the_password",
    ),
    Mutation(
        "it takes as long when nobody is there",
        "services/auth/sign_in.cpp",
        "bool const has_password = user && !user->password_hash.empty();",
        "bool const has_password = user && !user->password_hash.empty();\n  if (!has_password)\n    co_return false;",
        f"{ACCOUNTS}.test_signing_in_takes_as_long",
    ),
    Mutation(
        "and the same is told",
        "services/auth/sign_in.cpp",
        'co_return fail(co_await refuse(identity, call, credentials->email, user, "password", wrong_credentials()));',
        'co_return fail(user ? wrong_credentials() : Error{.code = Code::unauthenticated, .message = "Nobody."});',
        f"{ACCOUNTS}.test_signing_in_tells_all_of_them_the_same",
    ),
    Mutation(
        "registering tells nothing",
        "services/auth/recovery.cpp",
        "if (!created && created.error().code != Code::conflict)",
        "if (!created)",
        f"{ACCOUNTS}.test_registering_tells_nothing_and_takes_as_long",
    ),
    # ---- tokens and cookies ----
    Mutation(
        "a token is signed",
        "security/jwt.cpp",
        "if (key == nullptr || !signature || !key->has_signed(token.substr(0, last), *signature))",
        "if (key == nullptr || !signature)",
        f"{TOKENS}.test_other_words_under_a_good_signature",
    ),
    Mutation(
        "a token is known by all of it",
        "security/token_authenticator.cpp",
        "auto const hash = sha256_hex(*token);",
        "auto const hash = sha256_hex(token->substr(0, 200));",
        f"{TOKENS}.test_a_token_is_known_by_all_of_it",
    ),
    Mutation(
        "two credentials are none",
        "security/token_authenticator.cpp",
        'if (headers.count(key_header) > 0 && key_token(headers).value_or("") != token)',
        "if (headers.count(key_header) > 1)",
        f"{TOKENS}.test_two_credentials_are_none",
    ),
    Mutation(
        "of many refreshes one wins",
        "data/login_store.cpp",
        f'{ON_SQLITE} " WHERE tenant_id = $1 AND id = $2 AND generation = $3',
        f'{ON_SQLITE} " WHERE tenant_id = $1 AND id = $2 AND generation >= $3',
        f"{REFRESHING}.test_of_many_at_once_one_wins_and_the_login_goes_on",
    ),
    Mutation(
        "a token that comes back ends its login",
        "data/login_store.cpp",
        "std::ignore = co_await writer_.write(end_reused, actor, {id.value}, deadline);",
        "",
        f"{REFRESHING}.test_a_token_that_comes_back_ends_its_login",
    ),
    Mutation(
        "a lost answer is forgiven for a while only",
        "data/login_store.cpp",
        "out.generation == generation + 1 && std::get<std::int64_t>(rows[0].at(3)) == 1;",
        "out.generation == generation + 1;",
        f"{REFRESHING}.test_a_lost_answer_is_forgiven_for_a_while_and_then_it_is_theft",
    ),
    Mutation(
        "no other site sends our cookies",
        "services/auth/cookie.cpp",
        '"; Secure; SameSite=" + std::string(same_site)',
        '"; Secure; SameSite=" + std::string(same_site.substr(0, 0)) + "None"',
        f"{COOKIES}.test_they_are_guarded_when_they_are_set_renewed_and_taken_away",
    ),
    Mutation(
        "no script reads one",
        "services/auth/cookie.cpp",
        '(by == ReadBy::scripts ? "" : "; HttpOnly")',
        '(by == ReadBy::scripts ? "" : "")',
        f"{COOKIES}.test_they_are_guarded_when_they_are_set_renewed_and_taken_away",
    ),
    Mutation(
        "signing out takes them away",
        "services/auth/sign_in.cpp",
        "  clear_cookies(response);\n",
        "",
        f"{COOKIES}.test_they_are_guarded_when_they_are_set_renewed_and_taken_away",
    ),
    Mutation(
        "only our own pages refresh",
        "services/auth/cookie.cpp",
        "if (!is_same_origin(request) || !is_equal_secret(",
        "if ((!is_same_origin(request) && sent.empty()) || !is_equal_secret(",
        f"{COOKIES}.test_pages_of_others_do_not_refresh",
    ),
    Mutation(
        "with the value of the other cookie",
        "services/auth/cookie.cpp",
        "return !a.empty() && a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;",
        "return a.size() + b.size() > 0 || sodium_memcmp(a.data(), b.data(), 0) == 0;",
        f"{COOKIES}.test_pages_of_others_do_not_refresh",
    ),
    Mutation(
        "what a form can send is no JSON",
        "http/router.cpp",
        'if (!is_json_media_type(call.request.headers.find("Content-Type").value_or(""))) {',
        'if (is_json_media_type("text/html")) {',
        "test_sessions.OtherSites.test_what_a_form_can_send_is_no_json",
    ),
    # ---- organisations ----
    Mutation(
        "an agent is found in its organisation",
        "data/agent_store.cpp",
        '" FROM agents a WHERE a.tenant_id = $1 AND a.id = $2"',
        "\" FROM agents a WHERE $1 <> '' AND a.id = $2\"",
        f"{TENANTS}.test_no_id_of_theirs_is_more_than_one_of_nothing",
    ),
    Mutation(
        "a user is found in his",
        "data/user_store.cpp",
        '" FROM users t WHERE t.tenant_id = $1 AND t.id = $2 AND t.deleted_at IS NULL"',
        "\" FROM users t WHERE $1 <> '' AND t.id = $2 AND t.deleted_at IS NULL\"",
        f"{TENANTS}.test_no_id_of_theirs_is_more_than_one_of_nothing",
    ),
    Mutation(
        "tasks are listed there",
        "data/task_store.cpp",
        '"t.tenant_id = $1 AND (CAST($2 AS text) IS NULL OR t.agent_id = CAST($2 AS text)) AND "',
        "\"$1 <> '' AND (CAST($2 AS text) IS NULL OR t.agent_id = CAST($2 AS text)) AND \"",
        f"{TENANTS}.test_no_list_and_no_search_shows_theirs",
    ),
    Mutation(
        "a cache keeps them apart",
        "data/row_cache.cpp",
        "return rows_of(at.kind).get(cache::key(at.tenant, at.kind, at.id), freshness, deadline, std::move(load));",
        "return rows_of(at.kind).get(cache::key(default_tenant, at.kind, at.id), freshness, deadline, load);",
        f"{TENANTS}.test_it_takes_as_long_to_say_no",
    ),
    Mutation(
        "a stream is that of one",
        "services/operations/events.cpp",
        "read_after(storage::Scope::of(reader_.principal().tenant), token_, filter_,",
        "read_after(storage::Scope::of(default_tenant), token_, filter_,",
        f"{TENANTS}.test_no_stream_carries_theirs",
    ),
    # ---- what is sent ----
    Mutation(
        "the server's fields are the server's",
        "core/entity.cpp",
        'field.options.access == Access::read_only ? "is set by the server; leave it out"',
        'field.options.access == Access::read_only ? "is odd; leave it out"',
        f"{ASSIGNMENT}.test_fields_of_the_server_are_named_as_such",
    ),
    Mutation(
        "they are not taken",
        "core/entity.cpp",
        "if (!may_set(field, mode)) {",
        "if (false && !may_set(field, mode)) {",
        f"{ASSIGNMENT}.test_bodies",
    ),
    Mutation(
        "a query is checked",
        "http/router.cpp",
        "if (auto const error = check_query(*route, request))",
        "if (auto const error = check_query(*route, request); error && route->passes_through)",
        f"{ASSIGNMENT}.test_queries",
    ),
    Mutation(
        "bodies have a depth",
        "core/json.cpp",
        "options.max_depth = depth_max;",
        "options.max_depth = std::size_t{1} << 30;",
        "test_bombs.Bombs.test_bodies",
    ),
    Mutation(
        "one length",
        "http/request_parser.cpp",
        "return ++content_lengths_ == 1 && !value.empty() && value.size() <= digits_max &&",
        "return ++content_lengths_ >= 1 && !value.empty() && value.size() <= digits_max &&",
        SMUGGLING,
    ),
    Mutation(
        "one coding, and none before it",
        "http/request_parser.cpp",
        'equal_without_case(value, "chunked");',
        'value.ends_with("chunked");',
        SMUGGLING,
    ),
    Mutation(
        "no folded lines",
        "http/request_parser.cpp",
        "} else if (is_folded(name, value)) {",
        "} else if (is_folded(name, value) && fields_ > 1000) {",
        SMUGGLING,
    ),
    Mutation(
        "no line end in an extension",
        "http/request_parser.cpp",
        "    if (!is_clean)\n      error = beast_http::error::bad_chunk_extension;",
        "    if (!is_clean && fields_ > 1000)\n      error = beast_http::error::bad_chunk_extension;",
        SMUGGLING,
    ),
    Mutation(
        "no twins with an underscore",
        "http/request_parser.cpp",
        "return name.find('_') == name.npos ||",
        "return fields_ > 0 || name.find('_') == name.npos ||",
        SMUGGLING,
    ),
    Mutation(
        "trailers change nothing",
        "http/request_parser.cpp",
        "    if (is_header_done()) {\n",
        "    if (is_header_done() && name_view.empty()) {\n",
        SMUGGLING,
    ),
    Mutation(
        "an id of a request is visible ASCII",
        "http/request_id.cpp",
        "context.request_id = sent && is_visible_ascii(*sent, request_id_bytes_max) ?",
        "context.request_id = sent && (is_visible_ascii(*sent, request_id_bytes_max) || !sent->empty()) ?",
        "test_header_injection.HeaderInjection.test_a_request_id_is_kept_or_replaced",
    ),
    Mutation(
        "a backup's name is an id",
        "app/backup/catalog.cpp",
        "if (!is_id(id) || !fs::is_directory(path_of(id), ignored))",
        "if (!fs::is_directory(path_of(id), ignored))",
        "test_path_traversal.PathTraversal.test_every_route_that_names_a_thing",
    ),
    Mutation(
        "heads come in time",
        "http/server.hpp",
        "std::chrono::seconds header_timeout{10};",
        "std::chrono::seconds header_timeout{600};",
        "test_slow_clients.SlowClients.test_each_is_closed_at_its_limit",
    ),
    Mutation(
        "answers are taken in time",
        "http/server.hpp",
        "std::chrono::seconds write_timeout{30};",
        "std::chrono::seconds write_timeout{600};",
        "test_slow_clients.SlowClients.test_who_takes_nothing_is_closed",
    ),
    # ---- what is called ----
    Mutation(
        "no metadata of clouds",
        "security/outgoing.cpp",
        "    Network4{v4(169, 254, 0, 0), 16},    // link-local, with the metadata of most clouds\n",
        "",
        f"{URLS}.test_none_is_taken_or_called",
    ),
    Mutation(
        "no numbers for names",
        "security/outgoing.cpp",
        '!name.contains("..") && !looks_numeric(name);',
        '!name.contains("..") && (!looks_numeric(name) || name.size() > 1);',
        f"{URLS}.test_none_is_taken_or_called",
    ),
    Mutation(
        "a URL ends with its path",
        "security/outgoing.cpp",
        "if (parsed->has_query() || parsed->has_fragment())",
        "if (parsed->has_query() && parsed->has_fragment())",
        f"{URLS}.test_none_is_taken_or_called",
    ),
    Mutation(
        "an address is looked at when it is called",
        "app/composition.cpp",
        "options.is_address_allowed = security::is_public;",
        "options.is_address_allowed = [](auto const&) { return true; };",
        "test_outgoing_urls.NamesOfHosts.test_none_is_called",
    ),
    # ---- WebSockets and the gateway ----
    Mutation(
        "a page of another site does not connect",
        "services/websocket/routes.cpp",
        'if (headers.count("Origin") != 1 || !sockets.origins.allows(',
        'if (headers.count("Origin") != 1 && !sockets.origins.allows(',
        "test_websocket_attacks.Handshakes.test_only_our_own_pages_and_those_of_the_list_connect",
    ),
    Mutation(
        "messages are counted",
        "services/websocket/session.hpp",
        "static constexpr double burst = 100;",
        "static constexpr double burst = 100'000;",
        "test_websocket_attacks.Floods.test_messages_are_limited",
    ),
    Mutation(
        "fragments are counted",
        "http/websocket.hpp",
        "std::size_t fragments_max = 256;",
        "std::size_t fragments_max = 100'000;",
        "test_websocket_attacks.Floods.test_control_frames_and_fragments_are_limited",
    ),
    Mutation(
        "frames of clients are masked",
        "http/websocket.cpp",
        "  if (!is_masked)\n",
        "  if (!is_masked && is_control())\n",
        "test_websocket_attacks.Frames.test_each_fault_has_its_code",
    ),
    Mutation(
        "nobody says at the gateway who he is",
        "services/gateway/passed_headers.cpp",
        "std::ranges::replace_copy(name.substr(0, length), plain.begin(), '_', '-');",
        "std::ranges::copy(name.substr(0, length), plain.begin());",
        "test_gateway_smuggling.GatewaySmuggling.test_nobody_says_who_he_is_or_where_from",
    ),
    # ---- what many could do at once, and all of it ----
    Mutation(
        "rotating a key takes what making it would",
        "services/auth/api_keys.cpp",
        "if (auto ok = co_await require_may_hold(identity, call, *key); !ok)",
        "if (auto ok = co_await require_may_hold(identity, call, *key); !ok && key->name.empty())",
        f"{KEYS}.test_who_manages_keys_does_not_become_another",
    ),
    Mutation(
        "the installation is its operators'",
        "http/router.cpp",
        "if (route.of_installation && context.principal.tenant != default_tenant)",
        "if (route.of_installation && context.principal.tenant.value.empty())",
        "test_rights.Operators.test_an_organisations_administrator_runs_no_installation",
    ),
    Mutation(
        "guesses at the same time are no more guesses",
        "services/auth/sign_in.cpp",
        f"right or wrong.\n  {LOCKED}(account, deadline))",
        f"right or wrong.\n  {LOCKED}(account + '?', deadline))",
        f"{GUESSING}.test_guesses_at_the_same_time_are_no_more_guesses",
    ),
    Mutation(
        "a document has so many values",
        "core/json.cpp",
        "constexpr std::size_t values_max = 400'000;",
        "constexpr std::size_t values_max = 400'000'000;",
        "test_bombs.Bombs.test_bodies",
    ),
    Mutation(
        "an object has so many members",
        "core/json.cpp",
        "constexpr std::size_t members_max = 4096;",
        "constexpr std::size_t members_max = 4096'000;",
        "test_bombs.Bombs.test_bodies",
    ),
    Mutation(
        "a coding is not passed over",
        "http/router.cpp",
        'if (!equal_without_case(call.request.headers.find("Content-Encoding").value_or("identity"), "identity"))',
        'if (call.request.headers.count("Content-Encoding") > 9)',
        "test_bombs.Bombs.test_a_coding_is_not_passed_over",
    ),
    Mutation(
        "a host is one",
        "http/target.cpp",
        "return is_host(text.substr(0, colon)) && port.size() <= port_digits_max &&",
        "return (is_host(text.substr(0, colon)) || !text.empty()) && port.size() <= port_digits_max &&",
        SMUGGLING,
    ),
    Mutation(
        "who takes steadily is served",
        "http/server.cpp",
        "deadline_ = std::min(state_.clock.steady(), begun + earned) + limits.write_timeout;",
        "deadline_ = begun + 0 * earned + limits.write_timeout;",
        "test_slow_clients.SlowClients.test_who_takes_steadily_is_served",
    ),
]


def row(mutation: Mutation) -> str:
    """Of the table in README.md."""

    def code(text: str) -> str:
        return "`" + " ".join(text.split()).replace("|", "\\|") + "`" if text.strip() else "nothing"

    change = f"{code(mutation.text)} → {code(mutation.replacement)}"
    return f"| {mutation.guard} | `{mutation.test}` | `{mutation.file}`: {change} |"


def faults(mutation: Mutation) -> list[str]:
    """Why it cannot be tried, or is not told of."""
    text = (ROOT / "src" / mutation.file).read_text()
    count = text.count(mutation.text)
    found = [] if count == 1 else [f"its text stands {count} times in {mutation.file}"]
    module, name, test = mutation.test.split(".")
    if not hasattr(getattr(importlib.import_module(module), name, None), test):
        found.append(f"there is no {mutation.test}")
    if row(mutation) not in (ROOT / "tests/security/README.md").read_text():
        found.append(f"README.md does not have this line: {row(mutation)}")
    return found


def check() -> int:
    wrong = 0
    for number, mutation in enumerate(MUTATIONS):
        for fault in faults(mutation):
            print(f"{number} {mutation.guard}: {fault}")
            wrong += 1
    print(f"{len(MUTATIONS)} mutations, {wrong} faults")
    return 1 if wrong else 0


def turns_red(mutation: Mutation, copy: pathlib.Path, program: pathlib.Path) -> str:
    """ "red", or what happened instead."""
    file = copy / "src" / mutation.file
    before = file.read_text()
    program.unlink(missing_ok=True)
    environment = os.environ | {"AL_MUTATION_COPY": str(copy), "AL_MUTATION_PROGRAM": str(program)}
    try:
        file.write_text(before.replace(mutation.text, mutation.replacement))
        built = subprocess.run(os.environ["AL_MUTATION_BUILD"], shell=True, cwd=copy, env=environment, check=False)
    finally:
        file.write_text(before)
    if built.returncode or not program.exists():
        return "does not build"
    command = [sys.executable, "-m", "unittest", mutation.test]
    environment |= {"AGENT_LIGHTNING_BINARY": str(program), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=TEST_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"without an end in {TEST_TIMEOUT_S} s"
    if "skipped=" in done.stderr:
        return "skipped"
    return "red" if done.returncode == 1 and "FAILED (" in done.stderr else "GREEN"


def main(chosen: list[str]) -> int:
    if chosen == ["--check"]:
        return check()
    numbers = [n for n, one in enumerate(MUTATIONS) if not chosen or str(n) in chosen or one.test in chosen]
    survived = []
    with tempfile.TemporaryDirectory() as directory:
        copy, program = pathlib.Path(directory, "copy"), pathlib.Path(directory, "agent-lightning")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "__pycache__"))
        for number in numbers:
            verdict = turns_red(MUTATIONS[number], copy, program)
            print(f"{number:3} {verdict}: {MUTATIONS[number].guard} ({MUTATIONS[number].test})", flush=True)
            survived += [] if verdict == "red" else [number]
    print(f"{len(numbers) - len(survived)} of {len(numbers)} turned red; not: {survived}")
    return 1 if survived or not numbers else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
