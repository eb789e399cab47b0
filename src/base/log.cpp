// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>

#include "base/line_writer.hpp"

namespace imago::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::Debug: return spdlog::level::debug;
    case Level::Info: return spdlog::level::info;
    case Level::Warning: return spdlog::level::warn;
    case Level::Error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

bool json_lines = false;

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("imago", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_level(spdlog::level::warn);
    made->set_pattern("%l: %v");
    return made;
  }();
  return *instance;
}

// JSON's escapes (RFC 8259 section 7); json/ lies above this folder.
std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

LineWriter& line_writer() {
  static LineWriter instance(STDERR_FILENO);
  return instance;
}

}  // namespace

void write_later(std::string_view line) {
  if (!line_writer().append(line)) return;
  if (const auto lost = line_writer().take_lost(); lost > 0)
    warning("{} log lines were lost: standard error took no more", lost);
}

void flush() { line_writer().flush(); }

void configure(Level least, Format format) {
  json_lines = format == Format::Json;
  logger().set_level(to_spdlog(least));
  logger().set_pattern(
      json_lines ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":"%v"})" : "%Y-%m-%d %H:%M:%S.%e %l: %v",
      json_lines ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
}

void write(Level level, std::string_view text) {
  if (!logger().should_log(to_spdlog(level))) return;
  logger().log(to_spdlog(level), "{}", json_lines ? escape(text) : std::string(text));
}

}  // namespace imago::log
