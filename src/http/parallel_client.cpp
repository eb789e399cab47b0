// SPDX-License-Identifier: Apache-2.0
#include "http/parallel_client.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "http/curl_handles.hpp"

namespace imago::http {
namespace {

using std::chrono::nanoseconds;

struct MultiCleanup {
  void operator()(CURLM* handle) const noexcept { curl_multi_cleanup(handle); }
};
struct UrlCleanup {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct TextFree {
  void operator()(char* text) const noexcept { curl_free(text); }
};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

struct Slot {
  EasyHandle handle;
  std::uint64_t ticket = 0;
  std::string body;
};

constexpr std::size_t kMostKept = 1u << 20;  // of an answer's body: one that is longer is none of ours

std::size_t take_answer(char* data, std::size_t, std::size_t size, void* target) {
  auto& body = static_cast<Slot*>(target)->body;
  if (body.size() + size > kMostKept) return 0;
  body.append(data, size);
  return size;
}

}  // namespace

struct ParallelClient::Impl {
  Result<void> open(const ParallelOptions& options);
  Result<void> add_slot(const ParallelOptions& options);
  static int on_socket(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM* multi, long milliseconds, void* self);
  void sleep_until(SteadyTime time);
  bool deliver(const std::function<void(const ParallelAnswer&)>& on_answer);

  Descriptor epoll{epoll_create1(EPOLL_CLOEXEC)};
  Descriptor timer{timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)};
  CurlList headers;
  std::vector<Slot> slots;  // never grows after open: libcurl knows where they are
  std::vector<Slot*> idle;
  SteadyTime curl_due = SteadyTime::max();     // when libcurl wants to be called, whatever happens
  std::unique_ptr<CURLM, MultiCleanup> multi;  // after the slots whose connections it has
};

Result<void> ParallelClient::Impl::open(const ParallelOptions& options) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  multi.reset(curl_multi_init());
  if (ready != CURLE_OK || !multi || epoll.get() < 0 || timer.get() < 0)
    return fail(ErrorCode::Internal, "libcurl did not start");
  curl_multi_setopt(multi.get(), CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_multi_setopt(multi.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi.get(), CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_multi_setopt(multi.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections));
  epoll_event event{.events = EPOLLIN, .data = {.fd = timer.get()}};
  epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event);
  for (const auto& [name, value] : options.headers) {
    const std::string line = value.empty() ? name + ":" : name + ": " + value;
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return fail(ErrorCode::Internal, "libcurl has no memory");
    static_cast<void>(headers.release());
    headers.reset(longer);
  }
  slots.reserve(static_cast<std::size_t>(options.connections));
  for (int i = 0; i < options.connections; ++i) TRY_VOID(add_slot(options));
  return {};
}

Result<void> ParallelClient::Impl::add_slot(const ParallelOptions& options) {
  Slot& slot = slots.emplace_back();
  slot.handle.reset(curl_easy_init());
  CURL* curl = slot.handle.get();
  if (curl == nullptr) return fail(ErrorCode::Internal, "libcurl has no memory");
  curl_easy_setopt(curl, CURLOPT_URL, options.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_answer);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &slot);
  curl_easy_setopt(curl, CURLOPT_PRIVATE, &slot);
  if (!options.trust.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.trust.c_str());
  idle.push_back(&slot);
  return {};
}

int ParallelClient::Impl::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& client = *static_cast<Impl*>(self);
  epoll_event event{.events = 0, .data = {.fd = fd}};
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(client.epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
  } else {
    epoll_ctl(client.epoll.get(), known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
    if (known == nullptr) curl_multi_assign(client.multi.get(), fd, self);
  }
  return 0;
}

int ParallelClient::Impl::on_timer(CURLM*, long milliseconds, void* self) {
  auto& due = static_cast<Impl*>(self)->curl_due;
  due =
      milliseconds < 0 ? SteadyTime::max() : std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

/// Or until a socket is ready. A timer of its own, as epoll's counts in milliseconds: too coarse to send on time.
void ParallelClient::Impl::sleep_until(SteadyTime time) {
  const auto left = time - std::chrono::steady_clock::now();
  int timeout = 0;
  if (left.count() > 0) {
    const auto bounded = std::min<nanoseconds>(left, std::chrono::seconds(1));
    const itimerspec setting{.it_interval = {},
                             .it_value = {.tv_sec = bounded / std::chrono::seconds(1),
                                          .tv_nsec = (bounded % std::chrono::seconds(1)).count()}};
    timerfd_settime(timer.get(), 0, &setting, nullptr);
    timeout = -1;
  }
  std::array<epoll_event, 256> events;
  const int count = epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), timeout);
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == timer.get()) {
      std::uint64_t expirations = 0;
      static_cast<void>(!read(timer.get(), &expirations, sizeof expirations));
      continue;
    }
    int flags = 0;
    if ((event.events & EPOLLIN) != 0) flags |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) flags |= CURL_CSELECT_OUT;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) flags |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi.get(), event.data.fd, flags, &running);
  }
  if (curl_due <= std::chrono::steady_clock::now()) {
    curl_due = SteadyTime::max();
    curl_multi_socket_action(multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

bool ParallelClient::Impl::deliver(const std::function<void(const ParallelAnswer&)>& on_answer) {
  bool any = false;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    any = true;
    CURL* curl = message->easy_handle;
    const CURLcode result = message->data.result;  // gone with the handle's removal
    Slot* slot = nullptr;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &slot);
    if (result == CURLE_OK) curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_multi_remove_handle(multi.get(), curl);
    const std::string body = std::move(slot->body);  // the slot may be on its way again before the call ends
    const ParallelAnswer answer{.ticket = slot->ticket,
                                .status = static_cast<int>(status),
                                .body = body,
                                .problem = result == CURLE_OK ? "" : curl_easy_strerror(result)};
    idle.push_back(slot);
    on_answer(answer);
  }
  return any;
}

ParallelClient::ParallelClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

ParallelClient::~ParallelClient() {
  for (const Slot& slot : impl_->slots) curl_multi_remove_handle(impl_->multi.get(), slot.handle.get());
}

Result<std::unique_ptr<ParallelClient>> ParallelClient::open(const ParallelOptions& options) {
  TRY_VOID(host_of(options.url));
  auto impl = std::make_unique<Impl>();
  TRY_VOID(impl->open(options));
  return std::unique_ptr<ParallelClient>(new ParallelClient(std::move(impl)));
}

std::size_t ParallelClient::idle() const { return impl_->idle.size(); }

void ParallelClient::post(std::uint64_t ticket, std::string_view body) {
  EXPECTS(!impl_->idle.empty(), "a connection is free");
  Slot& slot = *impl_->idle.back();
  impl_->idle.pop_back();
  slot.ticket = ticket;
  slot.body.clear();
  CURL* curl = slot.handle.get();
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_multi_add_handle(impl_->multi.get(), curl);
}

void ParallelClient::wait(SteadyTime until, const std::function<void(const ParallelAnswer&)>& on_answer) {
  impl_->sleep_until(std::min(until, impl_->curl_due));
  impl_->deliver(on_answer);
}

Result<std::string> host_of(const std::string& url) {
  const std::unique_ptr<CURLU, UrlCleanup> parts(curl_url());
  char* text = nullptr;
  const auto part = [&](CURLUPart which) {
    return curl_url_get(parts.get(), which, &text, 0) == CURLUE_OK ? std::unique_ptr<char, TextFree>(text) : nullptr;
  };
  const bool parsed = parts && curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) == CURLUE_OK;
  const auto scheme = parsed ? part(CURLUPART_SCHEME) : nullptr;
  const auto host = parsed ? part(CURLUPART_HOST) : nullptr;
  if (!host || !scheme || (std::string_view(scheme.get()) != "http" && std::string_view(scheme.get()) != "https"))
    return fail(ErrorCode::InvalidArgument, "'{}' is no address: give it as http://localhost:8000", url);
  std::string name(host.get());
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

}  // namespace imago::http
