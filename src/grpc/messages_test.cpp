// SPDX-License-Identifier: Apache-2.0
#include "grpc/messages.hpp"

#include <gmock/gmock.h>

namespace imago::grpc {
namespace {

using inference::ModelInferRequest;
using serve::Encoded;
using testing::ElementsAre;
using testing::HasSubstr;

ModelInferRequest::InferInputTensor& add_input(ModelInferRequest& message, const std::string& name,
                                               const std::string& datatype, const std::vector<std::int64_t>& shape) {
  auto& input = *message.add_inputs();
  input.set_name(name);
  input.set_datatype(datatype);
  input.mutable_shape()->Assign(shape.begin(), shape.end());
  return input;
}

TEST(ReadInference, TakesRawTensorsInTheOrderOfTheInputs) {
  ModelInferRequest message;
  message.set_model_name("pets");
  message.set_model_version("3");
  message.set_id("mine");
  add_input(message, "pixels", "UINT8", {2});
  add_input(message, "image", "BYTES", {2});
  add_input(message, "input", "FP32", {1});
  message.add_raw_input_contents("\x07\xff");
  message.add_raw_input_contents(std::string("\x02\0\0\0ab\0\0\0\0", 10));
  message.add_raw_input_contents(std::string("\0\0\x80\x3f", 4));
  const auto read = read_inference(message);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->request.model, "pets");
  EXPECT_EQ(read->request.version, 3);
  EXPECT_EQ(read->request.id, "mine");
  EXPECT_TRUE(read->raw);
  const auto& inputs = read->request.inputs;
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_THAT(std::get<std::vector<std::uint8_t>>(inputs[0].data), ElementsAre(7, 255));
  EXPECT_EQ(std::get<std::vector<Encoded>>(inputs[1].data).at(0).in_body, "ab");
  EXPECT_EQ(std::get<std::vector<Encoded>>(inputs[1].data).at(1).in_body, "");
  EXPECT_THAT(std::get<std::vector<float>>(inputs[2].data), ElementsAre(1.0F));
}

TEST(ReadInference, TakesTypedTensors) {
  ModelInferRequest message;
  add_input(message, "input", "FP32", {2}).mutable_contents()->add_fp32_contents(0.5F);
  add_input(message, "pixels", "UINT8", {1}).mutable_contents()->add_uint_contents(255);
  add_input(message, "image", "BYTES", {1}).mutable_contents()->add_bytes_contents("a file");
  const auto read = read_inference(message);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_FALSE(read->raw);
  EXPECT_FALSE(read->request.version.has_value());
  EXPECT_THAT(std::get<std::vector<float>>(read->request.inputs[0].data), ElementsAre(0.5F));
  EXPECT_THAT(std::get<std::vector<std::uint8_t>>(read->request.inputs[1].data), ElementsAre(255));
  EXPECT_EQ(std::get<std::vector<Encoded>>(read->request.inputs[2].data).at(0).in_body, "a file");
}

TEST(ReadInference, TakesParametersOfEveryKind) {
  ModelInferRequest message;
  (*message.mutable_parameters())["priority"].set_uint64_param(1);
  (*message.mutable_parameters())["timeout"].set_int64_param(1500);
  (*message.mutable_parameters())["binary_data_output"].set_bool_param(true);
  (*message.mutable_parameters())["sequence_id"].set_double_param(1.5);
  auto& output = *message.add_outputs();
  output.set_name("probabilities");
  (*output.mutable_parameters())["classification"].set_int64_param(3);
  const auto read = read_inference(message);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->parameters.priority, infer::Priority::High);
  EXPECT_EQ(read->parameters.timeout_micros, 1500);
  EXPECT_TRUE(read->raw);
  EXPECT_EQ(read->request.outputs.at(0).classification, 3);
}

struct Wrong {
  std::string name;
  std::function<void(ModelInferRequest&)> make;
  std::string text;
};
class ReadInferenceRefuses : public testing::TestWithParam<Wrong> {};

TEST_P(ReadInferenceRefuses, NamingWhatIsWrong) {
  ModelInferRequest message;
  GetParam().make(message);
  const auto read = read_inference(message);
  ASSERT_FALSE(read.has_value());
  EXPECT_THAT(read.error().message, HasSubstr(GetParam().text));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ReadInferenceRefuses,
    testing::Values(
        Wrong{"Version", [](auto& m) { m.set_model_version("newest"); }, "'newest'"},
        Wrong{"Datatype", [](auto& m) { add_input(m, "input", "FP64", {1}); }, "datatype 'FP64'"},
        Wrong{"NegativeShape", [](auto& m) { add_input(m, "input", "FP32", {-1}); }, "shape [-1]"},
        Wrong{"NoShape", [](auto& m) { add_input(m, "input", "FP32", {}); }, "0 dimensions"},
        Wrong{"HugeShape",
              [](auto& m) {
                add_input(m, "input", "FP32", {std::int64_t{1} << 40, std::int64_t{1} << 40});
                m.add_raw_input_contents("abcd");
              },
              "more than"},
        Wrong{"ShortBytes",
              [](auto& m) {
                add_input(m, "input", "FP32", {2});
                m.add_raw_input_contents("abcd");
              },
              "4 bytes, expected 8"},
        Wrong{"ElementBeyondTheEnd",
              [](auto& m) {
                add_input(m, "image", "BYTES", {1});
                m.add_raw_input_contents(
                    "\xff\xff\xff\xff"
                    "abcd");
              },
              "element 0 ends beyond"},
        Wrong{"RawForSomeInputs",
              [](auto& m) {
                add_input(m, "image", "BYTES", {1});
                add_input(m, "input", "FP32", {1});
                m.add_raw_input_contents("abcd");
              },
              "1 elements for 2 inputs"},
        Wrong{"BothForms",
              [](auto& m) {
                add_input(m, "input", "FP32", {1}).mutable_contents()->add_fp32_contents(1);
                m.add_raw_input_contents("abcd");
              },
              "both contents and raw_input_contents"},
        Wrong{"WrongField",
              [](auto& m) { add_input(m, "input", "FP32", {1}).mutable_contents()->add_fp64_contents(1); },
              "fp32_contents"},
        Wrong{"NoByte",
              [](auto& m) { add_input(m, "pixels", "UINT8", {1}).mutable_contents()->add_uint_contents(256); },
              "element 0 is 256"},
        Wrong{"SharedMemory",
              [](auto& m) {
                (*add_input(m, "input", "FP32", {1}).mutable_parameters())["shared_memory_region"].set_string_param(
                    "r");
              },
              "shared memory"},
        Wrong{"ManyInputs",
              [](auto& m) {
                for (int i = 0; i < 17; ++i) m.add_inputs();
              },
              "17 inputs"},
        Wrong{"ManyOutputs",
              [](auto& m) {
                for (int i = 0; i < 17; ++i) m.add_outputs();
              },
              "17 outputs"},
        Wrong{"Priority", [](auto& m) { (*m.mutable_parameters())["priority"].set_uint64_param(9); },
              "'priority' is 9"},
        Wrong{"Timeout", [](auto& m) { (*m.mutable_parameters())["timeout"].set_string_param("1"); }, "timeout"},
        Wrong{"Classification",
              [](auto& m) { (*m.add_outputs()->mutable_parameters())["classification"].set_bool_param(true); },
              "classification"}),
    [](const auto& wrong) { return wrong.param.name; });

serve::InferResponse response() {
  return {.model = "pets",
          .version = 2,
          .id = "7",
          .outputs = {{"probabilities", {1, 2}, std::vector<float>{0.25F, 0.75F}},
                      {"label", {1}, std::vector<std::string>{"dog"}}}};
}

TEST(WriteInference, GivesRawBytesOrTypedContents) {
  inference::ModelInferResponse raw, typed;
  write_inference(response(), true, raw);
  EXPECT_EQ(raw.model_name(), "pets");
  EXPECT_EQ(raw.model_version(), "2");
  EXPECT_EQ(raw.id(), "7");
  EXPECT_EQ(raw.outputs(0).datatype(), "FP32");
  EXPECT_THAT(raw.outputs(0).shape(), ElementsAre(1, 2));
  EXPECT_EQ(raw.raw_output_contents(0).size(), 8U);
  EXPECT_EQ(raw.raw_output_contents(1), std::string("\x03\0\0\0dog", 7));
  write_inference(response(), false, typed);
  EXPECT_EQ(typed.raw_output_contents_size(), 0);
  EXPECT_THAT(typed.outputs(0).contents().fp32_contents(), ElementsAre(0.25F, 0.75F));
  EXPECT_THAT(typed.outputs(1).contents().bytes_contents(), ElementsAre("dog"));
}

TEST(WriteConfig, HasTheTensorsOfTheModel) {
  inference::ModelConfig config;
  write_config({.name = "pets",
                .versions = {1},
                .inputs = {{"pixels", "UINT8", {-1, -1, -1, 3}}},
                .outputs = {{"label", "BYTES", {-1}}}},
               config);
  EXPECT_EQ(config.input(0).data_type(), inference::TYPE_UINT8);
  EXPECT_THAT(config.input(0).dims(), ElementsAre(-1, -1, -1, 3));
  EXPECT_TRUE(config.input(0).optional()) << "one of several is sent";
  EXPECT_EQ(config.output(0).data_type(), inference::TYPE_STRING);
  EXPECT_EQ(config.max_batch_size(), 0) << "the shapes have the batch in them";
}

TEST(ReadParameters, KeepsTheKindOfEach) {
  inference::RepositoryModelLoadRequest request;
  (*request.mutable_parameters())["version"].set_string_param("3");
  (*request.mutable_parameters())["file:1/model.onnx"].set_bytes_param("\xff");
  const auto parameters = read_parameters(request.parameters());
  EXPECT_EQ(parameters["version"], "3");
  EXPECT_EQ(serve::version_to_change(parameters).error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace imago::grpc
