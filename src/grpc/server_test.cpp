// SPDX-License-Identifier: Apache-2.0
// A server with a small real network, asked through real channels.
#include "grpc/server.hpp"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <future>

#include "base/rng.hpp"
#include "inference.grpc.pb.h"
#include "serve/test_registry.hpp"

namespace imago::grpc {
namespace {

using inference::ModelInferRequest;
using inference::ModelInferResponse;
using serve::sample_image;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class GrpcServer : public serve::RegistryService {
 protected:
  void SetUp() override {
    RegistryService::SetUp();
    add_version("pets", "one", {"champion"});
    ASSERT_TRUE(host("pets").has_value());
    server_ = Server::start({.max_message_bytes = 100'000}, service_->open_inference()).value();
    channel_ =
        ::grpc::CreateChannel(fmt::format("127.0.0.1:{}", server_->port()), ::grpc::InsecureChannelCredentials());
    stub_ = inference::GRPCInferenceService::NewStub(channel_);
  }

  static ModelInferRequest bitmap(int seed) {
    ModelInferRequest request;
    request.set_model_name("pets");
    request.set_id(std::to_string(seed));
    auto& input = *request.add_inputs();
    input.set_name("image");
    input.set_datatype("BYTES");
    input.add_shape(1);
    input.mutable_contents()->add_bytes_contents(serve::encode_bmp(sample_image(8, seed)));
    return request;
  }
  ::grpc::Status infer(const ModelInferRequest& request, ModelInferResponse& response) {
    ::grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    return stub_->ModelInfer(&context, request, &response);
  }
  void expect_answers() {
    ModelInferResponse response;
    const auto status = infer(bitmap(1), response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  /// Bytes that need not be a message.
  ::grpc::Status send_bytes(const std::string& method, const std::string& bytes) {
    ::grpc::GenericStub stub(channel_);
    ::grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + seconds(20));
    const ::grpc::Slice slice(bytes);
    const ::grpc::ByteBuffer request(&slice, 1);
    ::grpc::ByteBuffer response;
    std::promise<::grpc::Status> done;
    stub.UnaryCall(&context, "/inference.GRPCInferenceService/" + method, {}, &request, &response,
                   [&](::grpc::Status status) { done.set_value(std::move(status)); });
    return done.get_future().get();
  }

  std::unique_ptr<Server> server_;
  std::shared_ptr<::grpc::Channel> channel_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
};

TEST_F(GrpcServer, GivesTheAnswerOfPredict) {
  ModelInferResponse response;
  const auto status = infer(bitmap(1), response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.model_name(), "pets");
  EXPECT_EQ(response.model_version(), "1");
  EXPECT_EQ(response.id(), "1");
  const auto expected = json::get<std::vector<float>>(predict(), "probabilities").value();
  const auto& floats = response.outputs(0).contents().fp32_contents();
  EXPECT_EQ(std::vector<float>(floats.begin(), floats.end()), expected);
}

TEST_F(GrpcServer, NamesWhatIsWrong) {
  ModelInferResponse response;
  auto request = bitmap(1);
  request.set_model_name("nosuch");
  EXPECT_EQ(infer(request, response).error_code(), ::grpc::StatusCode::NOT_FOUND);
  request = bitmap(1);
  request.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, "text");
  const auto status = infer(request, response);
  EXPECT_EQ(status.error_code(), ::grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("not an image"));
  request.mutable_inputs(0)->mutable_contents()->set_bytes_contents(0, std::string(200'000, 'x'));
  EXPECT_EQ(infer(request, response).error_code(), ::grpc::StatusCode::RESOURCE_EXHAUSTED) << "over its limit";
}

TEST_F(GrpcServer, AnswersAStreamInItsOrderAndOutlivesErrors) {
  ::grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(20));
  const auto stream = stub_->ModelStreamInfer(&context);
  constexpr int kCount = 50;
  for (int seed = 0; seed < kCount; ++seed) {
    auto request = bitmap(seed);
    if (seed == 7) request.set_model_name("nosuch");
    ASSERT_TRUE(stream->Write(request));
  }
  stream->WritesDone();
  inference::ModelStreamInferResponse response;
  for (int seed = 0; seed < kCount; ++seed) {
    ASSERT_TRUE(stream->Read(&response)) << seed;
    EXPECT_EQ(response.infer_response().id(), std::to_string(seed));
    EXPECT_EQ(response.error_message().empty(), seed != 7) << response.error_message();
  }
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(GrpcServer, EndsOpenStreamsWhenItDrains) {
  ::grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + seconds(20));
  const auto stream = stub_->ModelStreamInfer(&context);
  ASSERT_TRUE(stream->Write(bitmap(1)));
  inference::ModelStreamInferResponse response;
  ASSERT_TRUE(stream->Read(&response));
  server_->drain(seconds(20));
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), ::grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcServer, SurvivesAStreamThatIsLeft) {
  for (int i = 0; i < 20; ++i) {
    ::grpc::ClientContext context;
    const auto stream = stub_->ModelStreamInfer(&context);
    for (int seed = 0; seed < i; ++seed) stream->Write(bitmap(seed));
    context.TryCancel();
    stream->Finish();
  }
  expect_answers();
}

TEST_F(GrpcServer, RefusesASecondServerAtItsPort) {
  const auto second = Server::start({.port = server_->port()}, service_->open_inference());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::Unavailable);
  EXPECT_THAT(second.error().message, HasSubstr("--grpc-port"));
}

TEST_F(GrpcServer, OutlivesHostileBytes) {
  Rng rng(7);
  const std::string good = bitmap(1).SerializeAsString();
  for (int i = 0; i < 600; ++i) {
    std::string bytes;
    if (i % 2 == 0) {
      bytes = good;
      for (int changes = 0; changes < 1 + i % 9; ++changes)
        bytes[static_cast<std::size_t>(rng.below(bytes.size()))] = static_cast<char>(rng.below(256));
    } else {
      bytes.resize(static_cast<std::size_t>(rng.below(300)));
      for (char& byte : bytes) byte = static_cast<char>(rng.below(256));
    }
    const auto status = send_bytes(i % 5 == 0 ? "RepositoryModelLoad" : "ModelInfer", bytes);
    EXPECT_NE(status.error_code(), ::grpc::StatusCode::DEADLINE_EXCEEDED) << i;
    EXPECT_NE(status.error_code(), ::grpc::StatusCode::UNAVAILABLE) << i;
  }
  expect_answers();
}

}  // namespace
}  // namespace imago::grpc
