// SPDX-License-Identifier: Apache-2.0
#include "http/tls.hpp"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gnutls/x509.h>

#include <array>
#include <atomic>
#include <ctime>
#include <thread>

#include "base/files.hpp"
#include "http/client.hpp"
#include "http/server.hpp"

namespace imago::http {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A key of its own and a certificate for 127.0.0.1 signed with it, as `openssl req -x509` makes them.
class Identity {
 public:
  Identity() {
    gnutls_x509_privkey_init(&key_);
    gnutls_x509_privkey_generate(key_, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&certificate_);
    gnutls_x509_crt_set_version(certificate_, 3);
    const std::array<unsigned char, 1> serial{1};
    gnutls_x509_crt_set_serial(certificate_, serial.data(), serial.size());
    gnutls_x509_crt_set_dn(certificate_, "CN=imago test", nullptr);
    const std::array<unsigned char, 4> loopback{127, 0, 0, 1};
    gnutls_x509_crt_set_subject_alt_name(certificate_, GNUTLS_SAN_IPADDRESS, loopback.data(), loopback.size(),
                                         GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_activation_time(certificate_, std::time(nullptr) - 3600);
    gnutls_x509_crt_set_expiration_time(certificate_, std::time(nullptr) + 3600);
    gnutls_x509_crt_set_key(certificate_, key_);
    gnutls_x509_crt_sign2(certificate_, certificate_, key_, GNUTLS_DIG_SHA256, 0);
  }
  ~Identity() {
    gnutls_x509_crt_deinit(certificate_);
    gnutls_x509_privkey_deinit(key_);
  }
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  [[nodiscard]] std::string certificate() const {
    gnutls_datum_t text{};
    EXPECT_EQ(gnutls_x509_crt_export2(certificate_, GNUTLS_X509_FMT_PEM, &text), 0);
    return take(text);
  }
  [[nodiscard]] std::string key() const {
    gnutls_datum_t text{};
    EXPECT_EQ(gnutls_x509_privkey_export2_pkcs8(key_, GNUTLS_X509_FMT_PEM, nullptr, GNUTLS_PKCS_PLAIN, &text), 0);
    return take(text);
  }
  [[nodiscard]] std::string encrypted_key() const {
    gnutls_datum_t text{};
    EXPECT_EQ(gnutls_x509_privkey_export2_pkcs8(key_, GNUTLS_X509_FMT_PEM, "word", GNUTLS_PKCS_PBES2_AES_128, &text),
              0);
    return take(text);
  }

 private:
  static std::string take(gnutls_datum_t text) {
    std::string copy(reinterpret_cast<const char*>(text.data), text.size);
    gnutls_free(text.data);
    return copy;
  }

  gnutls_x509_privkey_t key_ = nullptr;
  gnutls_x509_crt_t certificate_ = nullptr;
};

class TlsTest : public testing::Test {
 protected:
  fs::path write(const char* name, const std::string& text) {
    const fs::path path = folder_.path() / name;
    EXPECT_TRUE(write_file(path, text).has_value());
    return path;
  }
  static Error refusal(const fs::path& certificate, const fs::path& key) {
    const auto read = read_tls_identity(certificate, key);
    EXPECT_FALSE(read.has_value());
    return read ? Error{} : read.error();
  }

  TemporaryDirectory folder_ = TemporaryDirectory::create(fs::temp_directory_path(), "tls-test").value();
  Identity own_;
  fs::path certificate_ = write("cert.pem", own_.certificate());
  fs::path key_ = write("key.pem", own_.key());
};

TEST_F(TlsTest, TakesACertificateWithItsKey) {
  const auto read = read_tls_identity(certificate_, key_);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->certificate, own_.certificate());
  EXPECT_EQ(read->key, own_.key());
}

TEST_F(TlsTest, NamesTheFileThatIsNotThere) {
  const Error error = refusal(certificate_, folder_.path() / "nosuch.pem");
  EXPECT_EQ(error.code, ErrorCode::NotFound);
  EXPECT_THAT(error.message, AllOf(HasSubstr("TLS key"), HasSubstr("nosuch.pem")));
  EXPECT_THAT(refusal(folder_.path() / "nosuch.pem", key_).message, HasSubstr("TLS certificate"));
  EXPECT_THAT(refusal(certificate_, folder_.path()).message, HasSubstr("it is a folder"));
}

TEST_F(TlsTest, RefusesAKeyOfAnotherCertificate) {
  const Identity other;
  const Error error = refusal(certificate_, write("other.pem", other.key()));
  EXPECT_EQ(error.code, ErrorCode::InvalidArgument);
  EXPECT_THAT(error.message, AllOf(HasSubstr("is not that of the certificate"), HasSubstr("other.pem")));
}

TEST_F(TlsTest, SaysWhichFileIsNotWhatItShouldBe) {
  EXPECT_THAT(refusal(key_, key_).message, HasSubstr("is not a certificate"));
  EXPECT_THAT(refusal(certificate_, certificate_).message, HasSubstr("is not a private key"));
  EXPECT_THAT(refusal(write("empty.pem", ""), key_).message, HasSubstr("is not a certificate"));
  EXPECT_THAT(refusal(certificate_, write("locked.pem", own_.encrypted_key())).message, HasSubstr("is encrypted"));
}

std::size_t append(char* data, std::size_t, std::size_t size, void* text) {
  static_cast<std::string*>(text)->append(data, size);
  return size;
}

/// The answer to a client that trusts `authority` only; empty when there is none.
std::string get_trusting(const std::string& url, std::string authority) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  std::string answer;
  curl_blob trusted{authority.data(), authority.size(), CURL_BLOB_COPY};
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_CAINFO_BLOB, &trusted);
  curl_easy_setopt(handle.get(), CURLOPT_TIMEOUT_MS, 10'000L);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &answer);
  return curl_easy_perform(handle.get()) == CURLE_OK ? answer : std::string();
}

TEST_F(TlsTest, ServesOnlyOverTlsAtEveryPlace) {
  const std::string big(3'000'000, 'b');
  std::vector<Route> routes{{"GET", "/big", [&](const Request&, Responder r) { r.send({.body = big}); }}};
  ServerOptions options{.port = 0};
  options.also_at.push_back({.port = 0});
  options.tls = read_tls_identity(certificate_, key_).value();
  const auto server = Server::start(options, std::move(routes), [](int status, std::string_view, const Request&) {
                        return Response{.status = status};
                      }).value();
  ASSERT_EQ(server->ports().size(), 2U);
  for (const int port : server->ports()) {
    const std::string place = fmt::format("127.0.0.1:{}/big", port);
    EXPECT_FALSE(fetch({.url = "http://" + place}).has_value());
    EXPECT_FALSE(fetch({.url = "https://" + place}).has_value()) << "nobody has said to trust this certificate";
    EXPECT_EQ(get_trusting("https://" + place, Identity().certificate()), "");
    EXPECT_EQ(get_trusting("https://" + place, own_.certificate()), big) << "whatever came before";
  }
}

TEST_F(TlsTest, GivesNewConnectionsTheNewCertificate) {
  std::vector<Route> routes{{"GET", "/", [](const Request&, Responder r) { r.send({.body = "hello"}); }}};
  ServerOptions options{.port = 0};
  options.tls = read_tls_identity(certificate_, key_).value();
  const auto server = Server::start(options, std::move(routes), [](int status, std::string_view, const Request&) {
                        return Response{.status = status};
                      }).value();
  const std::string url = fmt::format("https://127.0.0.1:{}/", server->port());
  EXPECT_EQ(get_trusting(url, own_.certificate()), "hello");
  const Identity renewed;
  ASSERT_TRUE(server->replace_tls({renewed.certificate(), renewed.key()}).has_value());
  EXPECT_EQ(get_trusting(url, renewed.certificate()), "hello");
  EXPECT_EQ(get_trusting(url, own_.certificate()), "");
  EXPECT_EQ(server->replace_tls({"nonsense", renewed.key()}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(server->replace_tls({renewed.certificate(), "nonsense"}).error().code, ErrorCode::InvalidArgument);
  EXPECT_EQ(get_trusting(url, renewed.certificate()), "hello") << "what cannot be used changes nothing";
}

TEST_F(TlsTest, RenewsWithClientsComing) {
  std::vector<Route> routes{{"GET", "/", [](const Request&, Responder r) { r.send({.body = "hello"}); }}};
  ServerOptions options{.port = 0};
  options.tls = read_tls_identity(certificate_, key_).value();
  const auto server = Server::start(options, std::move(routes), [](int status, std::string_view, const Request&) {
                        return Response{.status = status};
                      }).value();
  const std::string url = fmt::format("https://127.0.0.1:{}/", server->port());
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0}, failed{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 3; ++i) {
    clients.emplace_back([&] {
      while (!stop) ++(get_trusting(url, own_.certificate()) == "hello" ? answered : failed);
    });
  }
  for (int i = 0; i < 200 || answered < 30; ++i)
    ASSERT_TRUE(server->replace_tls({own_.certificate(), own_.key()}).has_value());
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed, 0);
}

}  // namespace
}  // namespace imago::http
