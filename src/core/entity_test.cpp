#include "core/entity.hpp"

#include <gtest/gtest.h>

#include <boost/describe.hpp>

#include "core/fault.hpp"

namespace al {
namespace sample {

using entity::Access;

enum class Colour { red, green, dark_blue };
BOOST_DESCRIBE_ENUM(Colour, red, green, dark_blue)

struct Label {
  std::string text;
  std::int64_t weight = 1;
  bool operator==(Label const&) const = default;
};
BOOST_DESCRIBE_STRUCT(Label, (), (text, weight))
constexpr auto describe(std::type_identity<Label>) {
  using entity::field;
  return entity::about("Label", "", "A label.", field<&Label::text>("What it says.", {.min = 1, .max = 5}),
                       field<&Label::weight>("How heavy.", {.defaulted = true}));
}

/// One member of every kind.
struct Thing {
  AgentId id;
  std::string name;
  std::optional<std::string> note;
  std::int64_t count = 3;
  double score = 0.5;
  bool active = true;
  Colour colour = Colour::green;
  std::vector<std::string> tags;
  std::vector<Label> labels;
  std::optional<Label> main_label;
  Document config;
  std::optional<Document> result;
  std::optional<TaskId> task_id;
  std::optional<KnowledgeId> source_id;
  std::optional<Timestamp> due_at;
  std::string secret = "hidden";
  std::string computed = "shown only";
  std::int64_t version = 1;
  Timestamp created_at{};
  bool operator==(Thing const&) const = default;
};
BOOST_DESCRIBE_STRUCT(Thing, (),
                      (id, name, note, count, score, active, colour, tags, labels, main_label, config, result, task_id,
                       source_id, due_at, secret, computed, version, created_at))
constexpr auto describe(std::type_identity<Thing>) {
  using entity::field;
  return entity::about("Thing", "things", "Something.", field<&Thing::id>("Slug.", {.access = Access::create_only}),
                       field<&Thing::name>("Name.", {.min = 1, .max = 10}), field<&Thing::note>("Note.", {.max = 4}),
                       field<&Thing::count>("Count.", {.min = 0, .max = 100, .defaulted = true}),
                       field<&Thing::score>("Score.", {.min = 0, .max = 1, .defaulted = true}),
                       field<&Thing::active>("On.", {.defaulted = true}),
                       field<&Thing::colour>("Colour.", {.defaulted = true}),
                       field<&Thing::tags>("Tags.", {.max = 2, .defaulted = true}),
                       field<&Thing::labels>("Labels.", {.defaulted = true}), field<&Thing::main_label>("Label."),
                       field<&Thing::config>("Config.", {.max = 20, .defaulted = true}),
                       field<&Thing::result>("Result.", {.access = Access::read_only}), field<&Thing::task_id>("Task."),
                       field<&Thing::source_id>("Source."), field<&Thing::due_at>("Due."),
                       field<&Thing::secret>("Secret.", {.defaulted = true, .shown = false}),
                       field<&Thing::computed>("Computed.", {.access = Access::read_only, .stored = false}),
                       field<&Thing::version>("Version.", {.access = Access::read_only}),
                       field<&Thing::created_at>("Made.", {.access = Access::read_only}));
}

/// As the example in entity.hpp.
struct Tag {
  std::string name;
  std::int64_t uses = 0;
};
BOOST_DESCRIBE_STRUCT(Tag, (), (name, uses))
constexpr auto describe(std::type_identity<Tag>) {
  return entity::about("Tag", "tags", "A label.",
                       entity::field<&Tag::name>("What it is called.", {.min = 1, .max = 50}),
                       entity::field<&Tag::uses>("How often it was used.", {.access = entity::Access::read_only}));
}

/// An answer that leaves out what it has not.
struct Reply {
  std::string id;
  std::optional<std::string> reason;
  Document output;
};
BOOST_DESCRIBE_STRUCT(Reply, (), (id, reason, output))
constexpr auto describe(std::type_identity<Reply>) {
  return entity::about("Reply", "", "An answer.", entity::field<&Reply::id>("Its id."),
                       entity::field<&Reply::reason>("Why.", {.left_out = true}),
                       entity::field<&Reply::output>("Anything.", {.any_json = true}));
}

}  // namespace sample

namespace {

using entity::Mode;
using sample::Colour;
using sample::Thing;
using namespace std::chrono_literals;

constexpr std::string_view minimal = R"({"id":"one","name":"n"})";

Result<Thing> read(std::string_view text, Mode mode = Mode::create) {
  auto const source = json::Source::from(std::string(text));
  if (!source)
    throw std::invalid_argument("the test's JSON is wrong: " + source.error().message);
  return entity::from_json<Thing>(source->root(), mode);
}

/// A valid document with `members` added to it.
std::string with(std::string_view members) { return R"({"id":"one","name":"n",)" + std::string(members) + "}"; }

Thing full() {
  Thing out;
  out.id = AgentId("one");
  out.name = "né";
  out.note = "a\"b";
  out.count = 42;
  out.score = 0.7;
  out.active = false;
  out.colour = Colour::dark_blue;
  out.tags = {"x", "y"};
  out.labels = {{.text = "l", .weight = 2}};
  out.main_label = sample::Label{.text = "m"};
  out.config = Document{"{ \"a\": 1.50 }"};
  out.result = Document{"[1]"};
  out.task_id = TaskId("0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10");
  out.source_id = KnowledgeId("kb 1");
  out.due_at = std::chrono::sys_days(2026y / 3 / 1) + 9h + 500ms;
  out.version = 7;
  out.created_at = std::chrono::sys_days(2026y / 1 / 2);
  return out;
}

constexpr std::string_view full_json =
    R"({"id":"one","name":"né","note":"a\"b","count":42,"score":0.7,"active":false,"colour":"dark_blue",)"
    R"("tags":["x","y"],"labels":[{"text":"l","weight":2}],"main_label":{"text":"m","weight":1},)"
    R"("config":{ "a": 1.50 },"result":[1],"task_id":"0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10","source_id":"kb 1",)"
    R"("due_at":"2026-03-01T09:00:00.500000Z","computed":"shown only","version":7,)"
    R"("created_at":"2026-01-02T00:00:00Z"})";

TEST(EntityJson, WritesEveryKindOfMember) {
  EXPECT_EQ(entity::to_json(full()), full_json);
  auto empty = Thing{};
  auto const text = entity::to_json(empty);
  EXPECT_TRUE(text.contains(R"("note":null)") && text.contains(R"("main_label":null)")) << text;
  EXPECT_TRUE(text.contains(R"("tags":[],"labels":[])")) << text;
  EXPECT_TRUE(json::parse(text).has_value());
}

TEST(EntityJson, StoredModeReadsItsOwnWriting) {
  auto const again = read(full_json, Mode::stored);
  ASSERT_TRUE(again.has_value()) << again.error().message;
  EXPECT_EQ(*again, full());
}

TEST(EntityJson, CreateTakesDefaults) {
  auto const thing = read(minimal);
  ASSERT_TRUE(thing.has_value()) << thing.error().message;
  EXPECT_EQ(thing->id, AgentId("one"));
  EXPECT_EQ(thing->count, 3);
  EXPECT_EQ(thing->colour, Colour::green);
  EXPECT_EQ(thing->config.text, "{}");
  EXPECT_EQ(thing->note, std::nullopt);
}

TEST(EntityJson, CreateTakesWhatFits) {
  for (auto const* members : {R"("note":null)",
                              R"("note":"")",
                              R"("note":"éééé")",
                              R"("count":0)",
                              R"("count":100)",
                              R"("count":3.0)",
                              R"("count":1e2)",
                              R"("score":0)",
                              R"("score":1)",
                              R"("score":0.25)",
                              R"("active":false)",
                              R"("colour":"red")",
                              R"("tags":["a","b"])",
                              R"("labels":[{"text":"x"}])",
                              R"("main_label":null)",
                              R"("main_label":{"text":"x","weight":-5})",
                              R"("config":{"k":"1234567890"})",
                              R"("task_id":null)",
                              R"("source_id":"any text")",
                              R"("due_at":"2026-01-01T00:00:00+01:00")"}) {
    auto const got = read(with(members));
    EXPECT_TRUE(got.has_value()) << members << ": " << got.error().message;
  }
}

TEST(EntityJson, KeepsTheTextOfDocuments) {
  auto const thing = read(with("\"config\": {\"b\":1.0,\n \"a\":1e2}"));
  ASSERT_TRUE(thing.has_value()) << thing.error().message;
  EXPECT_EQ(thing->config.text, "{\"b\":1.0,\n \"a\":1e2}");
}

TEST(EntityJson, DocumentWithoutItsTextIsWrittenAnew) {
  auto const parsed = json::parse(R"({"id":"one","name":"n","config":{"a": [0.7]}})");
  ASSERT_TRUE(parsed.has_value());
  auto const thing = entity::from_json<Thing>({&*parsed, {}});
  ASSERT_TRUE(thing.has_value());
  EXPECT_EQ(thing->config.text, R"({"a":[0.7]})");
}

TEST(EntityJson, UuidsBecomeLowerCase) {
  auto const thing = read(with(R"("task_id":"0190B5A3-7C1E-7D2A-9F00-3B6C5D4E2F10")"));
  ASSERT_TRUE(thing.has_value());
  EXPECT_EQ(thing->task_id->value, "0190b5a3-7c1e-7d2a-9f00-3b6c5d4e2f10");
}

TEST(EntityJson, NamesTheFaultOfEachMember) {
  struct Case {
    std::string_view members;
    std::string_view path;
    std::string_view message;  ///< a part of it
  };
  Case const cases[] = {
      {R"("note":7)", "note", "must be a string, not a number"},
      {R"("note":"12345")", "note", "must have at most 4 characters, has 5"},
      {R"("count":null)", "count", "must be an integer, not null"},
      {R"("count":"3")", "count", "must be an integer, not a string"},
      {R"("count":true)", "count", "must be an integer, not a boolean"},
      {R"("count":1.5)", "count", "must be an integer, without a fraction"},
      {R"("count":-1)", "count", "must be 0 to 100"},
      {R"("count":101)", "count", "must be 0 to 100"},
      {R"("count":1e3)", "count", "must be 0 to 100"},
      {R"("count":18446744073709551615)", "count", "64 bits"},
      {R"("count":1e300)", "count", "64 bits"},
      {R"("score":1.0000001)", "score", "must be 0 to 1"},
      {R"("score":-0.1)", "score", "must be 0 to 1"},
      {R"("score":"1")", "score", "must be a number, not a string"},
      {R"("active":1)", "active", "must be true or false, not a number"},
      {R"("active":null)", "active", "not null"},
      {R"("colour":"blue")", "colour", "must be one of red, green, dark_blue"},
      {R"("colour":"Red")", "colour", "must be one of"},
      {R"("colour":1)", "colour", "must be a string"},
      {R"("tags":"x")", "tags", "must be an array, not a string"},
      {R"("tags":["a","b","c"])", "tags", "must have at most 2 elements, has 3"},
      {R"("tags":["a",null])", "tags[1]", "must be a string, not null"},
      {R"("labels":[{"text":"x"},{"weight":1}])", "labels[1].text", "is required"},
      {R"("labels":[{"text":"123456"}])", "labels[0].text", "must have 1 to 5 characters, has 6"},
      {R"("labels":[{"text":"x","wieght":1}])", "labels[0].wieght", "did you mean `weight`?"},
      {R"("labels":[7])", "labels[0]", "must be an object, not a number"},
      {R"("main_label":{"text":""})", "main_label.text", "must have 1 to 5 characters, has 0"},
      {R"("config":[])", "config", "must be an object, not an array"},
      {R"("config":"{}")", "config", "must be an object, not a string"},
      {R"("config":null)", "config", "must be an object, not null"},
      {R"("config":{"k":"12345678901234"})", "config", "must have at most 20 bytes, has 22"},
      {R"("config":{"k":"éééééé"  })", "config", "must have at most 20 bytes, has 22"},
      {R"("result":{})", "result", "is set by the server"},
      {R"("version":1)", "version", "is set by the server"},
      {R"("task_id":"1")", "task_id", "must be a UUID"},
      {R"("task_id":"")", "task_id", "must be a UUID"},
      {R"("source_id":"")", "source_id", "1 to 255 bytes"},
      {R"("source_id":"a\nb")", "source_id", "control"},
      {R"("due_at":"tomorrow")", "due_at", "RFC 3339"},
      {R"("due_at":"2026-02-30T00:00:00Z")", "due_at", "RFC 3339"},
      {R"("due_at":1700000000)", "due_at", "must be a string"},
      {R"("secret":"x")", "secret", "is unknown"},
      {R"("Colour":"red")", "Colour", "is unknown; did you mean `colour`?"},
      {R"("taskId":"x")", "taskId", "is unknown; did you mean `task_id`?"},
      {R"("cuont":1)", "cuont", "is unknown; did you mean `count`?"},
      {R"("zzz":1)", "zzz", "is unknown"},
  };
  for (auto const& [members, path, message] : cases) {
    auto const got = read(with(members));
    ASSERT_FALSE(got.has_value()) << members;
    EXPECT_EQ(got.error().code, Code::invalid);
    ASSERT_EQ(got.error().faults.size(), 1U) << members << ": " << got.error().message;
    EXPECT_EQ(got.error().faults[0].path, path) << members;
    EXPECT_TRUE(got.error().faults[0].message.contains(message)) << members << ": " << got.error().faults[0].message;
    EXPECT_EQ(got.error().message, std::string(path) + " " + got.error().faults[0].message);
  }
}

TEST(EntityJson, UnlikeKeysAreNotGuessed) {
  for (auto const* key : {"zzz", "x", "description", "secret_key"}) {
    auto const got = read(with("\"" + std::string(key) + "\":1"));
    ASSERT_FALSE(got.has_value());
    EXPECT_EQ(got.error().faults.at(0).message, "is unknown") << key;
  }
}

TEST(EntityJson, SlugsSayTheirPattern) {
  for (auto const* id : {"", "Upper", "-x", "a b", "aé"}) {
    auto const got = read(R"({"name":"n","id":")" + std::string(id) + "\"}");
    ASSERT_FALSE(got.has_value()) << id;
    EXPECT_EQ(got.error().faults.at(0).path, "id");
    EXPECT_TRUE(got.error().faults.at(0).message.contains("^[a-z0-9][a-z0-9_-]{0,49}$"));
  }
}

TEST(EntityJson, ListsAllFaultsAtOnce) {
  auto const got = read(R"({"nmae":"x","count":-1,"labels":[{"text":"","weight":"x"}],"version":3})");
  ASSERT_FALSE(got.has_value());
  entity::Faults const expected = {
      {"nmae", "is unknown; did you mean `name`?"},
      {"count", "must be 0 to 100"},
      {"labels[0].text", "must have 1 to 5 characters, has 0"},
      {"labels[0].weight", "must be an integer, not a string"},
      {"version", "is set by the server; leave it out"},
      {"id", "is required"},
      {"name", "is required"},
  };
  EXPECT_EQ(got.error().faults, expected);
  EXPECT_EQ(got.error().message, "nmae is unknown; did you mean `name`? (and 6 more faults)");
}

TEST(EntityJson, RootMustBeAnObject) {
  for (auto const* text : {"[]", "null", "\"x\"", "1"}) {
    for (auto const mode : {Mode::create, Mode::stored}) {
      auto const got = read(text, mode);
      ASSERT_FALSE(got.has_value()) << text;
      ASSERT_EQ(got.error().faults.size(), 1U);
      EXPECT_TRUE(got.error().faults[0].message.starts_with("must be an object")) << got.error().faults[0].message;
    }
  }
  EXPECT_FALSE(entity::from_json<Thing>({}).has_value());
}

TEST(EntityJson, FaultsAreBounded) {
  std::string members;
  for (int i = 0; i < 4000; ++i)
    members += "\"" + std::string(100, 'k') + std::to_string(i) + "\":1,";
  auto const unknown = read("{" + members + "\"id\":\"one\"}");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().faults.size(), entity::faults_max);
  EXPECT_LT(unknown.error().faults[0].path.size(), 80U);

  std::string elements = "1";
  for (int i = 0; i < 5000; ++i)
    elements += ",1";
  auto const wrong = read(with("\"tags\":[" + elements + "]"));
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().faults.size(), entity::faults_max);
}

TEST(EntityJson, PathGoesBeforeEachFault) {
  auto const source = json::Source::from(R"({"id":7})");
  ASSERT_TRUE(source.has_value());
  auto const got = entity::from_json<Thing>(source->root(), Mode::create, "items[3]");
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().faults.at(0).path, "items[3].id");
  EXPECT_EQ(got.error().faults.at(1).path, "items[3].name");
}

TEST(EntityPatch, ChangesWhatCameAndSaysWhich) {
  auto thing = full();
  auto const source = json::Source::from(R"({"name":"new","note":null,"main_label":{"text":"z"},"tags":[]})");
  ASSERT_TRUE(source.has_value());
  auto const mask = entity::patch_json(thing, source->root());
  ASSERT_TRUE(mask.has_value()) << mask.error().message;
  auto expected = full();
  expected.name = "new";
  expected.note.reset();
  expected.main_label = sample::Label{.text = "z", .weight = 1};
  expected.tags.clear();
  EXPECT_EQ(thing, expected);
  auto const& fields = entity::entity<Thing>().fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    bool const came = fields[i].name == "name" || fields[i].name == "note" || fields[i].name == "main_label" ||
                      fields[i].name == "tags";
    EXPECT_EQ((*mask)[i], came) << fields[i].name;
  }
}

TEST(EntityPatch, AnEmptyOneChangesNothing) {
  auto thing = full();
  auto const source = json::Source::from("{}");
  ASSERT_TRUE(source.has_value());
  ASSERT_TRUE(entity::patch_json(thing, source->root()).has_value());
  EXPECT_EQ(thing, full());
}

TEST(EntityPatch, RefusesWhatClientsCannotChange) {
  auto thing = full();
  auto const source = json::Source::from(R"({"id":"two","version":2,"nme":"x","name":null,"count":1000})");
  ASSERT_TRUE(source.has_value());
  auto const got = entity::patch_json(thing, source->root());
  ASSERT_FALSE(got.has_value());
  entity::Faults const expected = {
      {"id", "cannot be changed after creation; leave it out"},
      {"version", "is set by the server; leave it out"},
      {"nme", "is unknown; did you mean `name`?"},
      {"name", "must be a string, not null"},
      {"count", "must be 0 to 100"},
  };
  EXPECT_EQ(got.error().faults, expected);
}

TEST(EntityStored, ToleratesOtherVersions) {
  auto const got = read(R"({"id":"one","future":{"x":1},"name":"longer than the limit of today","labels":
      [{"text":"too long today","colour":"red"}],"config":[1],"result":7,"secret":"x"})",
                        Mode::stored);
  ASSERT_TRUE(got.has_value()) << got.error().message;
  EXPECT_EQ(got->name, "longer than the limit of today");
  EXPECT_EQ(got->labels.at(0).text, "too long today");
  EXPECT_EQ(got->config.text, "[1]");
  EXPECT_EQ(got->result->text, "7");
  EXPECT_EQ(got->secret, "hidden");
}

TEST(EntityStored, WrongKindsAreFaultsHereToo) {
  auto const got = read(R"({"id":"One!","count":"x","colour":"pink"})", Mode::stored);
  ASSERT_FALSE(got.has_value());
  EXPECT_EQ(got.error().faults.size(), 3U);
}

TEST(EntitySql, ListsStoredMembers) {
  auto const& tag = entity::entity<sample::Tag>();
  EXPECT_EQ(entity::columns(tag), "name, uses");
  EXPECT_EQ(entity::columns(tag, "t."), "t.name, t.uses");
  EXPECT_EQ(entity::placeholders(tag, 3), "$3, $4");
  EXPECT_EQ(entity::array_placeholders(tag, 1), "$1::text[], $2::bigint[]");
  EXPECT_EQ(entity::column_count(tag), 2U);
  auto const& thing = entity::entity<Thing>();
  EXPECT_EQ(entity::column_count(thing), 18U);
  EXPECT_FALSE(entity::columns(thing).contains("computed"));
  EXPECT_TRUE(entity::columns(thing).contains("secret"));
  EXPECT_EQ(entity::array_placeholders(thing, 1),
            "$1::text[], $2::text[], $3::text[], $4::bigint[], $5::double precision[], $6::boolean[], $7::text[], "
            "$8::json[], $9::json[], $10::json[], $11::json[], $12::json[], $13::uuid[], $14::text[], "
            "$15::timestamptz[], $16::text[], $17::bigint[], $18::timestamptz[]");
}

TEST(EntitySql, BindsAndReadsBack) {
  Values values{Value(std::string("before"))};
  entity::bind_row(full(), values);
  ASSERT_EQ(values.size(), 19U);
  EXPECT_EQ(values[1], Value(std::string("one")));
  EXPECT_EQ(values[6], Value(false));
  EXPECT_EQ(values[7], Value(std::string("dark_blue")));
  EXPECT_EQ(values[8], Value(std::string(R"(["x","y"])")));
  EXPECT_EQ(values[11], Value(std::string("{ \"a\": 1.50 }")));
  EXPECT_EQ(values[18], Value(full().created_at));
  EXPECT_EQ(entity::from_row<Thing>(values, 1), full());

  Values empty;
  entity::bind_row(Thing{}, empty);
  EXPECT_TRUE(is_null(empty[2]) && is_null(empty[9]) && is_null(empty[11]) && is_null(empty[12]));
  EXPECT_EQ(entity::from_row<Thing>(empty), Thing{});
}

TEST(EntitySql, ReadsWhatSqliteHas) {
  Values row;
  entity::bind_row(full(), row);
  row[5] = std::int64_t{1};                                              // active
  row[4] = std::int64_t{1};                                              // score
  row[14] = std::int64_t{full().due_at->time_since_epoch().count()};     // due_at
  row[17] = std::int64_t{full().created_at.time_since_epoch().count()};  // created_at
  auto expected = full();
  expected.active = true;
  expected.score = 1;
  EXPECT_EQ(entity::from_row<Thing>(row), expected);
}

TEST(EntitySql, AForeignValueIsAFaultThatNamesTheColumn) {
  struct Case {
    std::size_t column;
    Value value;
    std::string_view message;
  };
  Case const cases[] = {
      {1, Value{}, "column things.name: expected text, found null"},
      {3, Value(std::string("3")), "column things.count: expected an integer, found text"},
      {4, Value(true), "column things.score: expected a double, found a boolean"},
      {5, Value(0.5), "column things.active: expected a boolean, found a double"},
      {6, Value(std::string("pink")), "column things.colour: expected one of red, green, dark_blue, found 'pink'"},
      {7, Value(std::string("[1]")), "column things.tags: the stored JSON does not fit: [0] must be a string"},
      {7, Value(std::string("[")), "column things.tags: expected a JSON document"},
      {8, Value(std::string("[{\"text\":1}]")), "column things.labels: the stored JSON does not fit: [0].text must be"},
      {9, Value(std::string("[]")), "column things.main_label: the stored JSON does not fit"},
      {10, Value(std::string()), "column things.config: expected a JSON document, found an empty text"},
      {17, Value(std::string("now")), "column things.created_at: expected a time, found text"},
  };
  for (auto const& [column, value, message] : cases) {
    Values row;
    entity::bind_row(full(), row);
    row[column] = value;
    try {
      (void)entity::from_row<Thing>(row);
      ADD_FAILURE() << message;
    } catch (Fault const& fault) {
      EXPECT_TRUE(std::string_view(fault.what()).starts_with(message)) << fault.what();
    }
  }
  EXPECT_THROW((void)entity::from_row<Thing>(Row(17)), Fault);
}

std::string schema_of(entity::Entity const& entity, Mode mode, std::string_view pointer) {
  json::value const root = entity::schema(entity, mode);
  boost::json::error_code missing;
  auto const* found = root.find_pointer(pointer, missing);
  return found == nullptr ? "none" : json::serialize(*found);
}

TEST(EntitySchema, OfASmallEntity) {
  auto const& tag = entity::entity<sample::Tag>();
  EXPECT_EQ(json::serialize(entity::schema(tag, Mode::create)),
            R"({"type":"object","description":"A label.","properties":{"name":{"type":"string","minLength":1,)"
            R"("maxLength":50,"description":"What it is called."}},"required":["name"],"additionalProperties":false})");
  EXPECT_EQ(json::serialize(entity::schema(tag, Mode::patch)),
            R"({"type":"object","description":"A label.","properties":{"name":{"type":"string","minLength":1,)"
            R"("maxLength":50,"description":"What it is called."}},"additionalProperties":false})");
  EXPECT_EQ(json::serialize(entity::schema(tag, Mode::stored)),
            R"({"type":"object","description":"A label.","properties":{"name":{"type":"string",)"
            R"("description":"What it is called."},"uses":{"type":"integer","format":"int64",)"
            R"("description":"How often it was used.","readOnly":true}},"required":["name","uses"]})");
}

TEST(EntitySchema, OfWhatAnAnswerLeavesOut) {
  sample::Reply reply;
  EXPECT_EQ(entity::to_json(reply), R"({"id":"","output":{}})");
  reply.reason = "none";
  reply.output.text = "[1]";
  EXPECT_EQ(entity::to_json(reply), R"({"id":"","reason":"none","output":[1]})");
  EXPECT_EQ(
      json::serialize(entity::schema(entity::entity<sample::Reply>(), Mode::stored)),
      R"({"type":"object","description":"An answer.","properties":{"id":{"type":"string","description":"Its id."},)"
      R"("reason":{"type":"string","description":"Why."},"output":{"description":"Anything."}},)"
      R"("required":["id","output"]})");
}

TEST(EntitySchema, OfEveryKindOfMember) {
  struct Case {
    Mode mode;
    std::string_view pointer;
    std::string_view expected;
  };
  Case const cases[] = {
      {Mode::create, "/required", R"(["id","name"])"},
      {Mode::create, "/properties/id",
       R"({"type":"string","pattern":"^[a-z0-9][a-z0-9_-]{0,49}$","description":"Slug."})"},
      {Mode::create, "/properties/note", R"({"type":["string","null"],"maxLength":4,"description":"Note."})"},
      {Mode::create, "/properties/count",
       R"({"type":"integer","format":"int64","minimum":0,"maximum":100,"default":3,"description":"Count."})"},
      {Mode::create, "/properties/score",
       R"({"type":"number","format":"double","minimum":0,"maximum":1,"default":0.5,"description":"Score."})"},
      {Mode::create, "/properties/active", R"({"type":"boolean","default":true,"description":"On."})"},
      {Mode::create, "/properties/colour",
       R"({"type":"string","enum":["red","green","dark_blue"],"default":"green","description":"Colour."})"},
      {Mode::create, "/properties/tags",
       R"({"type":"array","items":{"type":"string"},"maxItems":2,"default":[],"description":"Tags."})"},
      {Mode::create, "/properties/labels",
       R"({"type":"array","items":{"$ref":"#/components/schemas/LabelCreate"},"default":[],"description":"Labels."})"},
      {Mode::patch, "/properties/labels",
       R"({"type":"array","items":{"$ref":"#/components/schemas/LabelCreate"},"description":"Labels."})"},
      {Mode::stored, "/properties/labels",
       R"({"type":"array","items":{"$ref":"#/components/schemas/Label"},"description":"Labels."})"},
      {Mode::create, "/properties/main_label",
       R"({"anyOf":[{"$ref":"#/components/schemas/LabelCreate"},{"type":"null"}],"description":"Label."})"},
      {Mode::create, "/properties/config", R"({"type":"object","default":{},"description":"Config."})"},
      {Mode::create, "/properties/task_id", R"({"type":["string","null"],"format":"uuid","description":"Task."})"},
      {Mode::create, "/properties/source_id",
       R"({"type":["string","null"],"minLength":1,"maxLength":255,"description":"Source."})"},
      {Mode::create, "/properties/due_at", R"({"type":["string","null"],"format":"date-time","description":"Due."})"},
      {Mode::create, "/properties/result", "none"},
      {Mode::create, "/properties/version", "none"},
      {Mode::create, "/properties/secret", "none"},
      {Mode::create, "/additionalProperties", "false"},
      {Mode::patch, "/properties/id", "none"},
      {Mode::patch, "/properties/name", R"({"type":"string","minLength":1,"maxLength":10,"description":"Name."})"},
      {Mode::patch, "/required", "none"},
      {Mode::stored, "/additionalProperties", "none"},
      {Mode::stored, "/properties/secret", "none"},
      {Mode::stored, "/properties/result", R"({"type":["object","null"],"description":"Result.","readOnly":true})"},
      {Mode::stored, "/properties/computed", R"({"type":"string","description":"Computed.","readOnly":true})"},
      {Mode::stored, "/required/17", R"("created_at")"},
  };
  for (auto const& [mode, pointer, expected] : cases) {
    EXPECT_EQ(schema_of(entity::entity<Thing>(), mode, pointer), expected) << pointer;
  }
}

TEST(EntityField, RequiredFollowsFromTheNotes) {
  for (auto const& field : entity::entity<Thing>().fields) {
    EXPECT_EQ(field.required, field.name == "id" || field.name == "name") << field.name;
  }
}

}  // namespace
}  // namespace al
