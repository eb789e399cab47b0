// SPDX-License-Identifier: Apache-2.0
// The log: one line an event on standard error, as text or as JSON. Safe from any thread.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace imago::log {

enum class Level { Debug, Info, Warning, Error };
enum class Format { Text, Json };

/// Sets what is written and how. Until called: warnings and errors, as text.
void configure(Level least, Format format);

void write(Level level, std::string_view text);

/// For lines by the thousand a second: whole lines, as they are, reach standard error within a tenth of a second, from
/// a thread of their own. Never waits: when standard error takes no more than 4 MiB of lines behind, lines are lost and
/// their number is logged.
void write_later(std::string_view line);
/// Waits until what write_later got has been written.
void flush();

template <class... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::Debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::Info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::Warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void error(fmt::format_string<Args...> text, Args&&... args) {
  write(Level::Error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace imago::log
