#include <boost/json/object.hpp>

#include "app/listing.hpp"
#include "app/option_values.hpp"

namespace al::app {
namespace {

struct NewMetric {
  std::string service;
  std::string name;
  double value = 0;
  std::vector<std::string> tags;
  std::string time;
};

struct Question {
  std::string name;
  std::string service;
  std::vector<std::string> tags;
  std::string from;
  std::string to;
  std::string step;
};

int record(Workplace& workplace, NewMetric const& wanted) {
  json::object metric{{"service", wanted.service}, {"name", wanted.name}, {"value", wanted.value}};
  json::object tags;
  for (auto const& tag : wanted.tags)
    tags[tag.substr(0, tag.find(':'))] = tag.substr(tag.find(':') + 1);
  metric["tags"] = std::move(tags);
  if (!wanted.time.empty())
    metric["timestamp"] = wanted.time;
  ApiClient client(workplace.config);
  return show(
      workplace.console,
      client.post("/metrics/series", json::serialize(json::object{{"metrics", json::array{std::move(metric)}}})),
      [&](json::value const&) { return "Recorded " + printable(wanted.name) + "."; });
}

std::string buckets_text(Console const& console, json::value const& series) {
  Table table({"START", "COUNT", "MIN", "MEAN", "MAX", "LAST", "SUM"});
  for (auto const& bucket : list_of(series, "buckets")) {
    table.add({{text_of(bucket, "start"), Tone::strong},
               {text_of(bucket, "count")},
               {text_of(bucket, "min")},
               {text_of(bucket, "mean")},
               {text_of(bucket, "max")},
               {text_of(bucket, "last")},
               {text_of(bucket, "sum")}});
  }
  return table.empty() ? std::string("No values in this time.") : table.text(console);
}

int query(Workplace& workplace, Question const& question) {
  std::string tags;
  for (auto const& tag : question.tags)
    tags.append(tags.empty() ? "" : ",").append(tag);
  ApiClient client(workplace.config);
  auto const text = query_text({{"name", question.name},
                                {"service", question.service},
                                {"tags", tags},
                                {"from", question.from},
                                {"to", question.to},
                                {"step", question.step}});
  return show(workplace.console, client.get("/metrics/series" + text),
              [&](json::value const& series) { return buckets_text(workplace.console, series); });
}

int list_names(Workplace& workplace, PageOptions const& page) {
  Listing const listing{.path = "/metrics/names",
                        .key = "metrics",
                        .heading = {"METRIC", "SERVICE", "LAST", "AT"},
                        .row =
                            [](json::value const& metric) {
                              return std::vector<Cell>{{text_of(metric, "name"), Tone::strong},
                                                       {text_of(metric, "service")},
                                                       {text_of(metric, "value")},
                                                       {text_of(metric, "timestamp")}};
                            },
                        .none = "No metrics."};
  return list(workplace, listing, page);
}

void take_tags(CLI::App& command, std::vector<std::string>& tags, std::string const& doc) {
  command.add_option("--tag", tags, doc)->type_name("NAME:VALUE")->check([](std::string const& tag) {
    auto const colon = tag.find(':');
    bool const is_fit = colon != std::string::npos && colon > 0 && !tag.contains(',');
    return is_fit ? std::string() : std::string("must be name:value, without commas");
  });
}

void add_record(CLI::App& metric, Invocation& invocation) {
  auto* records = metric.add_subcommand("record", "Record a measured value");
  auto wanted = std::make_shared<NewMetric>();
  records->add_option("NAME", wanted->name, "What was measured")->required();
  records->add_option("VALUE", wanted->value, "The value")->required();
  records->add_option("--service", wanted->service, "Who measured it")->type_name("NAME")->default_str("cli");
  wanted->service = "cli";
  take_tags(*records, wanted->tags, "Tells values of one name apart; may be repeated");
  records->add_option("--time", wanted->time, "When, as 2026-01-31T12:00:00Z; now when left out")->type_name("TIME");
  records->footer("Example:\n  agent-lightning metric record queue.length 12 --service worker --tag host:a");
  records->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return record(workplace, *wanted); }; });
}

void add_query(CLI::App& metric, Invocation& invocation) {
  auto* queries = metric.add_subcommand("query", "The values of a metric over time, the last hour when left out");
  auto question = std::make_shared<Question>();
  queries->add_option("NAME", question->name, "Which metric")->required();
  queries->add_option("--service", question->service, "Only what this service measured")->type_name("NAME");
  take_tags(*queries, question->tags, "Only values with this tag; may be repeated");
  queries->add_option("--from", question->from, "The first moment, as 2026-01-31T12:00:00Z")->type_name("TIME");
  queries->add_option("--to", question->to, "The first moment that does not count")->type_name("TIME");
  take_number(queries->add_option("--step", question->step, "Seconds of a line"), 1, 400L * 86400);
  queries->footer("Example:\n  agent-lightning metric query queue.length --service worker --step 300");
  queries->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return query(workplace, *question); }; });
}

}  // namespace

void add_metric_commands(CLI::App& app, Invocation& invocation) {
  auto* metric = app.add_subcommand("metric", "Measured values over time");
  metric->require_subcommand(1);
  add_record(*metric, invocation);
  add_query(*metric, invocation);

  auto* lists = metric->add_subcommand("list", "The metrics that have values, each with its latest");
  auto const page = add_page_options(*lists);
  lists->callback(
      [=, &invocation] { invocation.action = [=](Workplace& workplace) { return list_names(workplace, *page); }; });
}

}  // namespace al::app
