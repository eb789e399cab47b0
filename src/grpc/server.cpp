// SPDX-License-Identifier: Apache-2.0
#include "grpc/server.hpp"

#include <grpc/support/log.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/log.hpp"
#include "grpc/inference_service.hpp"

namespace imago::grpc {
namespace {

using std::chrono::milliseconds;

constexpr const char* kService = "inference.GRPCInferenceService";
constexpr unsigned kCertificateSeconds = 1;                           // between looks at the files
constexpr int kMostCalls = 1000;                                      // of one connection at once
constexpr milliseconds kHandshake{10'000};                            // for a client to say hello
constexpr milliseconds kKeepAlive{60'000}, kKeepAliveAnswer{20'000};  // clients that are gone are found out
constexpr milliseconds kLastCalls{250};  // what is on its way is told UNAVAILABLE; gRPC's own word is CANCELLED
constexpr milliseconds kIdle{600'000};   // connections without calls are closed

/// One line a second: whoever can reach the port can make it say something.
void log_of_grpc(gpr_log_func_args* args) {
  static std::atomic<std::int64_t> last_second{0};
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  if (last_second.exchange(second) != second) log::warning("gRPC: {}", args->message);
}

std::shared_ptr<::grpc::ServerCredentials> credentials(const ServerOptions& options) {
  if (!options.tls) return ::grpc::InsecureServerCredentials();
  namespace tls = ::grpc::experimental;
  tls::TlsServerCredentialsOptions identity(std::make_shared<tls::FileWatcherCertificateProvider>(
      options.tls->key, options.tls->certificate, kCertificateSeconds));
  identity.watch_identity_key_cert_pairs();
  identity.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  return tls::TlsServerCredentials(identity);
}

void set_limits(::grpc::ServerBuilder& builder, const ServerOptions& options) {
  const auto argument = [&](const char* name, auto value) {
    builder.AddChannelArgument(name, static_cast<int>(value));
  };
  builder.SetMaxReceiveMessageSize(static_cast<int>(options.max_message_bytes));
  builder.SetResourceQuota(::grpc::ResourceQuota("imago").Resize(options.max_messages_bytes));
  argument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostCalls);
  argument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshake.count());
  argument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepAlive.count());
  argument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepAliveAnswer.count());
  argument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdle.count());
  // A second server at the same port is a mistake, not a way to share the work.
  argument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // As over HTTP: a small message that unpacks to a huge one is not taken, and images do not get smaller.
  argument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP})
    builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
}

class RunningServer final : public Server {
 public:
  explicit RunningServer(const serve::OpenInferenceHost& host) : not_ready_(host.server.not_ready), service_(host) {}

  ~RunningServer() override {
    if (server_) drain(milliseconds(0));
  }

  Result<void> listen(const ServerOptions& options) {
    const bool is_v6 = options.address.find(':') != std::string::npos;
    const auto place = fmt::format("{}:{}", is_v6 ? "[" + options.address + "]" : options.address, options.port);
    ::grpc::ServerBuilder builder;
    builder.AddListeningPort(place, credentials(options), &port_);
    builder.RegisterService(&service_);
    set_limits(builder, options);
    gpr_set_log_function([](gpr_log_func_args*) {});  // what it says of a port in use is said below
    server_ = builder.BuildAndStart();
    gpr_set_log_function(log_of_grpc);
    if (!server_ || port_ == 0) {
      server_ = nullptr;
      return fail(ErrorCode::Unavailable,
                  "cannot listen for gRPC at {}, which may be in use: choose another port with --grpc-port", place);
    }
    tell_health();
    return {};
  }

  [[nodiscard]] int port() const override { return port_; }

  void tell_health() override {
    const bool ready = not_ready_().empty();
    auto* health = server_->GetHealthCheckService();
    health->SetServingStatus("", ready);
    health->SetServingStatus(kService, ready);
  }

  void announce_stop() override { server_->GetHealthCheckService()->Shutdown(); }

  void drain(milliseconds patience) override {
    service_.stop();
    std::this_thread::sleep_for(std::min(patience, kLastCalls));
    server_->Shutdown(std::chrono::system_clock::now() + patience);
  }

 private:
  const std::function<std::string()> not_ready_;
  InferenceService service_;
  int port_ = 0;
  std::unique_ptr<::grpc::Server> server_;  // last: it goes first
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const ServerOptions& options, const serve::OpenInferenceHost& host) {
  ::grpc::EnableDefaultHealthCheckService(true);
  auto server = std::make_unique<RunningServer>(host);
  TRY_VOID(server->listen(options));
  return server;
}

}  // namespace imago::grpc
