#include "app/listing.hpp"

namespace al::app {
namespace {

std::string address_of(json::value const& instance) {
  auto const host = text_of(instance, "host");
  return text_of(instance, "scheme") + "://" + (host.contains(':') ? "[" + host + "]" : host) + ":" +
         text_of(instance, "port");
}

int list_instances(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/instances",
                        .key = "instances",
                        .channels = "service:*",
                        .heading = {"SERVICE", "STATUS", "ADDRESS", "ZONE", "RELEASE", "LAST HEARTBEAT", "ID"},
                        .row =
                            [](json::value const& instance) {
                              return std::vector<Cell>{{text_of(instance, "name"), Tone::strong},
                                                       {text_of(instance, "status")},
                                                       {address_of(instance)},
                                                       {text_of(instance, "zone")},
                                                       {text_of(instance, "release")},
                                                       {text_of(instance, "heartbeat_at")},
                                                       {text_of(instance, "id")}};
                            },
                        .none = "Nothing answers for any service."};
  return list(workplace, listing, page);
}

}  // namespace

void add_service_commands(CLI::App& app, Invocation& invocation) {
  auto* services = app.add_subcommand("service", "Which processes answer for which service");
  services->require_subcommand(1);

  auto* lists = services->add_subcommand("list", "List what answers for services, by service");
  auto const page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& place) { return list_instances(place, *page); }; });
}

}  // namespace al::app
