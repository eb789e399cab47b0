// SPDX-License-Identifier: Apache-2.0
// imago keys create | list | revoke
#include "access/api_keys.hpp"
#include "app/command.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

json::Value to_json(const access::ApiKey& key) {
  json::Value scopes = json::Value::array();
  for (const auto scope : key.scopes) scopes.push_back(access::to_string(scope));
  return {{"id", key.id},
          {"name", key.name},
          {"scopes", std::move(scopes)},
          {"created", key.created},
          {"revoked", key.revoked.empty() ? json::Value() : json::Value(key.revoked)}};
}

Result<void> create(Context& context, const std::string& name, const std::string& scope_list) {
  TRY(const auto scopes, access::parse_scopes(scope_list));
  TRY(auto* workspace, context.workspace());
  TRY(const auto made, access::create_key(workspace->database(), name, scopes));
  json::Value value = to_json(made.key);
  value["key"] = made.secret;
  context.answer(value, fmt::format("{}\n", made.secret));
  if (!context.json)
    fmt::print(
        stderr,
        "Key {} ({}) for {}. It is shown this once and cannot be read again. Servers of this workspace ask for a "
        "key from now on.\n",
        made.key.id, made.key.name, access::join_scopes(scopes));
  return {};
}

Result<void> list(Context& context) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto keys, access::list_keys(workspace->database()));
  json::Value value = json::Value::array();
  std::vector<std::vector<std::string>> rows{{"KEY", "NAME", "SCOPES", "CREATED", "REVOKED"}};
  for (const auto& key : keys) {
    value.push_back(to_json(key));
    rows.push_back(
        {key.id, key.name, access::join_scopes(key.scopes), key.created, key.revoked.empty() ? "-" : key.revoked});
  }
  context.answer(value, keys.empty() ? "no keys: make one with `imago keys create --name NAME --scopes predict`\n"
                                     : format_columns(rows));
  return {};
}

Result<void> revoke(Context& context, const std::string& id) {
  TRY(auto* workspace, context.workspace());
  TRY(const auto key, access::revoke_key(workspace->database(), id));
  context.answer(to_json(key),
                 fmt::format("key {} ({}) is revoked; running servers know within seconds\n", key.id, key.name));
  return {};
}

}  // namespace

void add_key_commands(CLI::App& app, Context& context) {
  auto* keys = app.add_subcommand("keys", "API keys of the server");
  keys->require_subcommand(1);

  auto* create_command = keys->add_subcommand("create", "Make a key; it is printed once");
  auto name = std::make_shared<std::string>();
  auto scopes = std::make_shared<std::string>("predict");
  create_command->add_option("--name", *name, "Who or what it is for")->required();
  create_command
      ->add_option("--scopes", *scopes,
                   "Of predict (and reading), write (uploads, training, feedback), admin (all), with commas between")
      ->capture_default_str();
  create_command->footer("Example:\n  imago keys create --name inspection-camera --scopes predict,write");
  create_command->callback([&context, name, scopes] {
    context.action = [&context, name, scopes] { return create(context, *name, *scopes); };
  });

  auto* list_command = keys->add_subcommand("list", "All keys, without their secrets");
  list_command->footer("Example:\n  imago keys list");
  list_command->callback([&context] { context.action = [&context] { return list(context); }; });

  auto* revoke_command = keys->add_subcommand("revoke", "Make a key useless");
  auto id = std::make_shared<std::string>();
  revoke_command->add_option("key", *id, "Its id, as `imago keys list` shows it")->required();
  revoke_command->footer("Example:\n  imago keys revoke 3fa9c1d2");
  revoke_command->callback([&context, id] { context.action = [&context, id] { return revoke(context, *id); }; });
}

}  // namespace imago::app
