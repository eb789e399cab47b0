// SPDX-License-Identifier: Apache-2.0
// imago predict, imago evaluate
#include "app/command.hpp"
#include "base/files.hpp"
#include "evaluate/plots.hpp"
#include "image/decode.hpp"
#include "infer/engine.hpp"
#include "pipeline/evaluate_model.hpp"

namespace imago::app {
namespace {

Result<json::Value> predict_one(const fs::path& path, const model::ModelSpec& spec, infer::Engine& engine) {
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
  return json::Value{{"file", path.string()},
                     {"prediction", spec.labels[best]},
                     {"confidence", probabilities[best]},
                     {"class_probabilities", by_class}};
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
    auto answer = predict_one(file, package.spec, *engine);
    if (!answer) {  // one bad image spoils only its own line
      ++failed;
      fmt::print(stderr, "imago: {}: {}\n", file, answer.error().message);
      answers.push_back({{"file", file}, {"error", answer.error().message}});
      continue;
    }
    text += fmt::format("{}  {}  {:.4f}\n", file, (*answer)["prediction"].get<std::string>(),
                        (*answer)["confidence"].get<double>());
    answers.push_back(std::move(*answer));
  }
  context.answer({{"model", version.model}, {"version", version.version}, {"predictions", answers}}, text);
  if (failed > 0) return fail(ErrorCode::InvalidArgument, "{} of {} images could not be read", failed, files.size());
  return {};
}

/// metrics.json for machines, confusion_matrix.svg and metrics.txt for people.
Result<void> write_report(const fs::path& folder, const json::Value& value, const evaluate::Metrics& metrics) {
  TRY_VOID(make_directories(folder));
  std::vector<std::string> labels;
  for (const auto& one : metrics.classes) labels.push_back(one.label);
  TRY_VOID(write_file_atomic(folder / "metrics.json", json::dump_pretty(value) + "\n"));
  TRY_VOID(write_file_atomic(folder / "metrics.txt", evaluate::format_table(metrics)));
  return write_file_atomic(folder / "confusion_matrix.svg", evaluate::draw_confusion(labels, metrics.confusion));
}

Result<void> run_evaluate(Context& context, const std::string& model, const std::string& data,
                          const std::string& output, const std::string& report) {
  TRY(auto* workspace, context.workspace());
  Progress progress(context.progress());
  TRY(const auto evaluation,
      pipeline::evaluate_model(*workspace, model, data, [&](std::size_t done, std::size_t total) {
        progress.update("evaluating", done, total);
      }));
  progress.end();
  json::Value value = evaluate::to_json(evaluation.metrics);
  value["model"] = evaluation.version.model;
  value["version"] = evaluation.version.version;
  value["dataset"] = evaluation.dataset;
  value["split"] = data::to_string(evaluation.split);
  std::string views;
  for (const auto& [name, accuracy] : evaluation.views.items())
    views += fmt::format("accuracy with views {}: {:.4f}\n", name, accuracy.get<double>());
  if (!views.empty()) value["accuracy_by_views"] = evaluation.views;
  if (!output.empty()) TRY_VOID(write_file_atomic(output, json::dump_pretty(value) + "\n"));
  if (!report.empty()) TRY_VOID(write_report(report, value, evaluation.metrics));
  context.answer(value, fmt::format("{}:{} on {}, {} split\n\n{}", evaluation.version.model, evaluation.version.version,
                                    evaluation.dataset, data::to_string(evaluation.split),
                                    evaluate::format_table(evaluation.metrics) + views));
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

  auto* evaluate = app.add_subcommand("evaluate", "Measure a registered model on a data set");
  auto evaluated = std::make_shared<std::string>();
  auto data = std::make_shared<std::string>();
  auto output = std::make_shared<std::string>();
  evaluate->add_option("model", *evaluated, "MODEL, MODEL:VERSION or MODEL:ALIAS")->required();
  evaluate->add_option("-d,--data", *data, "NAME[@VERSION][:SPLIT]; default: the test split of what it was trained on");
  evaluate->add_option("-o,--output", *output, "Also write the metrics to this JSON file");
  auto report = std::make_shared<std::string>();
  evaluate->add_option("--report", *report, "Also write metrics.json, metrics.txt and confusion_matrix.svg there")
      ->type_name("FOLDER");
  evaluate->footer("Example:\n  imago evaluate cifar10:2 --data cifar10:test --output metrics.json");
  evaluate->callback([&context, evaluated, data, output, report] {
    context.action = [&context, evaluated, data, output, report] {
      return run_evaluate(context, *evaluated, *data, *output, *report);
    };
  });
}

}  // namespace imago::app
