#include "events/cursor.hpp"

#include <gtest/gtest.h>

namespace al::events {
namespace {

using storage::Dialect;

TEST(Cursor, ComesBackFromItsToken) {
  for (auto const& cursor : {Cursor{.seq = 0}, Cursor{.seq = INT64_MAX}}) {
    auto const back = parse_token(Dialect::sqlite, to_token(Dialect::sqlite, cursor));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, cursor);
  }
  for (auto const& cursor :
       {Cursor{.seen = std::string(first_snapshot)}, Cursor{.seen = "5:5:", .page = "5:9:5,7,8", .seq = 12},
        Cursor{.seen = "9223372036854775806:9223372036854775807:9223372036854775806"}}) {
    auto const back = parse_token(Dialect::postgres, to_token(Dialect::postgres, cursor));
    ASSERT_TRUE(back) << to_token(Dialect::postgres, cursor);
    EXPECT_EQ(*back, cursor);
  }
}

TEST(Cursor, RefusesWhatIsNoTokenOfSqlite) {
  for (auto const* token : {"", "s", "s.", "s.-1", "s.+1", "s. 1", "s.1x", "s.9223372036854775808", "p.1:1:..0"}) {
    auto const refused = parse_token(Dialect::sqlite, token);
    ASSERT_FALSE(refused) << token;
    EXPECT_EQ(refused.error().code, Code::invalid) << token;
  }
}

TEST(Cursor, RefusesWhatIsNoPlace) {
  for (std::int64_t const seq : {std::int64_t{0}, std::int64_t{INT64_MAX}})
    EXPECT_EQ(parse_place(to_place(seq)).value(), seq);
  for (auto const* token : {"", "b", "b.", "b.-1", "b. 1", "b.1x", "b.9223372036854775808", "s.1", "p.1:1:..0"}) {
    auto const refused = parse_place(token);
    ASSERT_FALSE(refused) << token;
    EXPECT_EQ(refused.error().code, Code::invalid) << token;
  }
}

/// "p.5:1:..0" and "p.::..0" once reached PostgreSQL, whose refusal became a 500.
TEST(Cursor, RefusesSnapshotsThatPostgresRefuses) {
  for (auto const* token : {"",
                            "p",
                            "p.",
                            "p..",
                            "p...",
                            "p.1:1:",
                            "p.1:1:.",
                            "p.1:1:..",
                            "p.1:1:..x",
                            "p.1:1:..-1",
                            "s.1",
                            "p.::..0",
                            "p.:1:..0",
                            "p.1::..0",
                            "p.0:1:..0",
                            "p.1:0:..0",
                            "p.5:1:..0",
                            "p.1:1..0",
                            "p.1..0",
                            "p.1:1:1..0",
                            "p.1:5:0..0",
                            "p.2:5:1..0",
                            "p.1:5:5..0",
                            "p.1:5:3,2..0",
                            "p.1:5:2,2..0",
                            "p.1:5:2,..0",
                            "p.1:5:,..0",
                            "p.1:5:,2..0",
                            "p.1:5:2:..0",
                            "p.1:5:2,,3..0",
                            "p.-1:5:..0",
                            "p.+1:5:..0",
                            "p. 1:5:..0",
                            "p.1:5: 2..0",
                            "p.7:9223372036854775808:..0",
                            "p.1:99999999999999999999:..0",
                            "p.1:1:.5:1:.0",
                            "p.1:1:.::.0",
                            "p.1:1:.1:1:.0.0",
                            "p.1:1:;DROP..0",
                            "p.a.b.c"}) {
    auto const refused = parse_token(Dialect::postgres, token);
    ASSERT_FALSE(refused) << token;
    EXPECT_EQ(refused.error().code, Code::invalid) << token;
  }
  EXPECT_FALSE(parse_token(Dialect::postgres, "p.1:1:" + std::string(5000, '1') + "..0"));
}

}  // namespace
}  // namespace al::events
