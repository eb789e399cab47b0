// SPDX-License-Identifier: Apache-2.0
#include "app/serve_access.hpp"

#include <algorithm>
#include <charconv>

#include "access/host_names.hpp"
#include "base/log.hpp"
#include "serve/access_log.hpp"

namespace imago::app {
namespace {

// Where clients of the programs that Imago stands in for look for their server.
constexpr int kCompatPorts[] = {5000, 8050, 8501};

Result<http::Listener> parse_listener(const std::string& text) {
  const auto colon = text.rfind(':');
  int port = -1;
  if (colon != std::string::npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  std::string address = text.substr(0, colon);
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (address.empty() || port < 0 || text.substr(colon + 1) != std::to_string(port))
    return fail(ErrorCode::InvalidArgument, "--also-listen '{}': give ADDRESS:PORT, as 127.0.0.1:5000 or [::1]:5000",
                text);
  return http::Listener{.address = std::move(address), .port = port};
}

Result<void> set_listeners(http::ServerOptions& http, const AccessOptions& options) {
  http.address = options.listen;
  http.port = options.port;
  for (const auto& text : options.also_listen) {
    TRY(auto listener, parse_listener(text));
    http.also_at.push_back(std::move(listener));
  }
  if (!options.compat) return {};
  for (const int port : kCompatPorts) {
    if (port != options.port) http.also_at.push_back({.port = port, .skip_if_busy = true});
  }
  return {};
}

/// The first address that others can reach; empty when there is none.
std::string exposed_address(const http::ServerOptions& http) {
  if (!is_loopback(http.address)) return http.address;
  const auto found = std::ranges::find_if_not(http.also_at, is_loopback, &http::Listener::address);
  return found == http.also_at.end() ? std::string() : found->address;
}

}  // namespace

bool is_loopback(const std::string& address) {
  const auto parsed = access::parse_address(address);
  return address == "localhost" || (parsed && access::is_loopback(*parsed));
}

Result<void> apply_access(serve::ServeOptions& serving, const AccessOptions& options, store::Database& database) {
  TRY_VOID(set_listeners(serving.http, options));
  if (options.tls_certificate.empty() != options.tls_key.empty())
    return fail(ErrorCode::InvalidArgument, "--tls-cert and --tls-key go together: give both, or neither");
  if (!options.tls_key.empty()) {
    TRY(serving.http.tls, http::read_tls_identity(options.tls_certificate, options.tls_key));
  }
  TRY(serving.cors, serve::Cors::parse(options.cors));
  serving.keep_audit_days = options.audit_days;
  serving.http.idle_timeout = std::chrono::seconds(options.idle_seconds);
  serving.unready_wait = std::chrono::seconds(options.drain_delay_seconds);
  serving.drain_patience = std::chrono::seconds(options.drain_seconds);
  access::GateOptions& gate = serving.gate;
  gate.keys = &database;
  gate.trust_loopback = !options.no_trust_loopback;
  gate.require_key = options.require_key;
  TRY(gate.requests_per_minute, access::parse_rate(options.rate_limit));
  for (const auto& text : options.trusted) {
    TRY(const auto network, access::Network::parse(text));
    gate.trusted.push_back(network);
  }
  for (const auto& name : options.allowed_hosts) TRY_VOID(access::check_host_name(name));
  const std::string exposed = exposed_address(serving.http);
  // Whoever listens beyond this machine is called by names we cannot know; and https has a certificate for its names.
  if (!options.allowed_hosts.empty() || (exposed.empty() && !serving.http.tls)) gate.hosts = options.allowed_hosts;
  if (exposed.empty() || options.insecure || options.require_key) return {};
  TRY(const auto keys, access::list_keys(database));
  if (std::ranges::none_of(keys, [](const auto& key) { return key.revoked.empty(); }))
    return fail(ErrorCode::InvalidArgument,
                "listening on {}: anybody on that network could use this server, which asks for no key; make one with "
                "`imago keys create --name NAME --scopes admin`, or say --insecure if that is wanted",
                exposed);
  gate.require_key = true;  // whatever becomes of the keys
  return {};
}

void configure_logs(const AccessOptions& options) {
  const auto format = options.log_format == "json" ? log::Format::Json : log::Format::Text;
  log::configure(log::Level::Info, format);
  const bool on = options.access_log.empty() ? format == log::Format::Json : options.access_log == "on";
  serve::configure_access_log(on, format);
}

void add_access_options(CLI::App& command, AccessOptions& options) {
  const auto repeatable = [&](const char* name, std::vector<std::string>& values, const char* text) {
    command.add_option(name, values, text)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  command.add_option("-p,--port", options.port, "0: any free one")->check(CLI::Range(0, 65535))->capture_default_str();
  command
      .add_option("--grpc-port", options.grpc_port,
                  "Also answer the Open Inference Protocol over gRPC, at this port of --listen; 0: do not")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command.add_option("--listen", options.listen, "Address; beyond loopback there must be an API key (`imago keys`)")
      ->capture_default_str();
  repeatable("--also-listen", options.also_listen, "One more ADDRESS:PORT; may be given several times");
  command.add_flag("--compat", options.compat,
                   "Also answer on ports 5000, 8050 and 8501 of loopback, those of them that are free");
  command.add_flag("--insecure", options.insecure, "Listen beyond loopback although the server asks for no key");
  command.add_flag("--require-key", options.require_key, "Ask for an API key even while there is none");
  repeatable(
      "--allowed-hosts", options.allowed_hosts,
      "Name under which the server may be asked, beside localhost and addresses, while it asks for no key; may be "
      "given several times; .example.org: all under it, *: any");
  command.add_option("--rate-limit", options.rate_limit, "Requests of one client: N/min, or off")
      ->capture_default_str();
  repeatable("--trusted", options.trusted,
             "Network without a rate limit, as 10.0.0.0/8, beside loopback; may be given several times");
  command.add_flag("--no-trust-loopback", options.no_trust_loopback,
                   "Limit loopback too: for a server behind a proxy on the same machine");
  repeatable("--cors", options.cors,
             "Origin whose pages may use the server from a browser, as https://app.example.org; may be given several "
             "times; *: any");
  command
      .add_option("--idle-timeout", options.idle_seconds,
                  "Seconds that a connection may be quiet, or take to send a request's headers")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  command
      .add_option("--drain-delay", options.drain_delay_seconds,
                  "Seconds between turning not ready and refusing connections on SIGTERM, for load balancers to notice")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command.add_option("--drain-timeout", options.drain_seconds, "Seconds that requests under way have then")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  command.add_option("--audit-days", options.audit_days, "How long the audit log is kept; 0: for ever")
      ->check(CLI::Range(0, 36'500))
      ->capture_default_str();
  command.add_option("--tls-cert", options.tls_certificate,
                     "Certificate chain (PEM file): answer over https only, at every port; needs --tls-key");
  command.add_option("--tls-key", options.tls_key, "Its private key (PEM file, not encrypted)");
  command.add_option("--log-format", options.log_format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command
      .add_option("--access-log", options.access_log,
                  "A line for each request on standard error, on or off; default: on with --log-format json")
      ->check(CLI::IsMember({"on", "off"}));
}

}  // namespace imago::app
