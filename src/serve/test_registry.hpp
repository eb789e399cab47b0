// SPDX-License-Identifier: Apache-2.0
// For this folder's tests: a registry of real packages, and a server on it.
#pragma once

#include <gtest/gtest.h>

#include <cmath>

#include "base/files.hpp"
#include "serve/service.hpp"
#include "serve/test_client.hpp"
#include "serve/test_model.hpp"

namespace imago::serve {

class RegistryService : public testing::Test {
 protected:
  void SetUp() override {
    ServeOptions options;
    options.http.port = 0;
    options.backend = Backend{.database = database_.get(),
                              .datasets = nullptr,
                              .models = &models_,
                              .runs = nullptr,
                              .workspace = folder_.path(),
                              .program = {},
                              .trainer = {}};
    service_ = Service::start(options).value();
  }

  /// The next version of `name`; `note` tells it from others. `more` is added to the logit of its first class.
  void add_version(const std::string& name, const std::string& note, const std::vector<std::string>& aliases = {},
                   float more = 0.0F) {
    package::ModelPackage made_from = model_.package();
    made_from.folder = folder_.path() / ("staged-" + name + note);
    const fs::path& staged = made_from.folder;
    ASSERT_TRUE(make_directories(staged).has_value());
    ASSERT_TRUE(write_file(made_from.onnx_path(), onnx_with(more)).has_value());
    ASSERT_TRUE(write_file(staged / "weights.safetensors", note).has_value());
    auto engine = infer::Engine::load(made_from, {.threads = 1}).value();
    ASSERT_TRUE(
        package::write_spec_and_golden(staged, made_from.spec, {encode_bmp(sample_image(8, 1))}, *engine).has_value());
    ASSERT_TRUE(package::seal_package(staged, {{"test", {{"accuracy", 0.5}}}}, {{"note", note}}).has_value());
    const auto made = models_.register_package(name, staged, "run", aliases);
    ASSERT_TRUE(made.has_value()) << made.error().message;
  }
  /// tiny.onnx with another bias of its first class: make_tiny_onnx.py has it as sin(0.4).
  std::string onnx_with(float more) {
    auto onnx = read_file(model_.package().onnx_path()).value();
    const float bias = std::sin(0.4F);
    const auto at = onnx.find(std::string(reinterpret_cast<const char*>(&bias), sizeof bias));
    EXPECT_NE(at, std::string::npos);
    const float other = bias + more;
    return onnx.replace(at, sizeof other, reinterpret_cast<const char*>(&other), sizeof other);
  }
  /// So that it cannot be loaded.
  void break_version(const std::string& name, int version) {
    const auto path = folder_.path() / "models" / name / std::to_string(version) / "weights.safetensors";
    ASSERT_TRUE(write_file(path, "other bytes").has_value());
  }
  [[nodiscard]] Result<void> host(const std::string& text) {
    TRY(const auto policy, parse_version_policy(text));
    return service_->hosting().host({{policy}}, Hosting::Origin::Told);
  }

  [[nodiscard]] http::ClientResponse send(const std::string& method, const std::string& path, std::string body = {},
                                          http::Fields headers = {}) const {
    return exchange(service_->port(), method, path, std::move(headers), std::move(body));
  }
  json::Value ask(const std::string& method, const std::string& path, int status = 200, std::string body = {},
                  http::Fields headers = {}) {
    SCOPED_TRACE(method + " " + path);
    return json_in(send(method, path, std::move(body), std::move(headers)), status);
  }
  /// The answer to one bitmap.
  json::Value predict(const std::string& path = "/predict", int status = 200) {
    return ask("POST", path, status, encode_bmp(sample_image(8, 1)), {{"Content-Type", "image/bmp"}});
  }
  [[nodiscard]] std::string predicted_by(const std::string& path = "/predict") {
    const auto answer = predict(path);
    return fmt::format("{}:{}", answer.value("model", ""), answer.value("model_version", 0));
  }
  /// "pets:1 ready, pets:2 failed".
  [[nodiscard]] std::string states() const {
    std::string text;
    for (const auto& state : service_->hosting().states())
      text += fmt::format("{}{}:{} {}", text.empty() ? "" : ", ", state.name, state.version, state.state);
    return text;
  }

  TestModel model_;
  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "serve-registry-test").value();
  std::unique_ptr<store::Database> database_ =
      store::Database::open(fmt::format("sqlite:{}", (folder_.path() / "imago.db").string())).value();
  registry::Registry models_{*database_, folder_.path() / "models"};
  std::unique_ptr<Service> service_;
};

}  // namespace imago::serve
