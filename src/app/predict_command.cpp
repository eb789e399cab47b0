// SPDX-License-Identifier: Apache-2.0
// imago predict
#include "app/command.hpp"
#include "base/files.hpp"
#include "image/decode.hpp"
#include "infer/engine.hpp"

namespace imago::app {
namespace {

Result<json::Value> predict_one(const fs::path& path, const model::ModelSpec& spec,
                                const model::AbstentionPolicy& policy, infer::Engine& engine) {
  TRY(const auto bytes, read_file(path, image::DecodeLimits{}.max_bytes));
  TRY(const auto resized, image::decode_and_resize(as_bytes(bytes), spec.preprocess));
  image::ImageBatch batch{
      .n = 1, .channels = 3, .height = spec.preprocess.height, .width = spec.preprocess.width, .data = {}};
  batch.data.resize(batch.item_size());
  image::normalize(resized.rgb, spec.preprocess, batch.item(0));
  TRY(const auto logits, engine.classify(batch));
  const auto probabilities = model::softmax(logits.row(0), spec.temperature);
  const auto best = static_cast<std::size_t>(model::argmax(logits.row(0)));
  json::Value by_class = json::Value::object();
  for (std::size_t i = 0; i < probabilities.size(); ++i) by_class[spec.labels[i]] = probabilities[i];
  json::Value answer{{"file", path.string()},
                     {"prediction", spec.labels[best]},
                     {"confidence", probabilities[best]},
                     {"class_probabilities", by_class},
                     {"energy", model::energy(logits.row(0))}};
  if (policy.empty()) return answer;
  const auto doubt = policy.judge(static_cast<int>(best), probabilities[best], answer["energy"].get<double>());
  answer["abstained"] = doubt != model::Doubt::None;
  if (doubt != model::Doubt::None) answer["abstained_because"] = model::to_string(doubt);
  return answer;
}

Result<void> run_predict(Context& context, const std::string& model, const std::vector<std::string>& files) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto version, workspace->models().resolve(model));
  TRY(const auto package, workspace->models().open(version));
  TRY(const auto engine, infer::Engine::load(package));
  json::Value answers = json::Value::array();
  std::string text;
  std::size_t failed = 0;
  for (const auto& file : files) {
    auto answer = predict_one(file, package.spec, version.abstention, *engine);
    if (!answer) {  // one bad image spoils only its own line
      ++failed;
      fmt::print(stderr, "imago: {}: {}\n", file, answer.error().message);
      answers.push_back({{"file", file}, {"error", answer.error().message}});
      continue;
    }
    const std::string because = answer->value("abstained_because", "");
    text += fmt::format("{}  {}  {:.4f}{}\n", file, (*answer)["prediction"].get<std::string>(),
                        (*answer)["confidence"].get<double>(),
                        because.empty() ? "" : fmt::format("  (abstained: {})", because));
    answers.push_back(std::move(*answer));
  }
  context.answer({{"model", version.model}, {"version", version.version}, {"predictions", answers}}, text);
  if (failed > 0) return fail(ErrorCode::InvalidArgument, "{} of {} images could not be read", failed, files.size());
  return {};
}

}  // namespace

void add_predict_command(CLI::App& app, Context& context) {
  auto* predict = app.add_subcommand("predict", "Classify image files with a registered model");
  auto model = std::make_shared<std::string>();
  auto files = std::make_shared<std::vector<std::string>>();
  predict->add_option("model", *model, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  predict->add_option("images", *files, "Image files")->required();
  predict->footer("Example:\n  imago predict cifar10 photo.jpg");
  predict->callback([&context, model, files] {
    context.action = [&context, model, files] { return run_predict(context, *model, *files); };
  });
}

}  // namespace imago::app
