// SPDX-License-Identifier: Apache-2.0
#include "serve/open_inference_json.hpp"

#include <gmock/gmock.h>

#include "json/json.hpp"

namespace imago::serve {
namespace {

using testing::HasSubstr;

std::string with_input(const std::string& members) { return R"({"inputs":[{"name":"input",)" + members + "}]}"; }

std::string error_of(const std::string& body, const std::string& json_length = {}) {
  const auto parsed = parse_inference(body, json_length);
  return parsed ? "no error" : parsed.error().message;
}

/// JSON and, after it, the bytes of tensors.
Result<RestInference> parse_binary(const std::string& json, const std::string& bytes) {
  static std::string kept;  // what is parsed looks into the body
  kept = json + bytes;
  return parse_inference(kept, std::to_string(json.size()));
}

std::string element(const std::string& bytes) {
  std::string out{static_cast<char>(bytes.size()), 0, 0, 0};
  return out + bytes;
}

TEST(OpenInferenceJson, ReadsNumbersFlatOrNested) {
  for (const char* data : {"[1,2.5,-3,4]", "[[1,2.5],[-3,4]]"}) {
    const auto parsed =
        parse_inference(with_input(fmt::format(R"("datatype":"FP32","shape":[2,2],"data":{})", data)), "");
    ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
    const auto& input = parsed->request.inputs.at(0);
    EXPECT_EQ(input.name, "input");
    EXPECT_EQ(input.shape, (TensorShape{2, 2}));
    EXPECT_EQ(std::get<std::vector<float>>(input.data), (std::vector<float>{1, 2.5, -3, 4}));
  }
}

TEST(OpenInferenceJson, ReadsBytesAsBase64AndPixelsAsWholeNumbers) {
  const auto image =
      parse_inference(with_input(R"("datatype":"BYTES","shape":[2,1],"data":[["aGVsbG8="],["IQ=="]])"), "");
  ASSERT_TRUE(image.has_value()) << image.error().message;
  const auto& images = std::get<std::vector<Encoded>>(image->request.inputs.at(0).data);
  EXPECT_EQ(images.at(0).owned, "hello");
  EXPECT_EQ(images.at(1).owned, "!");
  const auto pixels = parse_inference(with_input(R"("datatype":"UINT8","shape":[3],"data":[0,128,255])"), "");
  ASSERT_TRUE(pixels.has_value()) << pixels.error().message;
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(pixels->request.inputs.at(0).data),
            (std::vector<std::uint8_t>{0, 128, 255}));
}

TEST(OpenInferenceJson, ReadsTensorsAfterTheJsonInTheirOrder) {
  const std::string json =
      R"({"inputs":[{"name":"a","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}},)"
      R"({"name":"b","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":11}},)"
      R"({"name":"c","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]})";
  const auto parsed = parse_binary(json, "\x07\x09" + element("ab") + element("c") + std::string("\0\0\x80\x3f", 4));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  const auto& inputs = parsed->request.inputs;
  EXPECT_EQ(std::get<std::vector<std::uint8_t>>(inputs.at(0).data), (std::vector<std::uint8_t>{7, 9}));
  EXPECT_EQ(std::get<std::vector<Encoded>>(inputs.at(1).data).at(0).in_body, "ab");
  EXPECT_EQ(std::get<std::vector<Encoded>>(inputs.at(1).data).at(1).in_body, "c");
  EXPECT_EQ(std::get<std::vector<float>>(inputs.at(2).data), (std::vector<float>{1.0F}));
}

TEST(OpenInferenceJson, TakesABodyWithoutJsonAsOneImage) {
  const auto parsed = parse_inference("the bytes of a file", "0");
  ASSERT_TRUE(parsed.has_value());
  const auto& input = parsed->request.inputs.at(0);
  EXPECT_EQ(input.name, "image");
  EXPECT_EQ(std::get<std::vector<Encoded>>(input.data).at(0).in_body, "the bytes of a file");
}

TEST(OpenInferenceJson, ReadsWhatIsWanted) {
  const auto parsed = parse_inference(
      R"({"id":"7","parameters":{"binary_data_output":true,"timeout":1500,"priority":1},"inputs":[],"unknown":[{}],)"
      R"("outputs":[{"name":"probabilities","parameters":{"classification":3,"binary_data":false}},{"name":"label"}]})",
      "");
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->request.id, "7");
  EXPECT_EQ(parsed->parameters.timeout_micros, 1500);
  EXPECT_EQ(parsed->request.outputs.at(0).classification, 3);
  EXPECT_EQ(parsed->request.outputs.at(1).name, "label");
  EXPECT_EQ(parsed->binary, (std::vector<bool>{false, true}));
}

TEST(OpenInferenceJson, RefusesShapesThatDoNotFitTheData) {
  for (const auto& [shape, text] :
       std::vector<std::pair<const char*, const char*>>{{"[3]", "expected 3"},
                                                        {"[1]", "more than the 1 elements"},
                                                        {"[-2]", "negative"},
                                                        {"[-1,-2]", "negative"},
                                                        {"[4294967296,4294967296]", "has more than"},
                                                        {"[9223372036854775807,2]", "has more than"},
                                                        {"[2147483648]", "expected 2147483648"},
                                                        {"[]", "0 dimensions"},
                                                        {"[1,1,1,1,1,1,1,1,2]", "9 dimensions"},
                                                        {"[2.5]", "shape"},
                                                        {"[18446744073709551615]", "shape"},
                                                        {"\"2\"", "shape"},
                                                        {"null", "shape"}}) {
    const auto body = with_input(fmt::format(R"("datatype":"FP32","shape":{},"data":[1,2])", shape));
    EXPECT_THAT(error_of(body), HasSubstr(text)) << shape;
  }
}

TEST(OpenInferenceJson, RefusesDataThatIsNotItsDatatype) {
  for (const auto& [datatype, data, text] : std::vector<std::tuple<const char*, const char*, const char*>>{
           {"FP64", "[1]", "datatype 'FP64': BYTES, UINT8 and FP32"},
           {"", "[1]", "datatype ''"},
           {"FP32", "[\"1\"]", "not a number"},
           {"FP32", "[[1],2]", "ragged"},
           {"FP32", "[1e99]", "too large"},
           {"FP32", "{}", "an object"},
           {"UINT8", "[256]", "from 0 to 255"},
           {"UINT8", "[-1]", "from 0 to 255"},
           {"UINT8", "[0.5]", "from 0 to 255"},
           {"BYTES", "[1]", "not a string of base64"},
           {"BYTES", "[\"*\"]", "element 0"},
           {"BYTES", "[\"IQ==\",\"IQ==\"]", "more than the 1 elements"},
           {"BYTES", "[]", "has 0 elements"}}) {
    const auto body = with_input(fmt::format(R"("datatype":"{}","shape":[1],"data":{})", datatype, data));
    EXPECT_THAT(error_of(body), HasSubstr(text)) << datatype << data;
  }
}

TEST(OpenInferenceJson, RefusesBinarySizesThatDoNotFitTheBody) {
  for (const auto& [size, bytes, text] : std::vector<std::tuple<const char*, std::string, const char*>>{
           {"9", "12345678", "8 bytes are left"},
           {"-1", "12345678", "8 bytes are left"},
           {"18446744073709551615", "12345678", "binary_data_size"},
           {"\"8\"", "12345678", "binary_data_size"},
           {"4", "12345678", "expected 8"},
           {"8", "123456789", "1 bytes more than its tensors"}}) {
    const auto json =
        with_input(fmt::format(R"("datatype":"FP32","shape":[2],"parameters":{{"binary_data_size":{}}})", size));
    const auto parsed = parse_binary(json, bytes);
    ASSERT_FALSE(parsed.has_value()) << size;
    EXPECT_THAT(parsed.error().message, HasSubstr(text)) << size;
  }
}

TEST(OpenInferenceJson, RefusesElementsThatEndBeyondTheirTensor) {
  for (const auto& [bytes, text] :
       std::vector<std::pair<std::string, const char*>>{{std::string("\x05\0\0\0ab", 6), "element 0 ends beyond"},
                                                        {std::string("\xff\xff\xff\xff", 4), "element 0 ends beyond"},
                                                        {std::string("\x01\0", 2), "element 0 ends beyond"},
                                                        {element("a") + element("b"), "more than the 1 elements"},
                                                        {"", "has 0 elements"}}) {
    const auto json = with_input(
        fmt::format(R"("datatype":"BYTES","shape":[1],"parameters":{{"binary_data_size":{}}})", bytes.size()));
    const auto parsed = parse_binary(json, bytes);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_THAT(parsed.error().message, HasSubstr(text));
  }
}

TEST(OpenInferenceJson, RefusesWhatIsNoRequest) {
  for (const auto& [body, text] : std::vector<std::pair<std::string, const char*>>{
           {"", "not a JSON object"},
           {"[]", "not a JSON object"},
           {"{}", "no 'inputs'"},
           {R"({"inputs":5})", "not a JSON array"},
           {R"({"inputs":[5]})", "not a JSON object"},
           {R"({"inputs":[{}]})", "without 'name'"},
           {R"({"inputs":[{"name":"input","datatype":"FP32","shape":[1]}]})", "no 'data'"},
           {R"({"inputs":[],"id":7})", "'id'"},
           {R"({"inputs":[],"parameters":[]})", "'parameters'"},
           {R"({"inputs":[],"parameters":{"timeout":-1}})", "timeout"},
           {R"({"inputs":[],"outputs":[{"name":"label","parameters":{"classification":"3"}}]})", "classification"},
           {R"({"inputs":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]})", "more than 16 items"}}) {
    EXPECT_THAT(error_of(body), HasSubstr(text)) << body;
  }
  for (const char* length : {"x", "-1", "3", "99999999999999999999", "1 "})
    EXPECT_THAT(error_of("{}", length), HasSubstr("Inference-Header-Content-Length")) << length;
}

TEST(OpenInferenceJson, WritesOutputsAsJsonOrAsBytes) {
  const InferResponse response{.model = "pets",
                               .version = 2,
                               .id = "7",
                               .outputs = {{"probabilities", {1, 2}, std::vector<float>{0.25F, 0.75F}},
                                           {"label", {1}, std::vector<std::string>{"dog"}}}};
  const auto plain = format_inference(response, {});
  EXPECT_EQ(plain.headers.at("Content-Type"), "application/json");
  EXPECT_FALSE(plain.headers.contains(kJsonLengthHeader));
  EXPECT_EQ(plain.body,
            R"({"model_name":"pets","model_version":"2","id":"7","outputs":[{"name":"probabilities","datatype":"FP32",)"
            R"("shape":[1, 2],"data":[0.25,0.75]},{"name":"label","datatype":"BYTES","shape":[1],"data":["dog"]}]})");
  RestInference asked;
  asked.parameters.binary_output = true;
  const auto binary = format_inference(response, asked);
  const auto json_size = static_cast<std::size_t>(std::stoi(binary.headers.at(kJsonLengthHeader)));
  const auto head = json::parse(binary.body.substr(0, json_size)).value();
  EXPECT_EQ(head["outputs"][0]["parameters"]["binary_data_size"], 8);
  EXPECT_EQ(head["outputs"][1]["parameters"]["binary_data_size"], 7);
  EXPECT_EQ(binary.body.substr(json_size), std::string("\0\0\x80\x3e\0\0\x40\x3f\x03\0\0\0dog", 15));
}

}  // namespace
}  // namespace imago::serve
