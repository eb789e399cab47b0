// SPDX-License-Identifier: Apache-2.0
// API keys: made and revoked in the database, which has only their hashes; looked up in memory.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "store/database.hpp"

namespace imago::access {

/// What a route asks of its caller; a key has one or more of Predict, Write and Admin, and Admin includes the others.
enum class Scope {
  Open,     ///< anybody: health, metrics, documentation, the dashboard's files
  Predict,  ///< predictions, and reading what there is
  Write,    ///< uploads, training, feedback
  Admin,    ///< promoting, deleting, keys
};
std::string_view to_string(Scope scope);

struct ApiKey {
  std::string id;
  std::string name;
  std::vector<Scope> scopes;
  std::string created;
  std::string revoked;              ///< when; empty while it is good
  std::optional<int> per_minute{};  ///< requests a minute, from wherever; 0: any number; none: as any client

  [[nodiscard]] bool allows(Scope scope) const;
};

/// "predict,write" in any order. InvalidArgument for a word that is no scope, and for none.
Result<std::vector<Scope>> parse_scopes(std::string_view text);
std::string join_scopes(const std::vector<Scope>& scopes);

struct NewKey {
  ApiKey key;
  std::string secret;  ///< "imago_" and 48 hex digits (192 random bits); nowhere else but here
};
/// InvalidArgument when the name is empty, longer than 100 bytes or has control characters.
Result<NewKey> create_key(store::Database& database, const std::string& name, const std::vector<Scope>& scopes,
                          std::optional<int> per_minute = std::nullopt);
/// In the order they were made, revoked ones included.
Result<std::vector<ApiKey>> list_keys(store::Database& database);
/// The key as it is now; revoking twice is once. NotFound.
Result<ApiKey> revoke_key(store::Database& database, const std::string& id);
/// Gives a good key a rate of its own, or none again. The key as it is now. NotFound.
Result<ApiKey> limit_key(store::Database& database, const std::string& id, std::optional<int> per_minute);

/// The good keys of a database, read again every two seconds by a thread of its own. Safe from any thread.
class KeyRing {
 public:
  static Result<std::unique_ptr<KeyRing>> open(store::Database& database);
  ~KeyRing();

  /// Looked up by hash: how long it takes says nothing about the key. Null when it is unknown or revoked.
  [[nodiscard]] std::shared_ptr<const ApiKey> find(std::string_view secret) const;
  /// There is a key now, or was one since the ring is open: revoking the last key does not open a server.
  [[nodiscard]] bool in_use() const;
  /// What the thread does every two seconds.
  Result<void> refresh();

 private:
  explicit KeyRing(store::Database& database) : database_(database) {}
  void keep_fresh();

  store::Database& database_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::string, std::shared_ptr<const ApiKey>, std::less<>> by_hash_;
  bool in_use_ = false;
  bool closing_ = false;
  std::condition_variable closed_;
  std::thread thread_;
};

}  // namespace imago::access
