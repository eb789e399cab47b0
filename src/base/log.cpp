// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/clock.hpp"
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

/// Bytes of the UTF-8 character that `text` begins with (RFC 3629); 0 when it begins with none.
std::size_t utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first < 0xe0   ? 2
                           : (first & 0xf0) == 0xe0        ? 3
                           : first >= 0xf0 && first < 0xf5 ? 4
                                                           : 0;
  if (size == 0 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool no_scalar = (first == 0xed && byte(1) >= 0xa0) || (first == 0xf4 && byte(1) >= 0x90);
  return overlong || no_scalar ? 0 : size;
}

// What a client sent may be in a line: it must not end it, command the terminal, or spoil the JSON (RFC 8259 section 7;
// json/ lies above this folder).
std::string safe(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = utf8_character(text);
    const char c = text.front();
    if (size == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      if (json_lines && (c == '"' || c == '\\')) out += '\\';
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string loss_line(std::size_t lost) {
  const auto time = format_utc(system_clock().wall());
  const char* text = "log lines were lost: standard error took no more";
  return json_lines ? fmt::format(R"({{"time":"{}","level":"warning","message":"{} {}"}})", time, lost, text)
                    : fmt::format("{} warning: {} {}", time, lost, text);
}

LineWriter& line_writer() {
  static LineWriter instance(STDERR_FILENO, &loss_line);
  return instance;
}

}  // namespace

void write_later(std::string_view line) { static_cast<void>(line_writer().append(line)); }

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
  logger().log(to_spdlog(level), "{}", safe(text));
}

}  // namespace imago::log
