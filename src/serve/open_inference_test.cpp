// SPDX-License-Identifier: Apache-2.0
// The Open Inference Protocol over HTTP, on a small real network: its answers are those of /predict.
#include "serve/open_inference.hpp"

#include <gmock/gmock.h>

#include "serve/base64.hpp"
#include "serve/test_registry.hpp"

namespace imago::serve {
namespace {

using testing::FloatNear;
using testing::HasSubstr;
using testing::Pointwise;

class OpenInferenceTest : public RegistryService {
 protected:
  void SetUp() override {
    RegistryService::SetUp();
    add_version("pets", "one", {"champion"});
    add_version("pets", "two");
    ASSERT_TRUE(host("pets@all").has_value());
  }
  json::Value infer(const json::Value& request, int status = 200, const std::string& path = "/v2/models/pets/infer") {
    return ask("POST", path, status, json::dump(request));
  }
  static json::Value one(const std::string& name, const std::string& datatype, json::Value shape, json::Value data) {
    return {
        {"inputs", {{{"name", name}, {"datatype", datatype}, {"shape", std::move(shape)}, {"data", std::move(data)}}}}};
  }
  static json::Value bitmaps(int count) {
    json::Value data = json::Value::array();
    for (int seed = 0; seed < count; ++seed) data.push_back(encode_base64(encode_bmp(sample_image(8, seed))));
    return one("image", "BYTES", {count}, std::move(data));
  }
  static std::vector<float> row(const json::Value& answer, std::size_t i) {
    const auto all = json::get<std::vector<float>>(answer["outputs"][0], "data").value();
    return {all.begin() + static_cast<std::ptrdiff_t>(i * 3), all.begin() + static_cast<std::ptrdiff_t>(i * 3 + 3)};
  }
  std::vector<float> expected(int seed) {
    const auto exact = model_.probabilities(sample_image(8, seed));
    return {exact.begin(), exact.end()};
  }
};

TEST_F(OpenInferenceTest, GivesTheSameAnswerToTheSamePixelsInEveryForm) {
  const auto image = sample_image(8, 1);
  std::vector<float> planes(192);
  image::normalize(image.rgb, model_.package().spec.preprocess, planes);
  const auto near = Pointwise(FloatNear(1e-6F), expected(1));
  EXPECT_THAT(row(infer(one("image", "BYTES", {1}, {encode_base64(encode_bmp(image))})), 0), near);
  EXPECT_THAT(row(infer(one("image", "BYTES", {1, 1}, {encode_base64(encode_bmp(image))})), 0), near);
  EXPECT_THAT(row(infer(one("pixels", "UINT8", {1, 8, 8, 3}, image.rgb)), 0), near);
  EXPECT_THAT(row(infer(one("input", "FP32", {1, 3, 8, 8}, planes)), 0), near);
  const auto raw =
      ask("POST", "/v2/models/pets/infer", 200, encode_bmp(image), {{"Inference-Header-Content-Length", "0"}});
  EXPECT_THAT(row(raw, 0), near);
  EXPECT_EQ(row(raw, 0), json::get<std::vector<float>>(predict(), "probabilities").value());
}

TEST_F(OpenInferenceTest, AnswersBatchesInTheirOrder) {
  const auto answer = infer(bitmaps(20));
  EXPECT_EQ(answer["model_name"], "pets");
  EXPECT_EQ(answer["model_version"], "1");
  EXPECT_EQ(answer["outputs"][0]["shape"], (json::Value{20, 3}));
  EXPECT_EQ(answer["outputs"][1]["shape"], (json::Value{20}));
  EXPECT_EQ(answer["outputs"][2]["data"], json::Value(std::vector<std::string>(20, "none"))) << "there is no policy";
  for (int seed = 0; seed < 20; ++seed) {
    const auto wanted = expected(seed);
    EXPECT_THAT(row(answer, static_cast<std::size_t>(seed)), Pointwise(FloatNear(1e-6F), wanted));
    const auto best = static_cast<std::size_t>(std::ranges::max_element(wanted) - wanted.begin());
    EXPECT_EQ(answer["outputs"][1]["data"][static_cast<std::size_t>(seed)], model_.package().spec.labels[best]);
  }
}

TEST_F(OpenInferenceTest, NamesTheLikeliestClasses) {
  auto request = bitmaps(2);
  request["id"] = "mine";
  request["outputs"] = {{{"name", "probabilities"}, {"parameters", {{"classification", 2}}}}};
  const auto answer = infer(request);
  EXPECT_EQ(answer["id"], "mine");
  const auto& output = answer["outputs"][0];
  EXPECT_EQ(output["datatype"], "BYTES");
  EXPECT_EQ(output["shape"], (json::Value{2, 2}));
  const auto wanted = expected(1);
  const auto best = static_cast<std::size_t>(std::ranges::max_element(wanted) - wanted.begin());
  EXPECT_EQ(output["data"][2].get<std::string>(),
            fmt::format("{:f}:{}:{}", wanted[best], best, model_.package().spec.labels[best]));
  request["outputs"][0]["parameters"]["classification"] = 99;
  EXPECT_EQ(infer(request)["outputs"][0]["shape"], (json::Value{2, 3}));
}

TEST_F(OpenInferenceTest, AnswersByTheVersionNamed) {
  EXPECT_EQ(infer(bitmaps(1), 200, "/v2/models/pets/versions/2/infer")["model_version"], "2");
  EXPECT_THAT(infer(bitmaps(1), 404, "/v2/models/pets/versions/9/infer")["error"].get<std::string>(),
              HasSubstr("1, 2"));
  infer(bitmaps(1), 400, "/v2/models/pets/versions/x/infer");
  infer(bitmaps(1), 404, "/v2/models/boats/infer");
}

TEST_F(OpenInferenceTest, RefusesTensorsThatDoNotFitTheModel) {
  const json::Value row = std::vector<int>(192, 0);
  const auto refused = [&](const json::Value& request, int status, const char* text) {
    EXPECT_THAT(infer(request, status)["error"].get<std::string>(), HasSubstr(text));
  };
  refused(one("input", "FP32", {1, 3, 4, 16}, row), 400, "expected [n, 3, 8, 8]");
  refused(one("input", "FP32", {192}, row), 400, "expected [n, 3, 8, 8]");
  refused(one("pixels", "UINT8", {1, 3, 8, 8}, row), 400, "expected [n, height, width, 3]");
  infer(one("pixels", "UINT8", {1, 1, 64, 3}, row), 200);
  refused(one("pixels", "FP32", {1, 8, 8, 3}, row), 400, "does not go with its datatype");
  refused(one("x", "FP32", {1, 3, 8, 8}, row), 400, "input 'x'");
  refused(one("input", "FP32", {0, 3, 8, 8}, json::Value::array()), 400, "no image");
  refused(one("image", "BYTES", {1}, {"aGVsbG8="}), 400, "not an image we read");
  refused({{"inputs", json::Value::array()}}, 400, "0 inputs");
  refused(bitmaps(257), 413, "at most 256");
  auto request = bitmaps(1);
  request["outputs"] = {{{"name", "logits"}}};
  refused(request, 400, "output 'logits'");
  request["outputs"] = {{{"name", "label"}, {"parameters", {{"classification", 1}}}}};
  refused(request, 400, "cannot be classified");
  auto broken = bitmaps(3);
  broken["inputs"][0]["data"][1] = "aGVsbG8=";
  refused(broken, 400, "image 1: ");
}

TEST_F(OpenInferenceTest, RefusesBodiesPackedInAWayItDoesNotKnow) {
  const auto answer = send("POST", "/v2/models/pets/infer", "{}", {{"Content-Encoding", "zstd"}});
  EXPECT_EQ(answer.status, 415);
}

TEST_F(OpenInferenceTest, HonoursTheTimeoutOfTheRequest) {
  auto request = bitmaps(1);
  request["parameters"] = {{"timeout", 1}};
  infer(request, 504);
  request["parameters"] = {{"timeout", 20'000'000}};
  infer(request, 200);
}

TEST_F(OpenInferenceTest, DecodesLargeRequestsBesideTheEventLoop) {
  const auto image = sample_image(400, 2);
  const auto answer = infer(one("image", "BYTES", {1}, {encode_base64(encode_bmp(image))}));
  const auto exact = model_.probabilities(image);
  EXPECT_THAT(row(answer, 0), Pointwise(FloatNear(1e-6F), std::vector<float>(exact.begin(), exact.end())));
}

TEST_F(OpenInferenceTest, DescribesServerAndModels) {
  EXPECT_EQ(ask("GET", "/v2")["name"], "imago");
  EXPECT_EQ(ask("GET", "/v2/health/live")["live"], true);
  EXPECT_EQ(ask("GET", "/v2/health/ready")["ready"], true);
  const auto model = ask("GET", "/v2/models/pets");
  EXPECT_EQ(model["versions"], (json::Value{"1", "2"}));
  EXPECT_EQ(ask("GET", "/v2/models/pets/versions/2")["versions"], (json::Value{"2"}));
  EXPECT_EQ(model["inputs"][2], (json::Value{{"name", "input"}, {"datatype", "FP32"}, {"shape", {-1, 3, 8, 8}}}));
  EXPECT_EQ(model["outputs"][0]["shape"], (json::Value{-1, 3}));
  EXPECT_EQ(ask("GET", "/v2/models/pets/ready")["ready"], true);
  EXPECT_EQ(ask("GET", "/v2/models/pets/versions/2/ready")["ready"], true);
  ask("GET", "/v2/models/boats/ready", 404);
  ask("GET", "/v2/models/boats", 404);
}

TEST_F(OpenInferenceTest, LoadsAndUnloadsWhatTheRepositoryHas) {
  add_version("cars", "three", {"champion"});
  const auto states = [&](const char* body = "") {
    std::string text;
    for (const auto& row : ask("POST", "/v2/repository/index", 200, body))
      text += fmt::format("{}:{} {}; ", row.value("name", ""), row.value("version", ""), row.value("state", ""));
    return text;
  };
  EXPECT_EQ(states(), "cars:1 UNAVAILABLE; pets:1 READY; pets:2 READY; ");
  EXPECT_EQ(states(R"({"ready":true})"), "pets:1 READY; pets:2 READY; ");
  ask("POST", "/v2/repository/models/cars/load", 200, R"({"parameters":{"version":"1"}})");
  EXPECT_EQ(states(), "cars:1 READY; pets:1 READY; pets:2 READY; ");
  ask("POST", "/v2/repository/models/cars/unload", 200, R"({"parameters":{"unload_dependents":false}})");
  EXPECT_EQ(states(), "cars:1 UNAVAILABLE; pets:1 READY; pets:2 READY; ");
  ask("POST", "/v2/repository/models/boats/load", 404);
  ask("POST", "/v2/repository/models/cars/load", 400, R"({"parameters":{"config":"{}"}})");
  ask("POST", "/v2/repository/models/cars/load", 400, R"({"parameters":{"file:1/model.onnx":"eA=="}})");
  ask("POST", "/v2/repository/models/cars/load", 400, R"({"parameters":[]})");
  ask("POST", "/v2/repository/models/pets/unload", 409);
}

TEST_F(OpenInferenceTest, CountsWhatItAnswered) {
  infer(bitmaps(3));
  predict();
  infer(one("image", "BYTES", {1}, {"aGVsbG8="}), 400);
  const auto stats = ask("GET", "/v2/models/pets/versions/1/stats")["model_stats"][0];
  EXPECT_EQ(stats["name"], "pets");
  EXPECT_EQ(stats["version"], "1");
  EXPECT_EQ(stats["inference_count"], 4);
  EXPECT_EQ(stats["inference_stats"]["success"]["count"], 4);
  EXPECT_EQ(stats["inference_stats"]["fail"]["count"], 1);
  EXPECT_GT(stats["inference_stats"]["compute_infer"]["ns"].get<std::int64_t>(), 0);
  EXPECT_GT(stats["last_inference"].get<std::int64_t>(), 1'600'000'000'000);
  EXPECT_EQ(ask("GET", "/v2/models/stats")["model_stats"].size(), 2U);
  EXPECT_EQ(ask("GET", "/v2/models/pets/stats")["model_stats"].size(), 2U);
  ask("GET", "/v2/models/boats/stats", 404);
}

}  // namespace
}  // namespace imago::serve
