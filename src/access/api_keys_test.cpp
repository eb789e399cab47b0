// SPDX-License-Identifier: Apache-2.0
#include "access/api_keys.hpp"

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "base/hash.hpp"

namespace imago::access {
namespace {

class ApiKeysTest : public testing::Test {
 protected:
  void SetUp() override {
    auto folder = TemporaryDirectory::create(fs::temp_directory_path(), "keys test");
    ASSERT_TRUE(folder.has_value());
    folder_.emplace(std::move(*folder));
    auto database = store::Database::open(fmt::format("sqlite:{}", (folder_->path() / "imago.db").string()));
    ASSERT_TRUE(database.has_value()) << database.error().message;
    database_ = std::move(*database);
  }
  NewKey make(const std::string& name, std::string_view scopes) {
    return create_key(*database_, name, parse_scopes(scopes).value()).value();
  }

  std::optional<TemporaryDirectory> folder_;
  std::unique_ptr<store::Database> database_;
};

TEST_F(ApiKeysTest, AreMadeListedAndRevoked) {
  EXPECT_TRUE(list_keys(*database_).value().empty());
  const auto made = make("Anna's laptop", "write,predict");
  EXPECT_THAT(made.secret, testing::MatchesRegex("imago_[A-Za-z0-9_-]{32,}"));
  EXPECT_NE(made.secret, make("another", "admin").secret);
  const auto keys = list_keys(*database_).value();
  ASSERT_EQ(keys.size(), 2U);
  const auto own = std::ranges::find(keys, made.key.id, &ApiKey::id);
  ASSERT_NE(own, keys.end());
  EXPECT_EQ(own->name, "Anna's laptop");
  EXPECT_EQ(own->scopes, (std::vector<Scope>{Scope::Write, Scope::Predict}));
  EXPECT_EQ(own->revoked, "");
  const auto revoked = revoke_key(*database_, made.key.id);
  ASSERT_TRUE(revoked.has_value());
  EXPECT_NE(revoked->revoked, "");
  EXPECT_EQ(revoke_key(*database_, made.key.id)->revoked, revoked->revoked);
  EXPECT_EQ(revoke_key(*database_, "nosuch").error().code, ErrorCode::NotFound);
}

TEST_F(ApiKeysTest, MayHaveARateOfTheirOwn) {
  const auto made = make("camera", "predict").key;
  EXPECT_EQ(list_keys(*database_)->front().per_minute, std::nullopt);
  EXPECT_EQ(limit_key(*database_, made.id, 600)->per_minute, 600);
  EXPECT_EQ(list_keys(*database_)->front().per_minute, 600);
  EXPECT_EQ(limit_key(*database_, made.id, 0)->per_minute, 0);
  EXPECT_EQ(limit_key(*database_, made.id, std::nullopt)->per_minute, std::nullopt);
  EXPECT_EQ(limit_key(*database_, "nosuch", 600).error().code, ErrorCode::NotFound);
  EXPECT_EQ(create_key(*database_, "other", {Scope::Predict}, 5)->key.per_minute, 5);
}

TEST_F(ApiKeysTest, AreNotInTheDatabase) {
  const auto made = make("k", "predict");
  const auto rows = database_->query("SELECT * FROM api_keys", {}).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].text("sha256"), sha256(std::string_view(made.secret)));
  for (const auto* column : {"id", "name", "scopes", "created"})
    EXPECT_EQ(rows[0].text(column).find(made.secret.substr(6)), std::string::npos) << column;
}

TEST_F(ApiKeysTest, HaveANameThatCanBeShown) {
  for (const auto& name : {std::string(), std::string(101, 'x'), std::string("a\nb"), std::string("\x1b[31m")})
    EXPECT_EQ(create_key(*database_, name, {Scope::Predict}).error().code, ErrorCode::InvalidArgument) << name;
}

TEST_F(ApiKeysTest, OfARingFollowTheDatabase) {
  auto ring = KeyRing::open(*database_).value();
  EXPECT_FALSE(ring->in_use());
  const auto first = make("first", "predict");
  const auto second = make("second", "admin");
  ASSERT_TRUE(ring->refresh().has_value());
  EXPECT_TRUE(ring->in_use());
  ASSERT_NE(ring->find(first.secret), nullptr);
  EXPECT_EQ(ring->find(first.secret)->id, first.key.id);
  EXPECT_EQ(ring->find(first.secret + "x"), nullptr);
  EXPECT_EQ(ring->find(sha256(std::string_view(first.secret))), nullptr);
  for (const auto& key : {first.key, second.key}) ASSERT_TRUE(revoke_key(*database_, key.id).has_value());
  ASSERT_TRUE(ring->refresh().has_value());
  EXPECT_EQ(ring->find(first.secret), nullptr);
  EXPECT_TRUE(ring->in_use()) << "revoking the last key must not open a running server";
}

TEST(Scopes, AreReadAndWritten) {
  EXPECT_EQ(join_scopes(parse_scopes("admin,predict,admin").value()), "admin,predict");
  for (const auto* text : {"", "open", "predict,", ",predict", "Predict", "predict write"})
    EXPECT_EQ(parse_scopes(text).error().code, ErrorCode::InvalidArgument) << text;
}

TEST(Scopes, AreAllIncludedInAdmin) {
  const ApiKey admin{.scopes = {Scope::Admin}};
  const ApiKey write{.scopes = {Scope::Write}};
  for (const Scope scope : {Scope::Open, Scope::Predict, Scope::Write, Scope::Admin}) EXPECT_TRUE(admin.allows(scope));
  EXPECT_TRUE(write.allows(Scope::Open));
  EXPECT_TRUE(write.allows(Scope::Write));
  EXPECT_FALSE(write.allows(Scope::Predict));
  EXPECT_FALSE(write.allows(Scope::Admin));
}

}  // namespace
}  // namespace imago::access
