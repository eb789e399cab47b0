// SPDX-License-Identifier: Apache-2.0
// imago runs repro
#include "app/code_version.hpp"
#include "app/runs_command.hpp"
#include "app/training_display.hpp"
#include "pipeline/reproduce.hpp"

namespace imago::app {

Result<void> reproduce_run(Context& context, const std::string& id, bool force, bool quiet) {
  wait_politely();
  TRY(auto* workspace, context.workspace());
  TRY(const auto trainer, trainer_program());
  catch_stop_signals();
  TrainingDisplay display(progress_style(context.json || quiet));
  const pipeline::ReproduceRequest request{
      .run = id, .code_version = code_version(), .trainer = trainer, .force = force};
  TRY(const auto done, pipeline::reproduce(
                           *workspace, request, [&](const json::Value& event) { display.on_event(event); },
                           [&] { return stop_requested(); }));
  display.end();
  if (!done.identical)
    return fail(ErrorCode::Corrupt, "run {} did not come out as run {}: {} (sha256 of the weights {}, was {})",
                done.repeated.id, done.original.id, done.difference, done.sha256_now, done.sha256_then);
  context.answer({{"run", done.original.id},
                  {"repeated", done.repeated.id},
                  {"identical", true},
                  {"weights_sha256", done.sha256_now}},
                 fmt::format("identical: run {} has the weights of run {}, sha256 {}\n", done.repeated.id,
                             done.original.id, done.sha256_now));
  return {};
}

}  // namespace imago::app
