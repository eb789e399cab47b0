// SPDX-License-Identifier: Apache-2.0
#include "nn/communicator.hpp"

#if __has_include(<gloo/transport/device.h>)  // else communicator_unavailable.cpp

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "base/files.hpp"
#include "nn/device_group.hpp"
#include "nn/torch_guard.hpp"

namespace imago::nn {
namespace {

using torch::Tensor;

/// The rendezvous as c10d wants to see it. c10d's own TCPStore is not used: it listens at every address of the machine.
class Table final : public c10d::Store {
 public:
  explicit Table(Rendezvous& rendezvous) : rendezvous_(rendezvous) {}

  void set(const std::string& key, const std::vector<std::uint8_t>& value) override {
    const auto done = rendezvous_.put(key, std::string(value.begin(), value.end()));
    TORCH_CHECK(done, done.error().message);
  }
  std::vector<std::uint8_t> get(const std::string& key) override {
    const auto value = rendezvous_.get(key);
    TORCH_CHECK(value, value.error().message);
    return {value->begin(), value->end()};
  }
  void wait(const std::vector<std::string>& keys) override {
    for (const std::string& key : keys) get(key);
  }
  void wait(const std::vector<std::string>& keys, const std::chrono::milliseconds& /*timeout*/) override { wait(keys); }

  bool check(const std::vector<std::string>& keys) override {
    return std::ranges::all_of(keys, [&](const std::string& key) {
      const auto value = rendezvous_.find(key);
      TORCH_CHECK(value, value.error().message);
      return value->has_value();
    });
  }

  // What follows nobody here asks for.
  std::int64_t add(const std::string& /*key*/, std::int64_t /*value*/) override { return refuse<std::int64_t>(); }
  bool deleteKey(const std::string& /*key*/) override { return refuse<bool>(); }
  std::int64_t getNumKeys() override { return refuse<std::int64_t>(); }
  /// Overrides a pure function in newer versions of libtorch.
  virtual c10::intrusive_ptr<c10d::Store> clone() { return c10::make_intrusive<Table>(rendezvous_); }

 private:
  template <class T>
  static T refuse() {
    TORCH_CHECK(false, "this store only sets and gets");
    return T{};
  }

  Rendezvous& rendezvous_;
};

struct AddressesFree {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};

/// The numeric address from which this machine reaches `host`. Nothing is sent: connecting a datagram socket only looks
/// up the way.
Result<std::string> own_address_towards(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (const int code = getaddrinfo(host.c_str(), "9", &hints, &list); code != 0)
    return fail(ErrorCode::InvalidArgument, "the meeting point '{}': {}", host, gai_strerror(code));
  const std::unique_ptr<addrinfo, AddressesFree> addresses(list);
  const UniqueFd fd(::socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  auto* address = reinterpret_cast<sockaddr*>(&own);
  std::array<char, NI_MAXHOST> text{};
  if (!fd || ::connect(fd.get(), list->ai_addr, list->ai_addrlen) != 0 || ::getsockname(fd.get(), address, &size) != 0)
    return fail(ErrorCode::Unavailable, "no way to the meeting point '{}': {}", host, std::strerror(errno));
  if (const int code = getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST); code != 0)
    return fail(ErrorCode::Internal, "this machine's address towards '{}': {}", host, gai_strerror(code));
  return std::string(text.data());
}

/// Where Gloo listens: at the interface that GLOO_SOCKET_IFNAME names (as with PyTorch), else towards the meeting
/// point.
Result<std::shared_ptr<gloo::transport::Device>> open_device(const std::string& meeting_host) {
  if (const char* interface = std::getenv("GLOO_SOCKET_IFNAME"); interface != nullptr && *interface != '\0')
    return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  TRY(const auto address, own_address_towards(meeting_host));
  return c10d::ProcessGroupGloo::createDeviceForHostname(address);
}

/// An exchange that fails means that somebody is no longer there, whatever c10d calls it.
template <class F>
Result<void> exchange(F&& work) {
  const auto done = guard([&]() -> Result<void> {
    std::forward<F>(work)();
    return {};
  });
  if (done) return {};
  return fail(ErrorCode::Unavailable, "the connection to another worker was lost ({})", done.error().message);
}

class GlooCommunicator final : public Communicator {
 public:
  GlooCommunicator(const TeamSettings& settings, c10::intrusive_ptr<c10d::ProcessGroupGloo> group)
      : settings_(settings), group_(std::move(group)) {}

  /// What lies on GPUs is exchanged among them if each process has its own.
  Result<void> use_devices(const c10::intrusive_ptr<c10d::Store>& store) {
    double able = may_open_device_group(settings_) ? 1.0 : 0.0;
    TRY_VOID(sum(std::span(&able, 1)));
    if (static_cast<int>(able) == settings_.size) device_group_ = open_device_group(settings_, store);
    return {};
  }

  [[nodiscard]] int rank() const override { return settings_.rank; }
  [[nodiscard]] int size() const override { return settings_.size; }
  [[nodiscard]] int local_rank() const override { return settings_.local_rank; }

  Result<void> sum(std::span<double> values) override {
    auto tensor = torch::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, torch::kFloat64);
    return exchange([&] { sum_on_cpu(tensor); });
  }

  Result<void> sum(Tensor& values) override {
    return exchange([&] {
      if (values.is_cpu()) {
        sum_on_cpu(values);
      } else if (device_group_) {
        device_group_->sum(values);
      } else {
        Tensor copy = values.cpu();
        sum_on_cpu(copy);
        values.copy_(copy);
      }
    });
  }

  Result<void> broadcast(std::string& bytes) override {
    return exchange([&] {
      auto length = torch::tensor({static_cast<std::int64_t>(bytes.size())}, torch::kInt64);
      broadcast_tensor(length);
      bytes.resize(static_cast<std::size_t>(length.item<std::int64_t>()));
      if (bytes.empty()) return;
      auto tensor = torch::from_blob(bytes.data(), {static_cast<std::int64_t>(bytes.size())}, torch::kUInt8);
      broadcast_tensor(tensor);
    });
  }

 private:
  void sum_on_cpu(Tensor& values) {
    std::vector<Tensor> tensors{values};
    group_->allreduce(tensors)->wait();
  }

  void broadcast_tensor(Tensor& values) {
    std::vector<Tensor> tensors{values};
    group_->broadcast(tensors)->wait();
  }

  const TeamSettings settings_;
  const c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::unique_ptr<DeviceGroup> device_group_;  // none: through the host's memory
};

}  // namespace

Result<std::unique_ptr<Communicator>> connect(const TeamSettings& settings, Rendezvous& rendezvous) {
  EXPECTS(settings.rank >= 0 && settings.rank < settings.size, "rank outside its group");
  return guard([&]() -> Result<std::unique_ptr<Communicator>> {
    auto options = c10d::ProcessGroupGloo::Options::create(settings.timeout);
    TRY(auto device, open_device(settings.meeting_host));
    options->devices.push_back(std::move(device));
    options->threads = 1;  // one exchange at a time
    const auto table = c10::make_intrusive<Table>(rendezvous);
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(table, settings.rank, settings.size, options);
    auto team = std::make_unique<GlooCommunicator>(settings, std::move(group));
    TRY_VOID(team->use_devices(table));
    return team;
  });
}

}  // namespace imago::nn

#endif
