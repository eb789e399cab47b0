// SPDX-License-Identifier: Apache-2.0
// Feedback over HTTP, on a registry of real packages.
#include <gmock/gmock.h>

#include "serve/base64.hpp"
#include "serve/test_registry.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

class FeedbackRoutes : public RegistryService {
 protected:
  void SetUp() override {
    RegistryService::SetUp();
    add_version("pets", "a");
    ASSERT_TRUE(host("pets").has_value());
  }
  json::Value tell(const json::Value& body, int status = 200) {
    return ask("POST", "/v1/feedback", status, json::dump(body), {{"Content-Type", "application/json"}});
  }
  static std::string bmp() { return encode_bmp(sample_image(8, 1)); }
};

TEST_F(FeedbackRoutes, ARequestIdIsEnough) {
  const auto answer = predict();
  const auto kept = tell({{"request_id", answer["request_id"]}, {"label", answer["prediction"]}, {"note", "yes"}});
  EXPECT_EQ(kept["model"], "pets");
  EXPECT_EQ(kept["model_version"], 1);
  EXPECT_EQ(kept["prediction"], answer["prediction"]);
  EXPECT_NEAR(kept["confidence"].get<double>(), answer["confidence"].get<double>(), 1e-6);
  EXPECT_EQ(kept["correct"], true);
  EXPECT_TRUE(kept["upload"].is_null());
  const auto list = ask("GET", "/v1/feedback");
  EXPECT_EQ(list["total"], 1);
  EXPECT_EQ(list["feedback"][0], kept);
  EXPECT_EQ(list["accuracy"][0]["accuracy"], 1.0);
  EXPECT_EQ(ask("GET", "/v1/stats")["feedback"][0]["count"], 1);
}

TEST_F(FeedbackRoutes, EachImageOfManyHasItsOwn) {
  const auto image = encode_base64(bmp());
  const auto many = ask("POST", "/v1/predict/many", 200, json::dump({{"images", {image, image}}}),
                        {{"Content-Type", "application/json"}});
  const auto& id = many["request_id"];
  EXPECT_EQ(tell({{"request_id", id}, {"index", 1}, {"label", "cat"}})["index"], 1);
  tell({{"request_id", id}, {"index", 2}, {"label", "cat"}}, 404);
}

TEST_F(FeedbackRoutes, SayingItAgainTakesBackWhatWasSaid) {
  const auto answer = predict();
  const auto first = tell({{"request_id", answer["request_id"]}, {"label", "cat"}});
  const auto second = tell({{"request_id", answer["request_id"]}, {"label", "dog"}});
  EXPECT_EQ(first["id"], second["id"]);
  EXPECT_EQ(ask("GET", "/v1/feedback")["total"], 1);
}

TEST_F(FeedbackRoutes, WhatIsForgottenCanBeTold) {
  json::Value told{{"request_id", "long-ago"}, {"label", "frog"}};
  EXPECT_THAT(tell(told, 404)["error"].get<std::string>(), HasSubstr("model_version"));
  told.update({{"model", "pets"}, {"model_version", 1}, {"prediction", "cat"}});
  EXPECT_EQ(tell(told)["correct"], false);
  told["model_version"] = 7;
  tell(told, 404);
}

TEST_F(FeedbackRoutes, AnImageThatIsSentWaitsForARetraining) {
  const auto answer = predict();
  const auto kept = tell({{"request_id", answer["request_id"]},
                          {"label", "frogs"},
                          {"image", encode_base64(bmp())},
                          {"filename", "pond.bmp"}});
  EXPECT_EQ(kept["label"], "frog");  // by another name
  EXPECT_EQ(kept["sha256"], sha256(bmp()));
  const auto uploads = ask("GET", "/v1/uploads")["uploads"];
  ASSERT_EQ(uploads.size(), 1U);
  EXPECT_EQ(uploads[0]["id"], kept["upload"]);
  EXPECT_EQ(uploads[0]["label"], "frog");
  EXPECT_EQ(uploads[0]["name"], "pond.bmp");
}

TEST_F(FeedbackRoutes, AFormWillDo) {
  const auto id = predict()["request_id"].get<std::string>();
  const auto part = [](const std::string& name, const std::string& data) {
    return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + data + "\r\n";
  };
  const std::string fields = part("request_id", id) + part("label", "dog") + part("index", "0");
  const http::Fields type{{"Content-Type", "multipart/form-data; boundary=B"}};
  EXPECT_EQ(ask("POST", "/v1/feedback", 200, fields + "--B--\r\n", type)["label"], "dog");
  const auto file = [&](const std::string& data) {
    return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bmp\"\r\n\r\n" + data + "\r\n";
  };
  const auto kept = ask("POST", "/v1/feedback", 200, fields + file(bmp()) + "--B--\r\n", type);
  EXPECT_TRUE(kept["upload"].is_string());
  ask("POST", "/v1/feedback", 400, fields + file(bmp()) + file(bmp()) + "--B--\r\n", type);
  ask("POST", "/v1/feedback", 400, fields + file("nonsense") + "--B--\r\n", type);
  ask("POST", "/v1/feedback", 400, part("label", "dog") + part("index", "x") + "--B--\r\n", type);
}

TEST_F(FeedbackRoutes, WhatIsNoGoodIsRefused) {
  const auto id = predict()["request_id"];
  EXPECT_THAT(tell({{"request_id", id}, {"label", "zebra"}}, 400)["error"].get<std::string>(), HasSubstr("cat, dog"));
  tell({{"request_id", id}}, 400);
  tell({{"request_id", id}, {"label", "cat"}, {"image", "%%%"}}, 400);
  tell({{"request_id", id}, {"label", "cat"}, {"image", 7}}, 400);
  tell({{"request_id", id}, {"label", "cat"}, {"image", encode_base64(std::string("PK\x03\x04") + "an archive")}}, 400);
  EXPECT_EQ(ask("GET", "/v1/uploads")["total"], 0);
  tell({{"request_id", id}, {"label", "cat"}, {"index", -1}}, 400);
  tell({{"request_id", id}, {"label", "cat"}, {"sha256", "short"}}, 400);
  tell({{"label", "cat"}}, 404);
  ask("POST", "/v1/feedback", 400, "{", {{"Content-Type", "application/json"}});
  ask("POST", "/v1/feedback", 415, "x", {{"Content-Type", "text/plain"}});
  EXPECT_EQ(ask("GET", "/v1/feedback")["total"], 0);
}

TEST_F(FeedbackRoutes, CanBeFilteredAndTakenBack) {
  const auto answer = predict();
  const auto right = tell({{"request_id", answer["request_id"]}, {"label", answer["prediction"]}});
  EXPECT_EQ(ask("GET", "/v1/feedback?correct=true")["total"], 1);
  EXPECT_EQ(ask("GET", "/v1/feedback?correct=false")["total"], 0);
  EXPECT_EQ(ask("GET", "/v1/feedback?model=pets&version=2")["total"], 0);
  ask("GET", "/v1/feedback?correct=maybe", 400);
  ask("GET", "/v1/feedback?version=x", 400);
  const auto path = "/v1/feedback/" + right["id"].get<std::string>();
  EXPECT_EQ(ask("DELETE", path)["deleted"], right["id"]);
  ask("DELETE", path, 404);
}

}  // namespace
}  // namespace imago::serve
