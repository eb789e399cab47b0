// SPDX-License-Identifier: Apache-2.0
// imago keys create | list | limit | revoke
#include "access/api_keys.hpp"
#include "access/rate_limit.hpp"
#include "app/audit_note.hpp"
#include "app/command.hpp"
#include "app/table.hpp"

namespace imago::app {
namespace {

constexpr const char* kDefaultRate = "default";
constexpr const char* kRateHelp =
    "Requests: N/min from wherever, off, or default: as any client (--rate-limit of `imago serve`)";

std::string rate_in_words(const access::ApiKey& key) {
  if (!key.per_minute) return kDefaultRate;
  return *key.per_minute == 0 ? "off" : fmt::format("{}/min", *key.per_minute);
}

/// "600/min", "off", or "default": that of any client.
Result<std::optional<int>> parse_key_rate(const std::string& text) {
  if (text == kDefaultRate) return std::optional<int>();
  TRY(const int rate, access::parse_rate(text));
  return std::optional<int>(rate);
}

json::Value to_json(const access::ApiKey& key) {
  json::Value scopes = json::Value::array();
  for (const auto scope : key.scopes) scopes.push_back(access::to_string(scope));
  return {{"id", key.id},
          {"name", key.name},
          {"scopes", std::move(scopes)},
          {"rate_limit", key.per_minute ? json::Value(rate_in_words(key)) : json::Value()},
          {"created", key.created},
          {"revoked", key.revoked.empty() ? json::Value() : json::Value(key.revoked)}};
}

struct NewKeyOptions {
  std::string name;
  std::string scopes = "predict";
  std::string rate = kDefaultRate;
};

Result<void> create(Context& context, const NewKeyOptions& options) {
  TRY(const auto scopes, access::parse_scopes(options.scopes));
  TRY(const auto rate, parse_key_rate(options.rate));
  TRY(auto* workspace, context.workspace());
  TRY(const auto made, access::create_key(workspace->database(), options.name, scopes, rate));
  TRY_VOID(note_change(context, "keys create",
                       fmt::format("{} ({}) for {}", made.key.name, made.key.id, access::join_scopes(scopes)), {}));
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
  std::vector<std::vector<std::string>> rows{{"KEY", "NAME", "SCOPES", "RATE", "CREATED", "REVOKED"}};
  for (const auto& key : keys) {
    value.push_back(to_json(key));
    rows.push_back({key.id, key.name, access::join_scopes(key.scopes), rate_in_words(key), key.created,
                    key.revoked.empty() ? "-" : key.revoked});
  }
  context.answer(value, keys.empty() ? "no keys: make one with `imago keys create --name NAME --scopes predict`\n"
                                     : format_columns(rows));
  return {};
}

Result<void> limit(Context& context, const std::string& id, const std::string& rate_text) {
  TRY(const auto rate, parse_key_rate(rate_text));
  TRY(auto* workspace, context.workspace());
  TRY(const auto key, access::limit_key(workspace->database(), id, rate));
  context.answer(to_json(key), fmt::format("key {} ({}): {}\n", key.id, key.name, rate_in_words(key)));
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
  auto options = std::make_shared<NewKeyOptions>();
  create_command->add_option("--name", options->name, "Who or what it is for")->required();
  create_command
      ->add_option("--scopes", options->scopes,
                   "Of predict (and reading), write (uploads, training, feedback), admin (all), with commas between")
      ->capture_default_str();
  create_command->add_option("--rate-limit", options->rate, kRateHelp)->capture_default_str();
  create_command->footer("Example:\n  imago keys create --name inspection-camera --scopes predict,write");
  create_command->callback(
      [&context, options] { context.action = [&context, options] { return create(context, *options); }; });

  auto* list_command = keys->add_subcommand("list", "All keys, without their secrets");
  list_command->footer("Example:\n  imago keys list");
  list_command->callback([&context] { context.action = [&context] { return list(context); }; });

  auto* limit_command = keys->add_subcommand("limit", "Say how often a key may ask");
  auto limited = std::make_shared<std::string>();
  auto rate = std::make_shared<std::string>();
  limit_command->add_option("key", *limited, "Its id, as `imago keys list` shows it")->required();
  limit_command->add_option("rate", *rate, kRateHelp)->required();
  limit_command->footer("Example:\n  imago keys limit 3fa9c1d2 600/min");
  limit_command->callback([&context, limited, rate] {
    context.action = [&context, limited, rate] {
      return note_change(context, "keys limit", fmt::format("{} to {}", *limited, *rate),
                         limit(context, *limited, *rate));
    };
  });

  auto* revoke_command = keys->add_subcommand("revoke", "Make a key useless");
  auto id = std::make_shared<std::string>();
  revoke_command->add_option("key", *id, "Its id, as `imago keys list` shows it")->required();
  revoke_command->footer("Example:\n  imago keys revoke 3fa9c1d2");
  revoke_command->callback([&context, id] {
    context.action = [&context, id] { return note_change(context, "keys revoke", *id, revoke(context, *id)); };
  });
}

}  // namespace imago::app
