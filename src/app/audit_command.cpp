// SPDX-License-Identifier: Apache-2.0
// imago audit [forget]
#include "app/audit_note.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

Result<void> run_audit(Context& context, const access::AuditFilter& filter) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto entries, access::read_audit(workspace->database(), filter));
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{
      {"NUMBER", "TIME", "WHO", "VIA", "ACTION", "TARGET", "OUTCOME", "REQUEST"}};
  const auto or_dash = [](const std::string& text) { return text.empty() ? std::string("-") : text; };
  for (const auto& entry : entries) {
    value.push_back(access::to_json(entry));
    rows.push_back({std::to_string(entry.number), entry.time, entry.who, entry.via, entry.action, or_dash(entry.target),
                    entry.status.empty() ? entry.outcome : fmt::format("{} {}", entry.outcome, entry.status),
                    or_dash(entry.request_id)});
  }
  context.answer(value, entries.empty() ? "nothing of the kind was noted\n" : format_columns(rows));
  return {};
}

Result<void> run_forget(Context& context, const std::string& before) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto removed, access::forget_audit(workspace->database(), before, audit_user()));
  context.answer({{"removed", removed}, {"before", before}},
                 fmt::format("{} entries from before {} are gone; that is noted\n", removed, before));
  return {};
}

}  // namespace

void add_audit_command(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("audit", "Who changed what: every write over HTTP, gRPC and the command line");
  command->require_subcommand(0, 1);
  auto filter = std::make_shared<access::AuditFilter>();
  command->add_option("--who", filter->who, "A part of the key's name or id, the address, or the user's name");
  command->add_option("--action", filter->action, "A part of it, as promote or 'POST /train'");
  command->add_option("--target", filter->target, "A part of what it was done to");
  command->add_option("--via", filter->via, "http, grpc, cli, or server for what it does by itself");
  command->add_option("--outcome", filter->outcome, "ok, refused or failed");
  command->add_option("--request-id", filter->request_id, "The X-Request-ID of the answer");
  command->add_option("--since", filter->since, "UTC, as 2026-11-21 or 2026-11-21T04:16:00Z");
  command->add_option("--until", filter->until, "Before this time");
  command->add_option("--below", filter->below, "Entries older than the one of this number");
  command->add_option("-n,--limit", filter->limit, "Entries at most, the newest first")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->footer(
      "Examples:\n  imago audit --since 2026-11-21 --action promote\n  imago --json audit --outcome refused");
  command->callback([&context, filter, command] {
    if (command->get_subcommands().empty()) context.action = [&context, filter] { return run_audit(context, *filter); };
  });

  auto* forget = command->add_subcommand("forget", "Remove old entries, and note that");
  auto before = std::make_shared<std::string>();
  forget->add_option("--before", *before, "UTC, as 2026-01-01")->required();
  forget->footer("Example:\n  imago audit forget --before 2026-01-01");
  forget->callback(
      [&context, before] { context.action = [&context, before] { return run_forget(context, *before); }; });
}

}  // namespace imago::app
