// SPDX-License-Identifier: Apache-2.0
#include "pipeline/evaluate_model.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "base/clock.hpp"
#include "data/packed.hpp"
#include "infer/engine.hpp"
#include "pipeline/learner_answers.hpp"
#include "pipeline/remote_model.hpp"
#include "pipeline/subject.hpp"

namespace imago::pipeline {
namespace {

/// Logits and the temperature that makes them probabilities.
struct Predictions {
  model::Logits logits;
  double temperature = 1.0;
  std::optional<evaluate::Latency> batches, singles;
  std::vector<model::Doubt> doubts{};  ///< a server's own; empty of others, which give logits to judge by
};

Result<Predictions> ask_package(const Subject& subject, std::size_t timed_images, const OnProgress& on_progress) {
  const auto& spec = subject.package.spec;
  TRY(const auto engine, infer::Engine::load(subject.package));
  evaluate::Stopwatch stopwatch(*engine);
  Predictions predictions{.logits = {}, .temperature = spec.temperature, .batches = {}, .singles = {}};
  TRY(predictions.logits, evaluate::predict_split(stopwatch, *subject.images, spec.preprocess, on_progress));
  predictions.batches = stopwatch.latency();
  if (timed_images > 0) {
    TRY(predictions.singles, evaluate::time_single_images(*engine, *subject.images, spec.preprocess, timed_images));
  }
  return predictions;
}

Result<Predictions> ask_learner_of(Workspace& workspace, const Subject& subject, const EvaluationRequest& request,
                                   const OnProgress& on_progress) {
  TRY(auto answers, ask_learner(subject.package, {.trainer = request.learner,
                                                  .datasets = workspace.datasets().folder(),
                                                  .dataset = subject.dataset(),
                                                  .split = subject.split,
                                                  .timed_images = request.timed_images,
                                                  .on_progress = on_progress,
                                                  .should_stop = request.should_stop}));
  if (static_cast<std::size_t>(answers.logits.n) != subject.images->size())
    return fail(ErrorCode::Internal, "the learner answered {} of {} images", answers.logits.n, subject.images->size());
  return Predictions{.logits = std::move(answers.logits),
                     .temperature = subject.package.spec.temperature,
                     .batches = answers.batches,
                     .singles = answers.singles};
}

Result<void> check_served(const RemoteModel& remote, const Subject& subject) {
  if (remote.digest() == subject.version.digest) return {};
  return fail(ErrorCode::InvalidArgument, "{} serves {} (digest {:.12}), not {} (digest {:.12})", remote.url(),
              remote.name(), remote.digest(), subject.name(), subject.version.digest);
}

/// Every file as it was imported, so that the server's own decoding and resizing are measured too.
Result<Predictions> ask_server(Workspace& workspace, const Subject& subject, const EvaluationRequest& request,
                               const OnProgress& on_progress) {
  TRY(auto remote, RemoteModel::connect(request.server, request.api_key));
  TRY_VOID(check_served(remote, subject));
  Predictions predictions{
      .logits = {.n = 0, .classes = subject.package.spec.classes()}, .temperature = 1.0, .batches = {}, .singles = {}};
  std::vector<double> milliseconds;
  const std::size_t images = subject.images->size();
  for (std::size_t i = 0; i < images; ++i) {
    const auto& entry = subject.manifest.entries[subject.images->entry(i)];
    TRY(const auto bytes, workspace.datasets().read_object(entry.sha256));
    const SteadyTime start = system_clock().steady();
    const auto answer = remote.classify(bytes);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(system_clock().steady() - start).count());
    if (!answer) return tl::unexpected(Error(answer.error()).with(entry.path));
    predictions.doubts.push_back(answer->doubt);
    for (const double p : answer->probabilities)
      predictions.logits.data.push_back(static_cast<float>(std::log(std::max(p, std::numeric_limits<double>::min()))));
    ++predictions.logits.n;
    if (on_progress) on_progress(i + 1, images);
  }
  predictions.singles = evaluate::summarize(std::move(milliseconds), static_cast<std::int64_t>(images), 1);
  return predictions;
}

std::vector<evaluate::Answer> answers_of(const Subject& subject, const Predictions& predictions) {
  std::vector<std::size_t> entries(subject.images->size());
  for (std::size_t i = 0; i < entries.size(); ++i) entries[i] = subject.images->entry(i);
  return evaluate::answers_of(predictions.logits, subject.images->labels(), entries, predictions.temperature);
}

/// What the answers' confidence is worth, and what they come to under the version's policy.
void add_confidence(evaluate::Report& report, const Subject& subject, const Predictions& predictions) {
  const auto& policy = subject.version.abstention;
  if (predictions.doubts.empty()) {
    report.uncalibrated = evaluate::calibration_of(predictions.logits, subject.images->labels(), 1.0);
    evaluate::judge(report.answers, predictions.logits, policy);
  } else {
    for (std::size_t i = 0; i < report.answers.size(); ++i) report.answers[i].doubt = predictions.doubts[i];
  }
  report.coverage = evaluate::measure_coverage(report.answers);
  const bool abstains = std::ranges::any_of(
      report.answers, [](const evaluate::Answer& answer) { return answer.doubt != model::Doubt::None; });
  if (abstains || !policy.empty()) report.abstention = evaluate::abstention_outcome(report.answers, policy);
}

/// The usual columns, then those asked for.
Result<std::vector<evaluate::Column>> columns_of(const Subject& subject, const std::vector<std::string>& wanted) {
  std::vector<std::string> names(evaluate::kUsualColumns.begin(), evaluate::kUsualColumns.end());
  for (const auto& name : wanted) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  std::vector<evaluate::Column> columns;
  for (const auto& name : names) {
    TRY(auto column, evaluate::split_column(name, *subject.images, subject.manifest));
    columns.push_back(std::move(column));
  }
  return columns;
}

/// What the package tells of its training, beside where it came from.
json::Value history_of(const package::ModelPackage& package) {
  const auto training = package.report.find("training");
  if (training == package.report.end() || !training->is_object()) return json::Value::array();
  return training->value("history", json::Value::array());
}

std::string via(const EvaluationRequest& request) {
  if (!request.server.empty()) return request.server;
  return request.learner.empty() ? "package" : "learner";
}

Result<Predictions> ask(Workspace& workspace, const Subject& subject, const EvaluationRequest& request,
                        const OnProgress& on_progress) {
  if (!request.server.empty()) return ask_server(workspace, subject, request, on_progress);
  if (!request.learner.empty()) return ask_learner_of(workspace, subject, request, on_progress);
  return ask_package(subject, request.timed_images, on_progress);
}

evaluate::Report report_of(Subject& subject, const EvaluationRequest& request) {
  evaluate::Report report;
  report.model = subject.version.model;
  report.version = subject.version.version;
  report.digest = subject.version.digest;
  report.dataset = subject.dataset();
  report.split = subject.split;
  report.via = via(request);
  report.note = subject.note;
  report.preprocess = subject.package.spec.preprocess;
  report.measured_at = format_utc(system_clock().wall());
  report.lineage = subject.package.lineage;
  report.history = history_of(subject.package);
  return report;
}

}  // namespace

Result<evaluate::Metrics> evaluate_split(Workspace& workspace, model::Classifier& classifier,
                                         const model::ModelSpec& spec, const data::Manifest& manifest,
                                         data::Split split, const OnProgress& on_progress) {
  TRY_VOID(check_labels(spec.labels, manifest.labels));
  TRY(const auto packed, data::open_packed(workspace.datasets(), manifest, split, spec.preprocess, {}));
  TRY(const auto logits, evaluate::predict_split(classifier, packed, spec.preprocess, on_progress));
  return evaluate::compute_metrics(logits, packed.labels(), spec.labels, spec.temperature);
}

Result<json::Value> accuracy_by_views(Workspace& workspace, const package::ModelPackage& package,
                                      const data::Manifest& manifest, data::Split split,
                                      const evaluate::Metrics& metrics, const OnProgress& on_progress) {
  json::Value accuracies = json::Value::object();
  const model::ModelSpec& spec = package.spec;
  if (spec.views == spec.evaluation_views && spec.views == model::Views::None) return accuracies;
  accuracies[std::string(to_string(spec.views))] = metrics.accuracy;
  for (const auto views : {model::Views::None, spec.evaluation_views}) {
    const std::string name(to_string(views));
    if (accuracies.contains(name)) continue;
    TRY(const auto engine, infer::Engine::load(package, {.views = views}));
    TRY(const auto measured, evaluate_split(workspace, *engine, spec, manifest, split, on_progress));
    accuracies[name] = measured.accuracy;
  }
  return accuracies;
}

Result<Evaluation> evaluate_model(Workspace& workspace, const EvaluationRequest& request,
                                  const OnProgress& on_progress) {
  TRY(auto subject, open_subject(workspace, request.model, request.dataset));
  TRY(const auto columns, columns_of(subject, request.slices));
  TRY(auto predictions, ask(workspace, subject, request, on_progress));
  const auto& labels = subject.package.spec.labels;
  evaluate::Report report = report_of(subject, request);
  report.temperature = predictions.temperature;
  report.batches = predictions.batches;
  report.singles = predictions.singles;
  TRY(report.metrics,
      evaluate::compute_metrics(predictions.logits, subject.images->labels(), labels, predictions.temperature));
  report.answers = answers_of(subject, predictions);
  report.slices = evaluate::measure_slices(columns, report.answers);
  add_confidence(report, subject, predictions);
  report.curves = evaluate::class_curves(predictions.logits, subject.images->labels(), labels, predictions.temperature);
  if (report.via == "package" && !request.as_served) {
    TRY(report.views,
        accuracy_by_views(workspace, subject.package, subject.manifest, subject.split, report.metrics, on_progress));
  }
  report.manifest = std::move(subject.manifest);
  return Evaluation{std::move(report), std::move(predictions.logits)};
}

Result<SplitAnswers> answer_split(Workspace& workspace, const std::string& model, const std::string& dataset,
                                  data::Split otherwise, const std::function<Result<void>(const SplitAnswers&)>& accept,
                                  const OnProgress& on_progress) {
  TRY(auto subject, open_subject(workspace, model, dataset, otherwise));
  SplitAnswers split{.version = subject.version,
                     .labels = subject.package.spec.labels,
                     .dataset = subject.dataset(),
                     .trained_on = subject.package.lineage.value("dataset", ""),
                     .split = subject.split,
                     .answers = {},
                     .logits = {}};
  TRY_VOID(accept(split));
  TRY(auto predictions, ask_package(subject, 0, on_progress));
  split.answers = answers_of(subject, predictions);
  split.logits = std::move(predictions.logits);
  return split;
}

Result<ModelComparison> compare_models(Workspace& workspace, const ComparisonRequest& request,
                                       const OnProgress& on_progress) {
  TRY(auto b, open_subject(workspace, request.model_b, request.dataset));
  const std::string dataset = fmt::format("{}:{}", b.dataset(), data::to_string(b.split));
  TRY(const auto a, open_subject(workspace, request.model_a, dataset));
  TRY(const auto columns, columns_of(b, request.slices));
  TRY(const auto from_a, ask_package(a, 0, on_progress));
  TRY(const auto from_b, ask_package(b, 0, on_progress));
  ModelComparison result{.model_a = a.name(), .model_b = b.name(), .dataset = b.dataset(), .split = b.split};
  result.answers_a = answers_of(a, from_a);
  result.answers_b = answers_of(b, from_b);
  TRY(result.comparison, evaluate::compare(result.answers_a, result.answers_b, columns, request.seed));
  result.verdict = evaluate::verdict(result.comparison, result.model_a, result.model_b);
  result.manifest = std::move(b.manifest);
  return result;
}

}  // namespace imago::pipeline
