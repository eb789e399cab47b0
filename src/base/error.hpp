// SPDX-License-Identifier: Apache-2.0
// Failure as a value. Anything that can go wrong outside our own code returns a Result; a broken
// precondition of ours is a bug and ends the program through EXPECTS.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace imago {

/// What the caller can do about a failure; the detail is in Error::message.
enum class ErrorCode {
  InvalidArgument,    ///< the request is wrong: change it
  NotFound,           ///< no such file, data set, model, run
  AlreadyExists,      ///< pick another name
  Corrupt,            ///< bytes are not what they claim to be
  Unsupported,        ///< well-formed, but not something we handle
  ResourceExhausted,  ///< full disk, full queue, over a limit: free something or come back later
  Timeout,            ///< the deadline passed
  Cancelled,          ///< somebody asked to stop
  Unavailable,        ///< a peer or part is not ready: try again
  Internal,           ///< a bug or a broken machine
};

/// The code in snake_case ("invalid_argument"), as clients see it.
std::string_view to_string(ErrorCode code) noexcept;

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;  ///< one line with the values: "label 12, but 10 classes"

  /// Prefixes what was being done: error.with("reading split.json") -> "reading split.json: ...".
  [[nodiscard]] Error with(std::string_view doing) &&;
};

/// A value or an Error; the interface is std::expected's.
template <class T>
using Result = tl::expected<T, Error>;

/// `return fail(ErrorCode::NotFound, "no data set named '{}'", name);`
template <class... Args>
[[nodiscard]] tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> text, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

/// Passes an error on: `if (!image) return pass(image);` or with context `pass(image, "thumbnail of 7")`.
template <class T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>& result) {
  return tl::unexpected<Error>(std::move(result.error()));
}
template <class T>
[[nodiscard]] tl::unexpected<Error> pass(Result<T>& result, std::string_view doing) {
  return tl::unexpected<Error>(std::move(result.error()).with(doing));
}

[[noreturn]] void expectation_failed(const char* condition, const char* file, int line, std::string_view why);

}  // namespace imago

/// A precondition or invariant of our own code. On in release builds: keep conditions cheap.
#define EXPECTS(condition, why)                                                           \
  do {                                                                                    \
    if (!(condition)) ::imago::expectation_failed(#condition, __FILE__, __LINE__, (why)); \
  } while (false)

#define IMAGO_CONCAT_(a, b) a##b
#define IMAGO_CONCAT(a, b) IMAGO_CONCAT_(a, b)

/// `TRY(auto image, decode(bytes));` declares `image` or returns the error to the caller.
#define TRY(declaration, ...) TRY_(IMAGO_CONCAT(result_, __LINE__), declaration, __VA_ARGS__)
#define TRY_(result, declaration, ...)       \
  auto result = (__VA_ARGS__);               \
  if (!result) return ::imago::pass(result); \
  declaration = std::move(*result)

/// `TRY_VOID(write(path, bytes));` for Result<void>.
#define TRY_VOID(...)                                                                      \
  do {                                                                                     \
    if (auto void_result = (__VA_ARGS__); !void_result) return ::imago::pass(void_result); \
  } while (false)
