// SPDX-License-Identifier: Apache-2.0
#include "app/recipes.hpp"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <span>

#include "app/embedded_recipes.hpp"
#include "base/files.hpp"

namespace imago::app {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxValues = 20'000;  // references to references would make a few lines billions of them

json::Value scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // quoted: a string whatever it looks like
  if (text == "true") return true;
  if (text == "false") return false;
  if (text == "null" || text == "~" || text.empty()) return nullptr;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto parsed = std::from_chars(text.data(), end, integer); parsed.ec == std::errc{} && parsed.ptr == end)
    return integer;
  double real = 0.0;
  if (const auto parsed = std::from_chars(text.data(), end, real); parsed.ec == std::errc{} && parsed.ptr == end)
    return real;
  return text;
}

Result<json::Value> to_json(const YAML::Node& node, int depth, int& values) {
  if (++values > kMaxValues) return fail(ErrorCode::InvalidArgument, "more than {} values", kMaxValues);
  if (depth > kMaxDepth) return fail(ErrorCode::InvalidArgument, "nested deeper than {}", kMaxDepth);
  if (node.IsSequence()) {
    json::Value array = json::Value::array();
    for (const auto& item : node) {
      TRY(auto value, to_json(item, depth + 1, values));
      array.push_back(std::move(value));
    }
    return array;
  }
  if (node.IsMap()) {
    json::Value object = json::Value::object();
    for (const auto& pair : node) {
      TRY(auto value, to_json(pair.second, depth + 1, values));
      object[pair.first.Scalar()] = std::move(value);
    }
    return object;
  }
  if (node.IsScalar()) return scalar(node);
  return json::Value(nullptr);
}

Result<json::Value> parse_yaml(const std::string& text) {
  try {
    int values = 0;
    return to_json(YAML::Load(text), 0, values);
  } catch (const YAML::Exception& error) {
    return fail(ErrorCode::InvalidArgument, "not valid YAML: {}", error.what());
  }
}

}  // namespace

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const auto& recipe : embedded_recipes()) names.emplace_back(recipe.name);
  return names;
}

Result<json::Value> load_recipe(const std::string& name_or_path) {
  std::string text;
  if (name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".yaml")) {
    TRY(text, read_file(name_or_path, 1u << 20));
  } else {
    for (const auto& recipe : embedded_recipes()) {
      if (recipe.name == name_or_path) text = recipe.yaml;
    }
    if (text.empty())
      return fail(ErrorCode::NotFound, "no recipe named '{}'; there are: {}, or the path of a .yaml file", name_or_path,
                  fmt::join(recipe_names(), ", "));
  }
  auto recipe = parse_yaml(text);
  if (!recipe) return pass(recipe, "recipe " + name_or_path);
  if (!recipe->is_object())
    return fail(ErrorCode::InvalidArgument, "recipe {}: expected 'key: value' lines", name_or_path);
  return recipe;
}

Result<void> apply_override(json::Value& recipe, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(ErrorCode::InvalidArgument, "--set {}: expected KEY=VALUE, such as epochs=10", assignment);
  auto value = parse_yaml(assignment.substr(equals + 1));
  if (!value) return pass(value, "--set " + assignment);
  json::Value* place = &recipe;
  std::string key = assignment.substr(0, equals);
  for (auto dot = key.find('.'); dot != std::string::npos; dot = key.find('.')) {
    place = &(*place)[key.substr(0, dot)];
    key.erase(0, dot + 1);
    if (!place->is_object() && !place->is_null())
      return fail(ErrorCode::InvalidArgument, "--set {}: '{}' is a plain value, not a group", assignment, key);
  }
  (*place)[key] = std::move(*value);
  return {};
}

}  // namespace imago::app
