// SPDX-License-Identifier: Apache-2.0
// Aliases, pages of versions, and abstention limits over HTTP, on a registry of real packages.
#include <gmock/gmock.h>

#include "serve/test_registry.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

class ModelChanges : public RegistryService {
 protected:
  void SetUp() override {
    RegistryService::SetUp();
    add_version("pets", "a", {"champion"});
    add_version("pets", "b");
  }
  http::ClientResponse put(const std::string& path, const std::string& body, http::Fields headers = {}) {
    headers.emplace("Content-Type", "application/json");
    return send("PUT", path, body, std::move(headers));
  }
  const std::string aliases_ = "/v1/models/pets/aliases", staging_ = aliases_ + "/staging";
  const std::string limits_ = "/v1/models/pets/versions/1/abstention";
};

TEST_F(ModelChanges, AnAliasIsSetShownAndTakenAway) {
  const auto set = put(staging_, R"({"version":2,"reason":"try it"})");
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(set.headers.at("ETag"), "\"2\"");
  EXPECT_EQ(json::parse(set.body).value(),
            (json::Value{{"name", "pets"}, {"alias", "staging"}, {"version", 2}, {"previous", nullptr}}));
  EXPECT_EQ(ask("GET", staging_)["version"], 2);
  EXPECT_EQ(ask("GET", aliases_)["aliases"].size(), 3U);  // champion, latest, staging
  EXPECT_EQ(ask("DELETE", staging_)["previous"], 2);
  ask("GET", staging_, 404);
  ask("DELETE", staging_, 404);
  const auto moves = ask("GET", "/v1/models/pets/history?alias=staging")["moves"];
  ASSERT_EQ(moves.size(), 2U);
  EXPECT_TRUE(moves[0]["version"].is_null());
  EXPECT_EQ(moves[1]["reason"], "try it");
}

TEST_F(ModelChanges, ARollbackDoesNotLeadBackAcrossATakingAway) {
  put(staging_, R"({"version":1})");
  ask("DELETE", staging_);
  put(staging_, R"({"version":2})");
  ask("POST", "/v1/models/pets/rollback", 409, R"({"alias":"staging"})");
}

TEST_F(ModelChanges, WhoeverLookedCanSetItOnlyIfNobodyElseDid) {
  EXPECT_EQ(put(staging_, R"({"version":1})", {{"If-None-Match", "*"}}).status, 200);
  EXPECT_EQ(put(staging_, R"({"version":2})", {{"If-None-Match", "*"}}).status, 412);
  EXPECT_EQ(put(staging_, R"({"version":2})", {{"If-Match", "\"2\""}}).status, 412);
  EXPECT_EQ(ask("GET", staging_)["version"], 1);
  EXPECT_EQ(put(staging_, R"({"version":2})", {{"If-Match", "\"1\""}}).status, 200);
  EXPECT_EQ(send("DELETE", staging_, {}, {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(put(staging_, R"({"version":2})", {{"If-Match", "2"}}).status, 400);
  EXPECT_EQ(put(staging_, R"({"version":2})", {{"If-None-Match", "\"1\""}}).status, 400);
}

TEST_F(ModelChanges, ThoseByWhichModelsAreFoundStay) {
  EXPECT_THAT(ask("DELETE", aliases_ + "/champion", 400)["error"].get<std::string>(), HasSubstr("not taken away"));
  ask("DELETE", aliases_ + "/latest", 400);
}

TEST_F(ModelChanges, WhatCannotBeIsRefused) {
  ask("PUT", aliases_ + "/3", 400, R"({"version":1})");
  ask("PUT", staging_, 404, R"({"version":9})");
  ask("PUT", "/v1/models/birds/aliases/staging", 404, R"({"version":1})");
  ask("PUT", staging_, 400, "[]");
  ask("PUT", staging_, 400, "{}");
  ask("PUT", staging_, 400, R"({"version":1,"reason":")" + std::string(1001, 'x') + "\"}");
  ask("GET", "/v1/models/birds/aliases", 404);
}

TEST_F(ModelChanges, ListsComeInPages) {
  add_version("birds", "c");
  const auto first = ask("GET", "/v1/models?limit=1");
  EXPECT_EQ(first["models"][0]["name"], "birds");
  EXPECT_EQ(first["next_offset"], 1);
  const auto second = ask("GET", "/v1/models?limit=1&offset=1");
  EXPECT_EQ(second["models"][0]["name"], "pets");
  EXPECT_TRUE(second["next_offset"].is_null());
  EXPECT_EQ(ask("GET", "/v1/models/pets/versions?limit=1")["versions"][0]["version"], 2);
  EXPECT_EQ(ask("GET", "/v1/models/pets/versions?offset=1")["versions"][0]["version"], 1);
  EXPECT_TRUE(ask("GET", "/v1/models/pets/versions?offset=9")["versions"].empty());
  ask("GET", "/v1/models?limit=0", 400);
  ask("GET", "/v1/models?offset=-1", 400);
}

TEST_F(ModelChanges, LimitsAreSetShownAndLifted) {
  EXPECT_TRUE(ask("GET", limits_)["abstention"].is_null());
  const auto set = ask("PUT", limits_, 200, R"({"least_confidence":0.7,"most_energy":-1.5,"reason":"too sure"})");
  EXPECT_EQ(set["abstention"]["least_confidence"], 0.7);
  EXPECT_EQ(set["changes"][0]["reason"], "too sure");
  EXPECT_EQ(ask("GET", "/v1/models/pets/versions/champion/abstention")["abstention"]["most_energy"], -1.5);
  EXPECT_TRUE(ask("DELETE", limits_)["abstention"].is_null());
  EXPECT_EQ(ask("DELETE", limits_)["changes"].size(), 2U);  // lifting what is lifted is no change
}

TEST_F(ModelChanges, LimitsThatCannotBeAreRefused) {
  for (const char* body : {"{}", "[]", R"({"least_confidence":1.5})", R"({"least_confidence":[0.1,0.2]})",
                           R"({"most_energy":"x"})", R"({"most_energy":1,"fitted":3})"})
    ask("PUT", limits_, 400, body);
  ask("PUT", "/v1/models/pets/versions/9/abstention", 404, R"({"most_energy":1})");
  EXPECT_TRUE(ask("GET", limits_)["changes"].empty());
}

TEST_F(ModelChanges, AServerFollowsTheLimitsThatWereSet) {
  ASSERT_TRUE(host("pets@1").has_value());
  EXPECT_FALSE(predict().contains("abstained"));
  ask("PUT", limits_, 200, R"({"least_confidence":1.0})");
  service_->hosting().follow();
  EXPECT_EQ(predict()["abstained"], true);
}

}  // namespace
}  // namespace imago::serve
